"""The processes of a soak, each started, spoken to and ended by its own id."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.deaths import Death, signal_of
from coterie.trials.soak.speech import LINE_BYTES, Order, Report, order_line, read_report

START_SECONDS = 60.0
STOP_SECONDS = 60.0
COMMIT_SECONDS = 2.0
"""Who is to die with its next commit, and makes none in this time, is killed."""
CHUNK_BYTES = 1 << 16


class Child:
    """`python -m words`, with its standard error in a log of its own."""

    def __init__(self, process: Process, log: BinaryIO, path: Path) -> None:
        self._process = process
        self._log = log
        self.path = path
        self._dying = False

    @classmethod
    async def start(cls, log: Path, *words: str) -> Self:
        file = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")
        takes_orders = not words[0].endswith(".server")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *words,
            stdin=PIPE if takes_orders else DEVNULL,
            stdout=PIPE,
            stderr=file,
            env={name: value for name, value in os.environ.items() if not name.startswith("COTERIE_")},
            limit=LINE_BYTES,
        )
        return cls(process, file, log)

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def line(self) -> bytes:
        """The next line that it says. Raises Unavailable where it ends instead."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise Unavailable(Code.MISSING_PART, f"a process of the trial has ended: {self.path} says why")
        return line

    async def first_line(self) -> str:
        try:
            async with asyncio.timeout(START_SECONDS):
                return (await self.line()).decode().strip()
        except TimeoutError:
            raise Unavailable(Code.MISSING_PART, f"a process did not get ready: {self.path}") from None

    async def report(self) -> Report:
        return read_report(await self.line())

    def tell(self, order: Order) -> None:
        """Who is being killed hears nothing any more."""
        assert self._process.stdin is not None
        if not self._dying:
            self._process.stdin.write(order_line(order))

    async def kill(self, death: Death) -> None:
        """Return when it is dead. What it said before can still be read."""
        self._dying = True
        number = signal_of(death)
        if number is not None and self._process.returncode is None:
            self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_SECONDS):
                    await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def dismiss(self) -> None:
        """No more orders: it closes its clients and ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self.gone()

    async def terminate(self) -> None:
        """SIGTERM, as an operator stops a server."""
        if self._process.returncode is None:
            self._process.terminate()
        await self.gone()

    async def gone(self) -> None:
        """What it still says is read, so that nothing holds it up."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while await self._process.stdout.read(CHUNK_BYTES):
                    pass
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._log.close()
