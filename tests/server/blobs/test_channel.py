"""The second channel over real TLS: who comes in, what comes whole, what is refused; and messages go on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.invite import parse_invite
from coterie.server.settings import ReadyLine, ServerSettings
from coterie.wire.frames import Accepted, DeleteAccount, Ping, Pong
from coterie.wire.frames.blobs import BlobChunk, BlobRead, BlobWanted, DropBlob, GetBlob, PutBlob
from coterie.wire.frames.shared import Refusal
from tests.server.blobs.raw_blob_client import RawBlobClient, blob_client
from tests.server.people import Person
from tests.server.prometheus import Scrape
from tests.server.raw_client import RawClient, connected
from tests.server.test_gateway import NOW_MS, connect, page, serving

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

CHUNK = limits.BLOB_CHUNK_BYTES


class Place:
    """A server, a client that is signed in on the first channel, and how others come in."""

    def __init__(self, line: ReadyLine, first: RawClient, person: Person) -> None:
        self.line = line
        self.invite = parse_invite(line.invite)
        self.first = first
        self.person = person

    async def figures(self) -> Scrape:
        return Scrape((await page(self.line, "/metrics")).partition("\r\n\r\n")[2])

    async def second(self) -> RawBlobClient:
        client = await blob_client(self.invite)
        await client.sign_in(self.person.device)
        return client


@asynccontextmanager
async def place_in(folder: Path, person: Person) -> AsyncIterator[Place]:
    async with serving(ServerSettings(data=folder)) as line:
        first = await connect(line)
        assert isinstance(await first.ask(person.sign_up()), Accepted)
        await first.sign_in(person.device)
        yield Place(line, first, person)


def code_of(frame: object) -> Code:
    assert isinstance(frame, Refusal), frame
    return Code(frame.code)


async def test_a_file_goes_up_and_comes_down_by_another_device_and_goes(
    folder: Path, fresh_alice: Person, fresh_bob: Person
) -> None:
    content = os.urandom(2 * limits.BLOB_READ_BYTES + 3)
    async with place_in(folder, fresh_alice) as place:
        up = await place.second()
        blob = await up.upload(content)
        assert [file.stat().st_size for file in (folder / "blobs").iterdir() if file.is_file()] == [
            len(content)
        ]
        put, answer = await up.begin(content, blob)
        assert answer == Accepted(put.request, 0), "it is there already"
        bobs = await connected(place.invite, NOW_MS)
        assert isinstance(await bobs.ask(fresh_bob.sign_up()), Accepted)
        await bobs.sign_in(fresh_bob.device)
        down = await blob_client(place.invite)
        await down.sign_in(fresh_bob.device)
        got = b""
        while len(got) < len(content):
            part = await down.get(blob, len(got), limits.BLOB_READ_BYTES)
            assert isinstance(part, bytes)
            got += part
        assert got == content
        assert await down.get(blob, len(content), 1) == b""
        assert code_of(await down.ask(DropBlob(90, blob))) is Code.UNKNOWN_FILE, "it is not theirs"
        assert await up.ask(DropBlob(91, blob)) == Accepted(91, 0)
        assert await down.get(blob, 0, 1) is Code.UNKNOWN_FILE
        assert [file for file in (folder / "blobs").iterdir() if file.is_file()] == []


async def test_nothing_goes_before_a_device_of_this_run_has_proven_itself(
    folder: Path, fresh_alice: Person
) -> None:
    device = fresh_alice.device
    async with place_in(folder, fresh_alice) as place:
        client = await blob_client(place.invite)
        other_channel = device.prove_blobs(client.challenge, client.tls_key, domain=Domain.PROVE_DEVICE)
        assert code_of(await client.ask(other_channel)) is Code.WRONG_CREDENTIALS
        assert await client.ended() is None
        client = await blob_client(place.invite)
        stranger = Person(fresh_alice.identity, "stranger").device
        answer = await client.ask(stranger.prove_blobs(client.challenge, client.tls_key))
        assert code_of(answer) is Code.UNKNOWN_DEVICE
        open_one = await place.second()
        device.restart()
        client = await blob_client(place.invite)
        answer = await client.ask(device.prove_blobs(client.challenge, client.tls_key))
        assert code_of(answer) is Code.NOT_SIGNED_IN, "the first channel has not heard of this start"
        await place.first.close()
        first = await connected(place.invite, NOW_MS)
        await first.sign_in(device)
        await place.second()
        assert await open_one.get(bytes(16), 0, 1) is Code.NOT_SIGNED_IN, "that start is over"
        assert await open_one.ended() is None


async def test_a_file_that_is_not_as_was_said_is_refused_and_the_next_one_taken(
    folder: Path, fresh_alice: Person
) -> None:
    content = os.urandom(3 * CHUNK)
    async with place_in(folder, fresh_alice) as place:
        client = await place.second()
        put, wanted = await client.begin(content)
        assert isinstance(wanted, BlobWanted)
        client.give(put, content[:-1] + bytes([content[-1] ^ 1]))
        assert code_of(await client.next()) is Code.BAD_FILE
        assert await client.get(put.blob, 0, 1) is Code.UNKNOWN_FILE
        put, _ = await client.begin(content[:10], put.blob, size=9)
        client.say(BlobChunk(put.request, 0, content[:10]))
        assert code_of(await client.next()) is Code.BAD_FILE
        blob = await client.upload(content, put.blob)
        assert await client.get(blob, CHUNK, 5) == content[CHUNK : CHUNK + 5]
        client.say(BlobChunk(77, 0, b"of no upload"))
        assert await client.ended() is Code.UNEXPECTED_FRAME


async def test_who_has_no_room_or_rate_or_disk_is_told_before_anything_is_sent(
    folder: Path, fresh_alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place_in(folder, fresh_alice) as place:
        client = await place.second()
        monkeypatch.setattr(limits, "BLOB_BYTES_PER_ACCOUNT", 100)
        assert code_of((await client.begin(bytes(101)))[1]) is Code.FILES_FULL
        await client.upload(bytes(100))
        assert code_of((await client.begin(bytes(1)))[1]) is Code.FILES_FULL
        monkeypatch.setattr(limits, "BLOB_SPARE_BYTES", 1 << 60)
        assert code_of((await client.begin(bytes(1)))[1]) is Code.LOW_DISK
        place.first.say(Ping(5))
        assert (await place.first.next(Pong)).nonce == 5, "messages go on"
        put = PutBlob(50, bytes(16), limits.BLOB_BYTES, bytes(32))
        answers = [
            code_of(await client.ask(put))
            for _ in range(int(limits.BLOB_BYTES_BURST) // limits.BLOB_BYTES + 1)
        ]
        assert answers[0] is Code.LOW_DISK
        assert answers[-1] is Code.BUSY


async def test_an_upload_that_breaks_off_leaves_nothing_and_may_begin_again(
    folder: Path, fresh_alice: Person
) -> None:
    content = os.urandom(5 * CHUNK)
    async with place_in(folder, fresh_alice) as place:
        client = await place.second()
        put, _ = await client.begin(content)
        client.say(BlobChunk(put.request, 0, content[:CHUNK]))
        second = await place.second()
        assert code_of((await second.begin(content, put.blob))[1]) is Code.BUSY
        await client.close()
        async with asyncio.timeout(20):
            while isinstance((begun := await second.begin(content, put.blob))[1], Refusal):
                pass
        second.give(begun[0], content)
        assert await second.next() == Accepted(begun[0].request, 0)
        assert await second.get(put.blob, 0, 10) == content[:10]
        assert list((folder / "blobs" / "coming").iterdir()) == []


async def test_garbage_ends_a_connection_and_no_other(folder: Path, fresh_alice: Person) -> None:
    async with place_in(folder, fresh_alice) as place:
        fine = await place.second()
        for garbage in (b"", os.urandom(50), b"\0" * (limits.BLOB_MESSAGE_BYTES + 1)):
            client = await place.second()
            client.throw(garbage)
            assert await client.ended() is Code.BAD_FRAME
        client = await blob_client(place.invite)
        client.throw(fine.session.send(DropBlob(9, bytes(16))))
        assert await client.ended() is Code.UNEXPECTED_FRAME
        assert await fine.get(bytes(16), 0, 1) is Code.UNKNOWN_FILE


async def test_so_many_connections_of_a_device_and_of_strangers_and_no_more(
    folder: Path, fresh_alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = fresh_alice.device
    async with place_in(folder, fresh_alice) as place:
        opened = [await place.second() for _ in range(limits.BLOB_CONNECTIONS_PER_DEVICE)]
        client = await blob_client(place.invite)
        assert code_of(await client.ask(device.prove_blobs(client.challenge, client.tls_key))) is Code.BUSY
        await client.ended()
        monkeypatch.setattr(limits, "BLOB_CONNECTIONS_MAX", len(opened) + 1)
        await blob_client(place.invite)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await blob_client(place.invite)


async def test_who_does_not_take_what_was_asked_for_holds_up_nobody(
    folder: Path, fresh_alice: Person
) -> None:
    content = os.urandom(limits.BLOB_READ_BYTES)
    async with place_in(folder, fresh_alice) as place:
        client, other = await place.second(), await place.second()
        blob = await client.upload(content)
        client.transport.underlying_transport.pause_reading()
        for request in range(10, 40):
            client.say(GetBlob(request, blob, 0, len(content)))
        assert await other.get(blob, 0, len(content)) == content
        place.first.say(Ping(6))
        assert (await place.first.next(Pong)).nonce == 6
        client.transport.underlying_transport.resume_reading()
        got = 0
        while not isinstance(frame := await client.next(), BlobRead) or frame.request < 39:
            got += len(frame.content) if isinstance(frame, BlobChunk) else 0
        assert got == 30 * len(content)


async def test_a_device_that_is_revoked_is_out_with_its_next_request(
    folder: Path, fresh_alice: Person
) -> None:
    async with place_in(folder, fresh_alice) as place:
        client = await place.second()
        assert isinstance(await place.first.ask(DeleteAccount(21, fresh_alice.deletion().pack())), Accepted)
        client.say(DropBlob(9, bytes(16)))
        assert await client.ended() is Code.DELETED


async def test_what_goes_through_it_is_counted(folder: Path, fresh_alice: Person) -> None:
    content = os.urandom(2 * CHUNK + 5)
    async with place_in(folder, fresh_alice) as place:
        client = await place.second()
        blob = await client.upload(content)
        assert await client.get(blob, CHUNK, 7) == content[CHUNK : CHUNK + 7]
        assert await client.get(bytes(16), 0, 1) is Code.UNKNOWN_FILE
        put, _ = await client.begin(bytes(10))
        told = await place.figures()
        assert told["coterie_file_uploads_total"] == 1
        assert told["coterie_file_received_bytes_total"] == len(content)
        assert (told["coterie_file_reads_total"], told["coterie_file_sent_bytes_total"]) == (1, 7)
        assert told.of("coterie_file_refusals_total", 'code="unknown-file"') == 1
        assert told.of("coterie_file_refusals_total", 'code="low-disk"') == 0
        assert (told["coterie_file_connections"], told["coterie_file_uploads_under_way"]) == (1, 1)
        client.give(put, bytes(10))
        assert await client.next() == Accepted(put.request, 0)
        async with asyncio.timeout(20):
            while (told := await place.figures())["coterie_files_kept"] < 2:
                """As of the second after a look."""
        assert told["coterie_files_kept_bytes"] == len(content) + 10
