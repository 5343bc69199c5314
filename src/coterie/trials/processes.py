"""Servers that a trial measures: processes of their own, started, watched and stopped by their id."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.invite import Invite, parse_invite
from coterie.trials.machine import cpu_seconds, memory_bytes

START_SECONDS = 60.0
STOP_SECONDS = 10.0


def allow_many_files() -> None:
    """As many as the system lets this process and those that it starts have: each connection is one."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Measured:
    """A running process of which one asks what it has used."""

    def __init__(self, process: Process, invite: Invite, metrics: str = "") -> None:
        self._process = process
        self.invite = invite
        """Where it is; the floor has no fingerprint."""
        self.metrics = metrics
        """HOST:PORT of its figures."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def kill(self) -> None:
        """kill -9, and wait until it is dead."""
        self._process.kill()
        await self._process.wait()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def memory_bytes(self) -> int:
        return memory_bytes(self.pid)


@asynccontextmanager
async def coterie_server(folder: Path, *more: str, program: str = "coterie.cli") -> AsyncIterator[Measured]:
    """A real server on that data folder. more: what `coterie serve` gets besides; program: what stands in for
    `coterie`."""
    words = (program, "serve", "--json", "--data", str(folder), "--listen", "127.0.0.1:0")
    folder.mkdir(parents=True, exist_ok=True)
    async with _running(folder, *words, *more) as (process, line):
        said = json.loads(line)
        yield Measured(process, parse_invite(said["invite"]), said["metrics"])


@asynccontextmanager
async def floor_server(folder: Path) -> AsyncIterator[Measured]:
    """The floor (trials/floor.py)."""
    folder.mkdir(parents=True, exist_ok=True)
    async with _running(folder, "coterie.trials.floor", str(folder)) as (process, line):
        yield Measured(process, Invite("127.0.0.1", int(line)))


@asynccontextmanager
async def listening_client(home: Path, password_file: Path) -> AsyncIterator[int]:
    """`coterie listen` on a profile, live when the block begins; its process id."""
    words = ("coterie.cli", "--json", "--home", str(home), "--password-file", str(password_file), "listen")
    async with _running(home, *words, until=b'"state": "live"') as (process, _):
        yield process.pid


@asynccontextmanager
async def _running(folder: Path, *words: str, until: bytes = b"") -> AsyncIterator[tuple[Process, bytes]]:
    """`python -m words`, and the first line that it says with `until` in it. None of them says much more."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COTERIE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environment
    )
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await process.stdout.readline()
                while line and until not in line:
                    line = await process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise Unavailable(Code.MISSING_PART, f"a server for {folder.name} did not start")
        yield process, line
    finally:
        await _stop(process)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
