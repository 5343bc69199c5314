"""What stands between the clients of a torture and their servers, and spoils what goes through.

TLS is not opened: bytes are held up, doubled, exchanged or lost, as a bad network does. On loopback alone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from coterie.base.clock import SystemClock

CHUNK_BYTES = 1 << 16
SLOW_BYTES = 512
"""What a slow reader takes at once, ten times a second."""
SLOW_STEP_SECONDS = 0.1
HOST = "127.0.0.1"

_clock = SystemClock()


class Way:
    """One connection of a client, in both directions."""

    def __init__(self, *, stalled: bool) -> None:
        self.target_port = 0
        """Where it leads to."""
        self.stalled = stalled
        """Nothing goes through any more, and nobody is told."""
        self.slow_until = 0.0
        """Until then (monotonic seconds) the client takes a little at a time."""
        self.doubles = 0
        self.exchanges = 0
        """How many pieces are yet to be said twice, or in the wrong order; TLS notices and ends the line."""
        self.writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def end(self) -> None:
        """Cut, and wait until that is so."""
        self.cut()
        for writer in self.writers:
            with suppress(OSError):
                await writer.wait_closed()


class Proxy:
    """start(), then close(). port: where clients connect; targets: ports of the servers, which take turns;
    none: then nobody answers."""

    def __init__(self) -> None:
        self.port = 0
        self.targets: list[int] = []
        self.silent = False
        """Whether everything vanishes in it, also what comes by new connections, until it is healed."""
        self.late_until = 0.0
        self.late_seconds = 0.0
        """Until then (monotonic seconds) everything comes that much later."""
        self.ways: list[Way] = []
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody is let in any more, and every connection has ended."""
        if self._server is not None:
            self._server.close()
        self.heal()
        self.cut()
        await self._nobody.wait()

    def cut(self, target_port: int | None = None) -> None:
        """Every connection ends at once; only those that lead there, where that is said."""
        for way in self.ways:
            if target_port in (None, way.target_port):
                way.cut()

    def silence(self) -> None:
        """A black hole: whoever connects is let in, and nothing goes through."""
        self.silent = True
        for way in self.ways:
            way.stalled = True

    def heal(self) -> None:
        """From now on a good network; connections that hang end."""
        self.late_until = 0.0
        self.silent = False
        for way in self.ways:
            way.slow_until = 0.0
            way.doubles = way.exchanges = 0
            if way.stalled:
                way.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = Way(stalled=self.silent)
        way.writers.append(writer)
        self.ways.append(way)
        self._nobody.clear()
        try:
            if self.targets:
                self.targets.append(self.targets.pop(0))
                way.target_port = self.targets[-1]
                with suppress(OSError):
                    await self._joined(way, reader, writer)
        finally:
            await way.end()
            self.ways.remove(way)
            if not self.ways:
                self._nobody.set()

    async def _joined(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(HOST, way.target_port)
        way.writers.append(to_server)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carry(way, reader, to_server, to_client=False))
            tasks.create_task(self._carry(way, from_server, writer, to_client=True))

    async def _carry(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_client: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self.pass_on(way, data, reader, writer, to_client=to_client)
        if not way.stalled:
            way.cut()

    async def pass_on(
        self,
        way: Way,
        data: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_client: bool,
    ) -> None:
        """A piece that came from reader, as bad as the network is now."""
        now = _clock.monotonic_seconds()
        if now < self.late_until:
            await _clock.wait_until(now + self.late_seconds)
        if way.stalled:
            return
        if to_client and now < way.slow_until:
            await self._slowly(way, data, writer)
            return
        if way.exchanges:
            way.exchanges -= 1
            data = await reader.read(CHUNK_BYTES) + data
        writer.write(data)
        if way.doubles:
            way.doubles -= 1
            writer.write(data)
        await writer.drain()

    async def _slowly(self, way: Way, data: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), SLOW_BYTES):
            writer.write(data[start : start + SLOW_BYTES])
            await writer.drain()
            now = _clock.monotonic_seconds()
            if now < way.slow_until:
                await _clock.wait_until(now + SLOW_STEP_SECONDS)
