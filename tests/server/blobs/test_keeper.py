"""Files between database and place: what goes when its time is over, and what a slow disk holds up."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import BlobId
from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.blobs.keeper import PRUNED_AT_ONCE, Keeper
from coterie.server.store.blobs import KEEP_COMING_MS
from coterie.server.store.sqlite import SqliteStore
from tests.contracts.server_store.test_endings import end_of
from tests.server.town import NOW_MS, Resident, save, settle_in

CONTENT = b"sealed"
SHA256 = hashlib.sha256(CONTENT).digest()


class Shed:
    """A store, a folder and their keeper."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self.store = store
        self.folder = folder / "blobs"
        self.clock = FakeClock(NOW_MS)
        self.losses = 0
        self.alice = Resident("alice")
        self.blobs = DirectoryBlobs(self.folder)
        self.keeper = Keeper(store, self.blobs, self.clock, self.lose)

    def lose(self) -> None:
        self.losses += 1

    async def upload(self, content: bytes = CONTENT) -> BlobId:
        blob = BlobId(os.urandom(16))
        assert not await self.keeper.begin(self.alice.device.id, blob, len(CONTENT), SHA256)
        await self.keeper.put(self.alice.device.id, blob, len(CONTENT), SHA256, chunks(content))
        return blob

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.is_file()}


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest_asyncio.fixture
async def shed(tmp_path: Path) -> AsyncIterator[Shed]:
    store = SqliteStore(tmp_path / "server.db")
    made = Shed(tmp_path, store)
    await settle_in(store, made.alice)
    yield made
    await made.blobs.close()
    await store.close()


async def use(shed: Shed) -> tuple[int, int]:
    row = await shed.store._db.one("SELECT files, bytes FROM blob_use")
    assert row is not None
    return row[0], row[1]


@pytest.mark.asyncio
async def test_a_file_goes_after_forty_days_with_its_row_and_its_room(shed: Shed) -> None:
    old = await shed.upload()
    shed.clock.advance(limits.KEEP_BLOB_MS / 1000)
    young = await shed.upload()
    assert not await shed.keeper.prune()
    assert shed.names == {old.hex(), young.hex()}
    shed.clock.advance(1.0)
    await shed.keeper.prune()
    assert shed.names == {young.hex()}
    assert await shed.store.blob(old) is None
    assert await use(shed) == (1, len(CONTENT))


@pytest.mark.asyncio
async def test_where_files_are_kept_longer_only_whole_ones_are(shed: Shed) -> None:
    longer = Keeper(shed.store, shed.blobs, shed.clock, shed.lose, kept_longer_ms=limits.DAY_MS)
    whole, begun = await shed.upload(), BlobId(os.urandom(16))
    await shed.keeper.begin(shed.alice.device.id, begun, len(CONTENT), SHA256)
    shed.clock.advance((limits.KEEP_BLOB_MS + limits.DAY_MS) / 1000)
    await longer.prune()
    assert shed.names == {whole.hex()}
    assert await shed.store.blob(begun) is None
    shed.clock.advance(1.0)
    await longer.prune()
    assert shed.names == set()


@pytest.mark.asyncio
async def test_what_came_to_nothing_leaves_no_row_and_no_room_used(shed: Shed) -> None:
    with pytest.raises(Refused) as caught:
        await shed.upload(b"other!")
    assert caught.value.code is Code.BAD_FILE
    assert await use(shed) == (0, 0)
    blob = BlobId(os.urandom(16))
    await shed.keeper.begin(shed.alice.device.id, blob, len(CONTENT), SHA256)
    shed.clock.advance(KEEP_COMING_MS / 1000 + 1)
    await shed.keeper.prune()
    assert await use(shed) == (0, 0), "the server was killed before it came"


@pytest.mark.asyncio
async def test_who_is_revoked_while_a_file_comes_has_not_uploaded_it(shed: Shed) -> None:
    blob = BlobId(os.urandom(16))

    async def revoked_meanwhile() -> AsyncIterator[bytes]:
        yield CONTENT
        await save(shed.store, end_of(shed.alice))

    await shed.keeper.begin(shed.alice.device.id, blob, len(CONTENT), SHA256)
    with pytest.raises(Refused) as caught:
        await shed.keeper.put(shed.alice.device.id, blob, len(CONTENT), SHA256, revoked_meanwhile())
    assert caught.value.code is Code.REVOKED
    await shed.keeper.prune()
    assert shed.names == set()
    assert await shed.store.blob(blob) is None


@pytest.mark.asyncio
async def test_many_go_a_part_at_a_time(shed: Shed) -> None:
    for _ in range(PRUNED_AT_ONCE + 1):
        await shed.upload()
    await save(shed.store, end_of(shed.alice))
    assert await shed.keeper.prune()
    assert len(shed.names) == 1
    assert not await shed.keeper.prune()
    assert shed.names == set()


@pytest.mark.asyncio
async def test_the_loop_goes_on_while_a_disk_takes_its_time(
    shed: Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An fsync that does not come back holds up this file and nothing else of the server."""
    import threading

    stuck, goes_on = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(handle: int) -> None:
        stuck.set()
        assert goes_on.wait(20)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    async with asyncio.TaskGroup() as group:
        upload = group.create_task(shed.upload())
        async with asyncio.timeout(20):
            while not stuck.is_set():
                await asyncio.sleep(0)
        assert await shed.store.ledger_size() >= 0, "messages are committed meanwhile"
        assert not upload.done()
        goes_on.set()
    assert shed.names == {upload.result().hex()}
