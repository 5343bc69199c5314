"""Several processes of one machine that serve one database on one port, and the one that keeps them up.

SIGHUP has them started anew, one after the other: each from the programs that lie on the disk by then.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence

import msgspec

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.server.folder import DataFolder
from coterie.server.settings import ReadyLine, ServerSettings

log = logging.getLogger("coterie.server.workers")

FIRST_PAUSE_SECONDS = 0.25
LAST_PAUSE_SECONDS = 15.0
WELL_SECONDS = 60.0
"""After so long a worker counts as well, and the next pause is the first again."""
END_SECONDS = 20.0
RENEW_SECONDS = 60.0
"""So long a worker that is started anew may take until it serves."""
MOST = 64

Command = Callable[[int, str], Sequence[str]]
"""The program of a worker, by its number (from 1) and HOST:PORT. It says ready as one line of JSON on
standard output, and ends when its standard input does: so none outlives the process that started it."""
_ready_line = msgspec.json.Decoder(ReadyLine)


def run_workers(
    settings: ServerSettings, count: int, command: Command, ready: Callable[[ReadyLine], None]
) -> None:
    """Until SIGTERM or SIGINT. ready is called once all accept connections; metrics names them all.

    Raises Refused(usage), Unavailable: disk, unreachable; whatever a worker says of itself is in its log.
    """
    if sys.platform == "win32":
        raise Refused(Code.USAGE, "several workers need a system on which they can share a port")
    folder = DataFolder.open(settings.data)
    try:
        with _reserved(settings.host, settings.port) as port:
            asyncio.run(_Workers(settings, count, command, ready, port.getsockname()[1]).run())
    finally:
        folder.close()


def _reserved(host: str, port: int) -> socket.socket:
    """The port, for this user's processes; nothing comes in here, since this one does not listen."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        reserved = socket.socket(family, kind, protocol)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        raise Unavailable(
            Code.UNREACHABLE, f"the address to listen on cannot be had ({error.strerror})"
        ) from error
    return reserved


class _Workers:
    def __init__(
        self,
        settings: ServerSettings,
        count: int,
        command: Command,
        ready: Callable[[ReadyLine], None],
        port: int,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._count = count
        self._command = command
        self._ready = ready
        self._port = port
        self._clock = clock or SystemClock()
        self._lines: dict[int, ReadyLine] = {}
        self._processes: dict[int, Process] = {}
        self._stopping = asyncio.Event()
        self._told = False
        self._renew = asyncio.Event()
        self._planned: set[int] = set()
        """Workers that end because they are to be started anew."""
        self._serves: dict[int, asyncio.Event] = {}
        """Of those: set once the next one accepts connections."""

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        if not sys.stdin.isatty():
            loop.add_signal_handler(signal.SIGHUP, self._renew.set)
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(self._keep(number + 1)) for number in range(self._count)]
            keeping.append(group.create_task(self._renewals()))
            await self._stopping.wait()
            for process in self._processes.values():
                if process.returncode is None:
                    process.terminate()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await asyncio.gather(*(process.wait() for process in self._processes.values()))
            except TimeoutError:
                log.warning("a worker did not end and is killed")
            for task in keeping:
                task.cancel()
        if not self._told:
            raise Unavailable(Code.DISK, "the workers did not come up: see what they logged")

    async def _keep(self, number: int) -> None:
        """Start this worker again and again; the first time it has to come up."""
        pause_seconds = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = self._clock.monotonic_seconds()
            await self._live(number)
            if self._stopping.is_set():
                return
            if not self._told:
                self._stopping.set()
                return
            if number in self._planned:
                self._planned.remove(number)
                log.info("worker %d is started anew", number)
                continue
            if self._clock.monotonic_seconds() - began >= WELL_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            log.error("worker %d ended and is started again", number)
            await self._pause(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LAST_PAUSE_SECONDS)

    async def _renewals(self) -> None:
        """Each time that it is asked for: no worker is stopped before the one before it serves again."""
        while True:
            await self._renew.wait()
            self._renew.clear()
            try:
                for number in sorted(self._lines) if self._told else ():
                    await self._renewed(number)
            except TimeoutError:
                log.critical("a worker that was started anew does not serve: the others stay as they are")
            else:
                log.info("all workers were started anew")

    async def _renewed(self, number: int) -> None:
        """Raises TimeoutError."""
        process = self._processes[number]
        serves = self._serves[number] = asyncio.Event()
        if process.returncode is None:
            self._planned.add(number)
            process.terminate()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            except TimeoutError:
                log.warning("a worker did not end and is killed")
                process.kill()
        async with asyncio.timeout(RENEW_SECONDS):
            await serves.wait()

    async def _pause(self, seconds: float) -> None:
        await self._clock.wait_until(self._clock.monotonic_seconds() + seconds)

    async def _live(self, number: int) -> None:
        """One life of a worker, to its end."""
        place = f"{self._settings.host}:{self._port}"
        process = await asyncio.create_subprocess_exec(*self._command(number, place), stdin=PIPE, stdout=PIPE)
        self._processes[number] = process
        try:
            assert process.stdout is not None, "it was asked for"
            line = await process.stdout.readline()
            if line:
                self._lines[number] = _ready_line.decode(line)
                self._tell_ready()
                if number in self._serves:
                    self._serves[number].set()
            await process.stdout.read()
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _tell_ready(self) -> None:
        if len(self._lines) == self._count and not self._told:
            self._told = True
            lines = [self._lines[number] for number in sorted(self._lines)]
            metrics = ",".join(line.metrics for line in lines if line.metrics)
            self._ready(ReadyLine(lines[0].listen, lines[0].invite, metrics))
