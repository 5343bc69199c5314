"""Bytes go through as they are, and each fault spoils what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from coterie.base.clock import SystemClock
from coterie.trials.torture.proxy import HOST, SLOW_BYTES, Proxy

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

PATIENCE_SECONDS = 10.0
clock = SystemClock()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


class Caller:
    """A connection by way of the proxy to a server that says everything back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readexactly(count)

    async def ended(self) -> bool:
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.reader.read() == b""
        return True

    async def end(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, HOST, 0)
    proxy = Proxy()
    await proxy.start()
    proxy.targets.append(server.sockets[0].getsockname()[1])
    yield proxy
    await proxy.close()
    server.close()
    await server.wait_closed()


@pytest_asyncio.fixture
async def caller(proxy: Proxy) -> AsyncIterator[Caller]:
    caller = Caller(*await asyncio.open_connection(HOST, proxy.port))
    await caller.say(b"first")
    assert await caller.hear(5) == b"first"
    yield caller
    await caller.end()


async def test_what_is_cut_ends_and_the_next_goes_through(proxy: Proxy, caller: Caller) -> None:
    proxy.cut()
    assert await caller.ended()
    again = Caller(*await asyncio.open_connection(HOST, proxy.port))
    await again.say(b"again")
    assert await again.hear(5) == b"again"
    await again.end()


async def test_a_stalled_way_says_nothing_until_it_is_healed(proxy: Proxy, caller: Caller) -> None:
    proxy.ways[0].stalled = True
    await caller.say(b"lost")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await caller.reader.read(1)
    proxy.heal()
    assert await caller.ended()


async def test_a_piece_is_said_twice(proxy: Proxy, caller: Caller) -> None:
    proxy.ways[0].doubles = 1
    await caller.say(b"twice")
    assert await caller.hear(10) == b"twicetwice"


async def test_two_pieces_change_places(proxy: Proxy, caller: Caller) -> None:
    proxy.ways[0].exchanges = 1
    await caller.say(b"one")
    await clock.wait_until(clock.monotonic_seconds() + 0.1)
    await caller.say(b"two")
    assert await caller.hear(6) == b"twoone"


async def test_what_is_late_comes_later(proxy: Proxy, caller: Caller) -> None:
    began = clock.monotonic_seconds()
    proxy.late_seconds, proxy.late_until = 0.2, began + 60
    await caller.say(b"late")
    assert await caller.hear(4) == b"late"
    assert clock.monotonic_seconds() - began >= 0.2


async def test_a_slow_reader_gets_everything_a_little_at_a_time(proxy: Proxy, caller: Caller) -> None:
    began = clock.monotonic_seconds()
    proxy.ways[0].slow_until = began + 60
    said = bytes(range(256)) * (3 * SLOW_BYTES // 256)
    await caller.say(said)
    assert await caller.hear(len(said)) == said
    assert clock.monotonic_seconds() - began >= 0.2


async def test_without_a_server_nobody_answers(proxy: Proxy) -> None:
    proxy.targets.clear()
    caller = Caller(*await asyncio.open_connection(HOST, proxy.port))
    assert await caller.ended()
    await caller.end()


async def test_servers_take_turns_and_only_the_ways_to_one_are_cut(proxy: Proxy, caller: Caller) -> None:
    other = await asyncio.start_server(_echo, HOST, 0)
    port = other.sockets[0].getsockname()[1]
    proxy.targets.append(port)
    callers = [Caller(*await asyncio.open_connection(HOST, proxy.port)) for _ in range(2)]
    for each in callers:
        await each.say(b"here")
        assert await each.hear(4) == b"here"
    assert sorted(way.target_port == port for way in proxy.ways) == [False, False, True]
    proxy.cut(port)
    (cut,) = [each for each, way in zip(callers, proxy.ways[1:], strict=True) if way.target_port == port]
    assert await cut.ended()
    await caller.say(b"still")
    assert await caller.hear(5) == b"still"
    for each in callers:
        await each.end()
    other.close()
    await other.wait_closed()


async def test_a_black_hole_lets_in_and_says_nothing_until_it_is_healed(proxy: Proxy, caller: Caller) -> None:
    proxy.silence()
    new = Caller(*await asyncio.open_connection(HOST, proxy.port))
    for each in (caller, new):
        await each.say(b"lost")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await each.reader.read(1)
    proxy.heal()
    assert await caller.ended()
    assert await new.ended()
    await new.end()
