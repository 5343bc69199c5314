"""Programs of coterie that another one starts, waits for and stops, each by its own process id."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import BinaryIO, Self

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable

START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
LINE_BYTES = 1 << 20


class Program:
    """One process. Its first line says that it is there; what it says afterwards goes to its log."""

    def __init__(self, process: Process, stdout: asyncio.StreamReader, log: BinaryIO, path: Path) -> None:
        self._process = process
        self._stdout = stdout
        self._log = log
        self._path = path

    @classmethod
    async def start(cls, log: Path, *words: str) -> Self:
        """Run `python -m words`."""
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *words, stdin=DEVNULL, stdout=PIPE, stderr=file, limit=LINE_BYTES
        )
        assert process.stdout is not None
        return cls(process, process.stdout, file, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def line(self) -> bytes:
        """The next line. Raises Unavailable where the program ends, or says nothing for long."""
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await self._stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise Unavailable(Code.MISSING_PART, f"a program did not get ready: {self._path} says why")
        return line

    async def keep_log(self) -> None:
        """Until the program ends."""
        while data := await self._stdout.read(LINE_BYTES):
            self._log.write(data)
            self._log.flush()

    async def stop(self) -> None:
        """Ask it to end; where it does not, end it."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._log.close()


def is_running(pid: int) -> bool:
    """Whether there is a process of this id; whose it is, others have to find out.

    Windows has no harmless way to ask: there every process counts as running.
    """
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


async def stop_pid(pid: int) -> None:
    """Ask a process that is not our child to end, and wait for that a while."""
    os.kill(pid, signal.SIGTERM)
    clock = SystemClock()
    deadline = clock.monotonic_seconds() + STOP_SECONDS
    while is_running(pid) and clock.monotonic_seconds() < deadline:
        await clock.wait_until(clock.monotonic_seconds() + POLL_SECONDS)
