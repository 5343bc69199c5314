"""A store that really speaks S3: keys, buckets, an end in the middle, and a server whose files lie there."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import BlobId
from coterie.server.blobs.object_store import PART_BYTES, ObjectBlobs
from coterie.server.settings import ServerSettings
from coterie.trials.engines import s3
from coterie.wire.frames import Accepted
from coterie.wire.frames.blobs import BlobWanted
from tests.server.blobs.raw_blob_client import blob_client
from tests.server.people import Person
from tests.server.test_gateway import connect, serving

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

CONTENT = os.urandom(100_000)
BLOB = BlobId(b"0123456789abcdef")


@pytest.fixture
def bucket(s3_store: s3.Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of the test's own, and who may use it."""
    for name, value in s3_store.environment().items():
        monkeypatch.setenv(name, value)
    made = f"test-{secrets.token_hex(8)}"
    s3_store.make_bucket(made)
    return made


async def whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def put(blobs: ObjectBlobs, blob: BlobId, content: bytes = CONTENT) -> None:
    await blobs.put(blob, len(content), hashlib.sha256(content).digest(), whole(content))


async def require_unavailable(blobs: ObjectBlobs) -> None:
    """Nothing goes there and nothing is said of what may lie there, least of all that it is gone."""
    for doing in (put(blobs, BLOB), blobs.read(BLOB, 0, 1), blobs.delete(BLOB), blobs.total_bytes()):
        with pytest.raises(Unavailable) as caught:
            await doing
        assert caught.value.code is Code.DISK


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_who_has_not_the_key_does_nothing(
    bucket: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mine = ObjectBlobs.at(f"s3://{bucket}/files")
    await put(mine, BLOB)
    monkeypatch.setenv(name, secrets.token_hex(20))
    await require_unavailable(ObjectBlobs.at(f"s3://{bucket}/files"))
    assert await mine.read(BLOB, 0, len(CONTENT)) == CONTENT


async def test_where_no_bucket_is_no_file_is_said_to_be_gone(bucket: str) -> None:
    await require_unavailable(ObjectBlobs.at(f"s3://{bucket}-of-another-name/files"))


async def test_a_store_that_ends_is_unavailable_and_then_has_what_it_took(
    s3_store: s3.Store, bucket: str
) -> None:
    blobs = ObjectBlobs.at(f"s3://{bucket}/files")
    await put(blobs, BLOB)
    given = os.urandom(2 * PART_BYTES + 1)
    other = BlobId(b"fedcba9876543210")

    async def broken_off() -> AsyncIterator[bytes]:
        yield given[:PART_BYTES]
        yield given[PART_BYTES : 2 * PART_BYTES]
        s3_store.stop()
        yield given[2 * PART_BYTES :]

    try:
        with pytest.raises(Unavailable):
            await blobs.put(other, len(given), hashlib.sha256(given).digest(), broken_off())
    finally:
        s3_store.start()
    assert await blobs.read(BLOB, 0, len(CONTENT)) == CONTENT
    with pytest.raises(Refused) as caught:
        await blobs.read(other, 0, 1)
    assert caught.value.code is Code.UNKNOWN_FILE, "nothing of it may be seen"
    await put(blobs, other, given)
    assert await blobs.read(other, 0, len(given)) == given


async def test_a_servers_files_go_up_and_come_down_from_there(
    folder: Path, fresh_alice: Person, bucket: str
) -> None:
    content = os.urandom(limits.BLOB_READ_BYTES - 1)
    settings = ServerSettings(data=folder, blobs=f"s3://{bucket}/files")
    async with serving(settings) as line:
        first = await connect(line)
        assert isinstance(await first.ask(fresh_alice.sign_up()), Accepted)
        await first.sign_in(fresh_alice.device)
        client = await blob_client(first.invite)
        await client.sign_in(fresh_alice.device)
        put_frame, wanted = await client.begin(content)
        assert isinstance(wanted, BlobWanted)
        client.give(put_frame, content[: len(content) // 2])
    async with serving(settings) as line:
        first = await connect(line)
        await first.sign_in(fresh_alice.device)
        client = await blob_client(first.invite)
        await client.sign_in(fresh_alice.device)
        assert await client.get(put_frame.blob, 0, 1) is Code.UNKNOWN_FILE
        assert await client.upload(content, put_frame.blob) == put_frame.blob
        assert await client.get(put_frame.blob, 5, len(content)) == content[5:]
        assert await ObjectBlobs.at(f"s3://{bucket}/files").total_bytes() == len(content)
        assert not any((folder / "blobs").glob("*")), "and none lies in its folder"
