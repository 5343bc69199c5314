"""A disk that is full, write-protected or broken: said in words, nothing half done, all as before later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.store.backup_file import write_backup
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.sqlite import ClientStore
from coterie.server.store.database import Database
from coterie.server.store.sqlite import SqliteStore
from coterie.trials.disk import Fault, TrialDisk
from tests.client.store.places import DATABASE_KEY, commit, sample_key_file
from tests.client.store.samples import CONVERSATIONS, message
from tests.server.town import Resident, log_seqs, save, say, settle_in, talk
from tests.trials.disk.test_power_cuts import new_place

WORDS = {
    Fault.FULL: "no space is left",
    Fault.WRITE_PROTECTED: "write-protected",
    Fault.UNWRITABLE: "does not read or write",
    Fault.CANNOT_SYNC: "does not read or write",
}
"""What each fault of a disk that cannot be written is told as."""


@pytest.fixture
def disk() -> Iterator[TrialDisk]:
    with TrialDisk() as disk:
        yield disk


@pytest.fixture
def place(tmp_path: Path, disk: TrialDisk) -> ProfilePlace:
    place = new_place(tmp_path / "home")
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, message(1, "word " * 2000))
    store.close()
    return place


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("fault", WORDS)
def test_a_client_that_cannot_write_says_so_and_reads_on(
    place: ProfilePlace, disk: TrialDisk, fault: Fault
) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    disk.fault = fault
    for _ in range(2):
        with pytest.raises(Unavailable, match=WORDS[fault]) as raised:
            commit(store, message(2))
        assert raised.value.code is Code.DISK
        store.rollback()
        assert [row.order for row in store.history(CONVERSATIONS[0], 9, None)] == [1]
    disk.fault = None
    commit(store, message(2))
    store.close()
    again = ClientStore.open(place, DATABASE_KEY)
    assert [row.order for row in again.history(CONVERSATIONS[0], 9, None)] == [1, 2]
    again.close()


@pytest.mark.parametrize("fault", [Fault.WRITE_PROTECTED, Fault.UNREADABLE])
def test_a_client_that_cannot_open_leaves_all_as_it_is(
    place: ProfilePlace, disk: TrialDisk, fault: Fault
) -> None:
    before = content(place.folder)
    disk.fault = fault
    with pytest.raises(Unavailable, match=r"database|disk") as raised:
        ClientStore.open(place, DATABASE_KEY)
    assert raised.value.code is Code.DISK
    assert content(place.folder) == before


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.UNWRITABLE])
def test_a_backup_that_finds_no_room_leaves_nothing_and_the_store_goes_on(
    place: ProfilePlace, disk: TrialDisk, tmp_path: Path, fault: Fault
) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    (tmp_path / "stick").mkdir()
    disk.under, disk.fault = tmp_path / "stick", fault
    for _ in range(2):
        with pytest.raises(Unavailable) as raised:
            write_backup(tmp_path / "stick" / "backup", sample_key_file(), 1, store.copy_to)
        assert raised.value.code is Code.DISK
        assert list((tmp_path / "stick").iterdir()) == []
    commit(store, message(2))
    disk.fault = None
    assert write_backup(tmp_path / "stick" / "backup", sample_key_file(), 1, store.copy_to) > 10_000
    store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", WORDS)
async def test_a_server_that_cannot_write_refuses_and_serves_what_it_has(
    tmp_path: Path, disk: TrialDisk, fault: Fault
) -> None:
    path = tmp_path / "server.db"
    store = SqliteStore(path)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    second = alice.device.message(conversation, bob.account)
    disk.fault = fault
    for _ in range(2):
        with pytest.raises(Unavailable, match=WORDS[fault]) as raised:
            await save(store, second)
        assert raised.value.code is Code.DISK
        assert await log_seqs(store, conversation) == [1]
    disk.fault = None
    assert await say(store, alice.device, second) == 2
    await store.close()
    again = SqliteStore(path)
    assert await log_seqs(again, conversation) == [1, 2]
    await again.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", WORDS)
async def test_a_server_whose_disk_takes_nothing_stops_all_the_same(
    tmp_path: Path, disk: TrialDisk, fault: Fault
) -> None:
    store = SqliteStore(tmp_path / "server.db")
    alice = Resident("alice")
    await settle_in(store, alice)
    disk.fault = fault
    await store.close()
    disk.fault = None
    again = SqliteStore(tmp_path / "server.db")
    assert len(await again.leaves(0, 9)) == 2
    await again.close()


@pytest.mark.asyncio
async def test_what_a_server_cannot_read_is_unavailable_and_no_bug(tmp_path: Path, disk: TrialDisk) -> None:
    store = SqliteStore(tmp_path / "server.db")
    alice = Resident("alice")
    await settle_in(store, alice)
    store._file.run("PRAGMA wal_checkpoint(truncate); PRAGMA shrink_memory")
    store._file.run("PRAGMA cache_size = 0")
    disk.fault = Fault.UNREADABLE
    with pytest.raises(Unavailable) as raised:
        await store.leaves(0, 100)
    assert raised.value.code is Code.DISK
    disk.fault = None
    assert len(await store.leaves(0, 100)) == 2
    await store.close()


@pytest.mark.parametrize("fault", [Fault.WRITE_PROTECTED, Fault.UNREADABLE, Fault.FULL])
def test_a_server_that_cannot_begin_says_why(tmp_path: Path, disk: TrialDisk, fault: Fault) -> None:
    disk.fault = fault
    with pytest.raises(Unavailable) as raised:
        Database(tmp_path / "server.db")
    assert raised.value.code is Code.DISK
    disk.fault = None
    Database(tmp_path / "server.db").close()
