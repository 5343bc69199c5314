"""Programs are found, watched and stopped by their process id."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.peers import programs

LISTENS = """
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; sum(range(30_000_000)); signal.pause()"])
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(child.pid, flush=True)
while True: server.accept()
"""


def test_what_is_not_installed_is_said() -> None:
    with pytest.raises(Unavailable) as caught:
        programs.find("no-such-server")
    assert caught.value.code is Code.MISSING_PART
    assert "no-such-server is not installed" in caught.value.note


async def until(done: Callable[[], object]) -> None:
    clock = SystemClock()
    async with asyncio.timeout(60):
        while not done():
            await clock.wait_until(clock.monotonic_seconds() + 0.05)


@pytest.mark.slow
@pytest.mark.asyncio
async def test_a_program_is_measured_with_its_children_and_ends_with_them(tmp_path: Path) -> None:
    port = programs.free_port()
    with programs.started((sys.executable, "-c", LISTENS, str(port)), tmp_path, None) as program:
        await program.await_port(port)
        await until((tmp_path / "output").read_text)
        child = int((tmp_path / "output").read_text())
        assert programs.children(program.pid) == [child]
        await until(lambda: programs.cpu_seconds_of_tree(child) > 0.2)
        assert program.cpu_seconds() > programs.cpu_seconds_of_tree(child)
    with pytest.raises(ProcessLookupError):
        os.kill(program.pid, 0)
    await until(lambda: _has_ended(child))


def _has_ended(pid: int) -> bool:
    """Gone, or waiting for its new parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.asyncio
async def test_a_program_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    words = (sys.executable, "-S", "-c", "raise SystemExit('no room for me')")
    with programs.started(words, tmp_path, None) as program, pytest.raises(Unavailable) as caught:
        await program.await_port(programs.free_port())
    assert "no room for me" in caught.value.note


@pytest.mark.asyncio
async def test_a_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await programs.said_by((sys.executable, "-S", "-c", "raise SystemExit('no such user')"), tmp_path)
    assert "no such user" in caught.value.note


def test_what_cannot_be_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), programs.started((tmp_path / "nothing",), tmp_path, None):
        pass
