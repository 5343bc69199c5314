"""What is no TLS, no HTTP, no WebSocket and no protocol of ours: closed, and nobody else is troubled."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.settings import ServerSettings
from coterie.wire.codec import LENGTH_BYTES, VERSIONS, encode
from coterie.wire.frames import (
    Accept,
    Ack,
    ClientFrame,
    FetchLeaves,
    Frame,
    Hello,
    LoginProve,
    LoginStart,
    Ping,
    Pong,
    Refusal,
    Sync,
)
from coterie.wire.frames.shared import Position
from tests.server.people import Person
from tests.server.raw_client import RawClient
from tests.server.rude import Stranger, stranger_at, upgrade, ws_frame
from tests.server.test_gateway import connect, serving

HELLO = ws_frame(encode(Hello(VERSIONS)))

BEFORE_TLS = {
    "nothing at all": b"",
    "random bytes": secrets.token_bytes(3000),
    "half a ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20),
    "HTTP without TLS": upgrade(),
}

AFTER_TLS = {
    "nothing at all": b"",
    "random bytes": secrets.token_bytes(3000),
    "a request without an end": b"GET /v1 HTTP/1.1\r\nHost: x\r\n",
    "a line without an end": b"GET /" + b"v" * 200_000,
    "a thousand headers": b"GET /v1 HTTP/1.1\r\n" + b"x: y\r\n" * 1000 + b"\r\n",
    "no upgrade": b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "another version of WebSocket": upgrade(version=12),
    "another method": upgrade(method="POST"),
    "another path": upgrade("/v2"),
    "a path of control characters": upgrade("/\x00\x01\x7f"),
    "a body": upgrade("/v1", "Content-Length: 5") + b"hello",
    "a chunked body": upgrade("/v1", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
}

AFTER_UPGRADE = {
    "random bytes": secrets.token_bytes(3000),
    "a text": ws_frame(b"hello", opcode=1),
    "a first fragment": ws_frame(HELLO, fin=False),
    "a later fragment": ws_frame(HELLO, opcode=0),
    "a compressed frame": ws_frame(encode(Hello(VERSIONS)), rsv=4),
    "an extension nobody has": ws_frame(encode(Hello(VERSIONS)), rsv=1),
    "an opcode nobody has": ws_frame(b"", opcode=3),
    "a frame without a mask": ws_frame(encode(Hello(VERSIONS)), masked=False),
    "two megabytes": ws_frame(bytes(2 << 20)),
    "two megabytes announced": ws_frame(b"", length=2 << 20),
    "an exabyte announced": ws_frame(b"", length=1 << 62),
    "a length with its highest bit set": ws_frame(b"", length=1 << 63),
    "a megabyte of nothing": ws_frame(bytes(limits.FRAME_BYTES)),
    "an empty message": ws_frame(b""),
    "a ping that is too long": ws_frame(bytes(126), opcode=9),
    "a ping in fragments": ws_frame(b"", opcode=9, fin=False),
    "a close of one byte": ws_frame(b"x", opcode=8),
    "a close with a code nobody has": ws_frame(b"\x00\x05", opcode=8),
    "a close that is no text": ws_frame(b"\x03\xe8\xff\xfe", opcode=8),
    "a message that says to be longer": ws_frame((1 << 31).to_bytes(LENGTH_BYTES, "big") + b"x"),
    "a frame of nested rows": ws_frame(b"\x00\x00\x20\x00" + b"\x91" * 0x2000),
    "a frame of nested maps": ws_frame(b"\x00\x00\x20\x00" + b"\x81\xc0" * 0x1000),
    "too many frames": ws_frame(b"\x00\x00\x00\x00" * (limits.FRAMES_PER_MESSAGE + 1)),
    "another version": ws_frame(encode(Hello((99,)))),
    "hello twice": HELLO + HELLO,
    "a ping before hello": ws_frame(encode(Ping(1))),
    "a login before hello": ws_frame(encode(LoginStart(1, "alice"))),
    "a proof without a question": HELLO + ws_frame(encode(LoginProve(1, "alice", bytes(32)))),
    "a request before signing in": HELLO + ws_frame(encode(FetchLeaves(1, 0))),
    "a sync before signing in": HELLO + ws_frame(encode(Sync(()))),
    "request number zero": HELLO + ws_frame(encode(LoginStart(0, "alice"))),
    "what only a server says": HELLO + ws_frame(encode(Pong(1, 1))),
}


def _silent(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING


async def _throw(stranger: Stranger, data: bytes) -> bytes:
    stranger.say(data)
    return await stranger.hung_up_on()


@pytest.mark.asyncio
@pytest.mark.slow
async def test_whatever_a_stranger_says_ends_the_stranger_alone(
    folder: Path, fresh_alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """All at once: the longest of them has ten seconds until its TLS handshake counts as failed."""
    caplog.set_level(logging.INFO)
    async with serving(ServerSettings(data=folder)) as line:
        good = await connect(line)
        await good.ask(fresh_alice.sign_up())
        await good.sign_in(fresh_alice.device)
        caplog.clear()
        place = good.invite
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_throw(await stranger_at(place, with_tls=False), data))
                for data in BEFORE_TLS.values()
            ]
            tasks += [
                group.create_task(_throw(await stranger_at(place), data)) for data in AFTER_TLS.values()
            ]
            for data in AFTER_UPGRADE.values():
                stranger = await (await stranger_at(place)).upgraded()
                tasks.append(group.create_task(_throw(stranger, data)))
            while not all(task.done() for task in tasks):
                good.say(Ping(1))
                await good.next(Pong)
                await asyncio.wait(tasks, timeout=0.2, return_when=asyncio.ALL_COMPLETED)
        await good.close()
    assert [record.getMessage() for record in caplog.records if not _silent(record)] == []


LATER: dict[str, tuple[ClientFrame, ...]] = {
    "hello": (Hello(VERSIONS),),
    "a second sync": (Sync(()),),
    "a login": (LoginStart(9, "alice"),),
    "request number zero": (Accept(0, bytes(32)),),
    "wrong after right": (Ping(1), Sync(())),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("frames", LATER.values(), ids=LATER.keys())
async def test_frames_that_may_not_be_said_now_end_a_signed_in_device(
    folder: Path, fresh_alice: Person, frames: tuple[Frame, ...]
) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        client = await connect(line)
        await client.ask(fresh_alice.sign_up())
        await client.sign_in(fresh_alice.device)
        client.throw(encode(*frames))
        refusal = await _last_word(client)
        assert refusal == Refusal(0, Code.UNEXPECTED_FRAME.value)


async def _last_word(client: RawClient) -> Refusal:
    """The refusal that ends a connection."""
    while (refusal := await client.next(Refusal)).request:
        pass
    async with asyncio.timeout(10):
        await client.gone.wait()
    return refusal


Positions = Callable[[bytes], tuple[Position, ...]]
ODD: dict[str, Positions] = {
    "of another life": lambda _: (Position(b"m" + bytes(16), bytes(16), 1),),
    "far ahead": lambda life: (Position(b"m" + bytes(16), life, 1 << 62),),
    "of no stream": lambda life: (Position(b"\xff" * 17, life, 1),),
    "ten thousand times": lambda life: (Position(b"l" + bytes(16), life, 1),) * 10_000,
}


@pytest.mark.asyncio
@pytest.mark.parametrize("positions", ODD.values(), ids=ODD.keys())
async def test_acknowledgements_of_what_is_not_there_change_nothing(
    folder: Path, fresh_alice: Person, positions: Positions
) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        client = await connect(line)
        await client.ask(fresh_alice.sign_up())
        ready = await client.sign_in(fresh_alice.device)
        client.say(Ack(positions(client.incarnation)), Ping(1))
        assert isinstance(await client.next(Pong), Pong)
        await client.close()
        again = await connect(line)
        assert (await again.sign_in(fresh_alice.device)).ends == ready.ends
        await again.close()
