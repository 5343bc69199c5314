"""The server behind its real port: TLS, WebSocket, strangers, metrics, goodbye."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from picows import WSError, WSMsgType

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import log_of
from coterie.base.invite import Invite, parse_invite
from coterie.server.serve import serve
from coterie.server.settings import ReadyLine, ServerSettings
from coterie.wire.frames import Accepted, Ack, LogEntries, Ping, Pong, Refusal
from coterie.wire.frames.shared import Position
from tests.server.people import Person
from tests.server.raw_client import RawClient, connected

NOW_MS = SystemClock().wall_ms()


@asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[ReadyLine]:
    """A server in this loop; cancelled at the end, which ends it as orderly as SIGTERM does."""
    ready: asyncio.Future[ReadyLine] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(settings, ready.set_result))
        task.add_done_callback(lambda _: ready.done() or ready.cancel())
        yield await ready
        task.cancel()


async def connect(line: ReadyLine) -> RawClient:
    return await connected(parse_invite(line.invite), NOW_MS)


@pytest.mark.asyncio
async def test_a_message_goes_from_one_to_the_other_over_tls(
    folder: Path, fresh_alice: Person, fresh_bob: Person
) -> None:
    alice, bob = fresh_alice, fresh_bob
    async with serving(ServerSettings(data=folder)) as line:
        alices, bobs = await connect(line), await connect(line)
        assert alices.tls_version == "TLSv1.3"
        for client, person in ((alices, alice), (bobs, bob)):
            assert isinstance(await client.ask(person.sign_up()), Accepted)
            await client.sign_in(person.device)
        conversation = alice.direct_with(bob)
        before = bobs.messages_received
        alices.say(
            alice.device.share(conversation, bob.account, bob.device, request=2),
            alice.device.message(conversation, bob.account, request=3),
            alice.device.message(conversation, bob.account, request=4, ciphertext=bytes(4_000)),
        )
        answers = [await alices.next(Accepted) for _ in range(3)]
        assert [(answer.request, answer.seq) for answer in answers] == [(2, 0), (3, 1), (4, 2)]
        batch = await bobs.next(LogEntries)
        assert [entry.seq for entry in batch.entries] == [1, 2]
        assert bobs.messages_received == before + 1, "a turn is one message, where it is small"
        await alices.close()
        await bobs.close()


@pytest.mark.asyncio
async def test_messages_of_every_length_arrive_whole(
    folder: Path, fresh_alice: Person, fresh_bob: Person
) -> None:
    """On both sides of each bound: of what is copied, of a piece, of a length in two bytes."""
    alice, bob = fresh_alice, fresh_bob
    async with serving(ServerSettings(data=folder)) as line:
        alices, bobs = await connect(line), await connect(line)
        for client, person in ((alices, alice), (bobs, bob)):
            assert isinstance(await client.ask(person.sign_up()), Accepted)
            await client.sign_in(person.device)
        conversation = alice.direct_with(bob)
        share = alice.device.share(conversation, bob.account, bob.device, request=2)
        assert isinstance(await alices.ask(share), Accepted)
        around = (*range(690, 760, 20), *range(3_690, 3_790, 10), *range(65_200, 65_600, 30), 500_000)
        for request, size in enumerate(around, 3):
            sealed = secrets.token_bytes(size)
            send = alice.device.message(conversation, bob.account, request=request, ciphertext=sealed)
            assert isinstance(await alices.ask(send), Accepted)
            (entry,) = (await bobs.next(LogEntries)).entries
            assert entry.ciphertext == sealed
            bobs.say(Ack((Position(log_of(conversation), bobs.incarnation, entry.seq),)))
        await alices.close()
        await bobs.close()


@pytest.mark.asyncio
async def test_strangers_at_the_port_fill_no_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(ServerSettings(data=folder)) as line:
        place = parse_invite(line.invite)
        caplog.clear()
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + bytes(50), b""):
            reader, writer = await asyncio.open_connection(place.host, place.port)
            writer.write(garbage)
            writer.write_eof()
            async with asyncio.timeout(10):
                await reader.read()
            writer.close()
        with pytest.raises(WSError):
            await connected(place, NOW_MS, path="/other")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, OSError)):
            await asyncio.open_connection(place.host, place.port, ssl=old)
        client = await connect(line)
        client.say(Ping(1))
        assert isinstance(await client.next(Pong), Pong)
        await client.close()
        assert caplog.records == []


@pytest.mark.asyncio
async def test_what_is_no_binary_message_of_bearable_size_ends_the_connection(folder: Path) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        text, fragment, garbage, huge, good = [await connect(line) for _ in range(5)]
        text.transport.send(WSMsgType.TEXT, b"hello")
        fragment.transport.send(WSMsgType.BINARY, b"a", fin=False)
        garbage.transport.send(WSMsgType.BINARY, b"garbage")
        huge.transport.send(WSMsgType.BINARY, bytes(limits.FRAME_BYTES + 1000))
        for client in (text, fragment, garbage):
            assert await client.next(Refusal) == Refusal(0, "bad-frame")
        async with asyncio.timeout(10):
            for client in (text, fragment, garbage, huge):
                await client.gone.wait()
        good.say(Ping(1))
        assert isinstance(await good.next(Pong), Pong)
        await good.close()


@pytest.mark.asyncio
async def test_a_server_that_ends_says_so(folder: Path) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        client = await connect(line)
    async with asyncio.timeout(10):
        await client.gone.wait()
    assert client.close_code == 1001


async def page(line: ReadyLine, path: str) -> str:
    host, port = line.metrics.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.asyncio
async def test_health_and_metrics_are_there_on_loopback(folder: Path, fresh_alice: Person) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        assert "200 OK" in await page(line, "/healthz")
        assert "200 OK" in await page(line, "/readyz")
        assert "404" in await page(line, "/other")
        client = await connect(line)
        await client.ask(fresh_alice.sign_up())
        await client.sign_in(fresh_alice.device)
        text = await page(line, "/metrics")
        assert "coterie_connections 1" in text
        assert "coterie_people_online 1" in text
        assert "coterie_ledger_size" in text
        assert "alice" not in text
        await client.close()


@pytest.mark.asyncio
async def test_the_operator_s_certificate_is_used_and_named_in_the_statement(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        own = await connect(line)
        await own.close()
    elsewhere = tmp_path_factory.mktemp("operator")
    async with serving(ServerSettings(data=elsewhere)):
        pass
    pem = elsewhere / "tls.pem"
    async with serving(ServerSettings(data=folder, cert=pem, key=pem)) as line:
        client = await connect(line)
        assert client.tls_key != own.tls_key
        await client.close()


@pytest.mark.asyncio
async def test_a_certificate_that_cannot_be_used_is_a_mistake_of_the_operator(folder: Path) -> None:
    with pytest.raises(Refused) as caught:
        await serve(ServerSettings(data=folder, cert=folder / "missing", key=folder / "missing"), print)
    assert caught.value.code is Code.USAGE
    with pytest.raises(Refused, match="go together"):
        await serve(ServerSettings(data=folder, cert=folder / "server.db"), print)


@pytest.mark.asyncio
async def test_one_server_owns_a_folder_and_one_a_port(folder: Path, tmp_path: Path) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        with pytest.raises(Unavailable, match=r"process \d+ serves this data folder"):
            await serve(ServerSettings(data=folder), print)
        port = parse_invite(line.invite).port
        with pytest.raises(Unavailable, match="EADDRINUSE"):
            await serve(ServerSettings(data=tmp_path / "other", port=port), print)


@pytest.mark.asyncio
async def test_sign_up_is_open_on_loopback_only_unless_told(folder: Path) -> None:
    async with serving(ServerSettings(data=folder)) as line:
        assert parse_invite(line.invite).token == b""
    async with serving(ServerSettings(data=folder, open_signup=False)) as line:
        assert len(parse_invite(line.invite).token) == 16
    async with serving(ServerSettings(data=folder, host="0.0.0.0")) as line:
        invite = parse_invite(line.invite)
        assert len(invite.token) == 16
        assert invite.host != "0.0.0.0"
        assert line.listen == Invite("0.0.0.0", invite.port).place
    if socket.has_ipv6:
        async with serving(ServerSettings(data=folder, host="::1")) as line:
            assert line.listen.startswith("[::1]:")
            assert parse_invite(line.invite).token == b""
