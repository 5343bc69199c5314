"""What `make run` starts: the play, the window on a server of its own, and the bot parrot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coterie.cli.play import SAID
from tests.real.conftest import SignedUp
from tests.real.programs import RUN_SECONDS, Server, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PARROT = (sys.executable, "-m", "coterie.cli.parrot")
RUN = (sys.executable, "-m", "coterie.cli.run")
LOOK_SECONDS = 0.05


def wait_until(process: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    """While the process runs."""
    while not done():
        try:
            code = process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the program ended with {code}")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_play_is_played_and_can_be_played_again(tmp_path: Path) -> None:
    without_display = {name: value for name, value in environment().items() if name != "DISPLAY"}
    for _ in range(2):
        done = subprocess.run(
            RUN, cwd=tmp_path, env=without_display, capture_output=True, timeout=RUN_SECONDS, check=False
        )
        said = done.stdout.decode()
        assert (done.returncode, done.stderr) == (0, b"")
        for name, text in (("bob", SAID[0]), ("alice", SAID[1]), ("carol", SAID[2]), ("bob", SAID[3])):
            assert any(f"{name} reads" in line and text in line for line in said.splitlines()), text
        assert "log_entries: 3" in said
        assert "unknown-person" in said
        assert f"found none of {len(SAID)} texts" in said


@contextmanager
def parrot(home: Path, server: Server) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*PARROT, "--home", str(home), "--server", server.invite, "--name", "polly"],
        stdout=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.terminate()
        process.communicate()


def test_parrot_repeats_what_it_is_told_and_nothing_else(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    alice, home = signed_up("alice"), tmp_path / "parrot"
    for text in ("hello", "x" * 65_536):
        with parrot(home, server):
            alice.ok("send", "everyone", "-", stdin=b"not for parrots")
            alice.ok("send", "@polly", "-", stdin=text.encode())
            (answer,) = alice.waiting(1)
        assert (answer["text"], answer["from"], answer["conversation"]) == (text, "polly", "@polly")
    assert len(alice.ok("read", "everyone")) == 2
    assert (home / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("display")
def test_the_window_has_a_server_and_a_parrot_that_end_with_it(tmp_path: Path) -> None:
    run_file = tmp_path / "var" / "run.json"
    first = subprocess.Popen(RUN, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
    try:
        wait_until(first, run_file.exists)
        running = json.loads(run_file.read_bytes())
        assert running["owner"] == first.pid
        second = subprocess.Popen(RUN, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
        second.send_signal(signal.SIGTERM)
        second.communicate()
        assert json.loads(run_file.read_bytes()) == running
        assert not is_gone(running["server"])
    finally:
        first.send_signal(signal.SIGTERM)
        _, complaints = first.communicate()
    assert complaints == b""
    assert is_gone(running["server"])
    assert is_gone(running["parrot"])
    assert not run_file.exists()


def test_a_server_from_the_command_line_loads_nothing_that_could_read_a_message(tmp_path: Path) -> None:
    read, write = os.pipe()
    words = ("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--ready-fd", str(write))
    # To be measured it would import the packages that are measured.
    unmeasured = {name: value for name, value in environment().items() if not name.startswith("COVERAGE_")}
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "coterie.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[write],
        env=unmeasured,
    )
    os.close(write)
    with os.fdopen(read) as ready:
        assert json.loads(ready.readline())["ready"] is True
    process.terminate()
    _, told = process.communicate()
    loaded = {line.rpartition("|")[2].strip() for line in told.decode().splitlines() if "|" in line}
    assert "coterie.server.gateway" in loaded
    readers = ("coterie.client", "coterie.content", "coterie.e2ee", "coterie.screens", "vodozemac")
    assert [name for name in loaded if name.startswith(readers)] == []
