"""What every place for blobs does: whole or not there, and what was said of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import BlobId
from coterie.server.blobs.object_store import PART_BYTES
from coterie.server.blobs.protocol import BlobStore
from tests.contracts.blobs.conftest import Open

CHUNK = 64 * 1024


def new_blob() -> BlobId:
    return BlobId(os.urandom(16))


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


async def cut(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


async def put(blobs: BlobStore, content: bytes, blob: BlobId | None = None) -> BlobId:
    blob = blob or new_blob()
    await blobs.put(blob, len(content), sha256(content), cut(content))
    return blob


async def is_unknown(blobs: BlobStore, blob: BlobId) -> bool:
    try:
        await blobs.read(blob, 0, 1)
    except Refused as error:
        assert error.code is Code.UNKNOWN_FILE
        return True
    return False


@pytest.mark.parametrize("size", [1, CHUNK, 3 * CHUNK + 1, PART_BYTES + CHUNK + 1])
@pytest.mark.asyncio
async def test_what_was_put_is_read_also_later(make: Open, size: int) -> None:
    content = os.urandom(size)
    blobs = await make()
    blob = await put(blobs, content)
    await blobs.close()
    again = await make()
    assert await again.read(blob, 0, size) == content
    assert await again.total_bytes() == size
    await again.close()


@pytest.mark.asyncio
async def test_any_range_can_be_read(blobs: BlobStore) -> None:
    content = os.urandom(1000)
    blob = await put(blobs, content)
    for start, size in ((0, 10), (10, 0), (990, 10), (990, 11), (999, 5000), (1000, 1), (5000, 5)):
        assert await blobs.read(blob, start, size) == content[start : start + size]


@pytest.mark.parametrize("said", ["more", "fewer", "other"])
@pytest.mark.asyncio
async def test_what_is_not_as_was_said_is_not_there(blobs: BlobStore, said: str) -> None:
    content = os.urandom(2 * CHUNK)
    size = len(content) + {"more": 1, "fewer": -1, "other": 0}[said]
    blob = new_blob()
    with pytest.raises(Refused) as caught:
        await blobs.put(blob, size, sha256(content + b"!" * (said == "other")), cut(content))
    assert caught.value.code is Code.BAD_FILE
    assert await is_unknown(blobs, blob)
    assert await blobs.total_bytes() == 0


@pytest.mark.asyncio
async def test_who_goes_away_in_between_leaves_nothing(blobs: BlobStore) -> None:
    content, blob, came = os.urandom(3 * CHUNK), new_blob(), asyncio.Event()

    async def stops() -> AsyncIterator[bytes]:
        yield content[:CHUNK]
        raise Refused(Code.REVOKED)

    async def waits() -> AsyncIterator[bytes]:
        yield content[:CHUNK]
        came.set()
        await asyncio.Event().wait()

    with pytest.raises(Refused) as caught:
        await blobs.put(blob, len(content), sha256(content), stops())
    assert caught.value.code is Code.REVOKED
    task = asyncio.get_running_loop().create_task(blobs.put(blob, len(content), sha256(content), waits()))
    await came.wait()
    assert await is_unknown(blobs, blob)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await is_unknown(blobs, blob)
    assert await blobs.total_bytes() == 0


@pytest.mark.asyncio
async def test_what_comes_is_not_there_before_it_is_whole(blobs: BlobStore) -> None:
    content, blob = os.urandom(PART_BYTES + 2 * CHUNK), new_blob()
    seen: list[bool] = []

    async def looks() -> AsyncIterator[bytes]:
        async for chunk in cut(content):
            yield chunk
        seen.append(await is_unknown(blobs, blob))

    await blobs.put(blob, len(content), sha256(content), looks())
    assert seen == [True]
    assert not await is_unknown(blobs, blob)


@pytest.mark.asyncio
async def test_a_blob_can_be_put_again(blobs: BlobStore) -> None:
    blob = await put(blobs, b"first")
    await put(blobs, b"second", blob)
    assert await blobs.read(blob, 0, 100) == b"second"
    assert await blobs.total_bytes() == 6


@pytest.mark.asyncio
async def test_what_is_deleted_is_gone_and_nothing_else(blobs: BlobStore) -> None:
    gone, kept = await put(blobs, b"gone"), await put(blobs, b"kept")
    await blobs.delete(gone)
    await blobs.delete(gone)
    assert await is_unknown(blobs, gone)
    assert await blobs.read(kept, 0, 4) == b"kept"
    assert await blobs.total_bytes() == 4


@pytest.mark.asyncio
async def test_many_come_at_once(blobs: BlobStore) -> None:
    contents = [os.urandom(2 * CHUNK + index) for index in range(10)]
    ids = await asyncio.gather(*[put(blobs, content) for content in contents])
    for blob, content in zip(ids, contents, strict=True):
        assert await blobs.read(blob, 0, 4 * CHUNK) == content
