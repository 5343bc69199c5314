"""Opening: settings that hold, migrations, and what is said of a file that is not what it should be."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.client.events import MessageState
from coterie.client.store.database import Step, discard_database, known_steps, open_database, run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import (
    Delivered,
    OlmRow,
    OutboxRow,
    OutboxState,
    PruneOutbox,
    PutSetting,
    Setting,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import ACCOUNTS, DEVICES, SESSIONS, message

STEPS = known_steps()
NEXT = len(STEPS) + 1
SECOND = Step(
    NEXT,
    "ALTER TABLE message ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;\nCREATE INDEX p ON message (pinned);",
)
THIRD = Step(NEXT + 1, "CREATE TABLE more (a TEXT) STRICT")


def refused(place: ProfilePlace, key: bytes = DATABASE_KEY) -> Unavailable:
    with pytest.raises(Unavailable) as raised:
        ClientStore.open(place, key)
    assert "database" in raised.value.note
    return raised.value


def files(place: ProfilePlace) -> list[str]:
    return sorted(path.name for path in place.folder.iterdir())


def test_the_settings_of_an_open_database(store: ClientStore) -> None:
    def value(name: str) -> object:
        return run(store._database, f"PRAGMA {name}")[0][0]

    names = ["cipher", "locking_mode", "journal_mode", "synchronous", "temp_store", "secure_delete"]
    assert [value(name) for name in names] == ["chacha20", "exclusive", "wal", 2, 2, 1]


def test_files_are_for_their_owner_only(store: ClientStore, place: ProfilePlace) -> None:
    commit(store, message(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.folder.iterdir()}
    assert modes == {"keys": 0o600, "store.db": 0o600, "store.db-wal": 0o600}


def test_another_key_opens_nothing(place: ProfilePlace) -> None:
    assert refused(place, bytes(32)).code is Code.DAMAGED
    with pytest.raises(LocalError):
        ClientStore.open(place, b"short")
    ClientStore.open(place, DATABASE_KEY).close()


@pytest.fixture
def closed(place: ProfilePlace) -> ProfilePlace:
    """A profile with some messages, nobody has it open."""
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, *(message(order, "word " * 100) for order in range(1, 50)))
    store.close()
    return place


def read_everything(place: ProfilePlace) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    try:
        store.search("word", 100)
        store.history(message(1).conversation, 100, None)
        assert store._rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        store.close()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 100, 1024, 4095, 4096, 40_000, -4096, -20_001])
def test_a_cut_off_database(closed: ProfilePlace, size: int) -> None:
    read_everything(closed)
    closed.database.write_bytes(closed.database.read_bytes()[:size])
    with pytest.raises(Unavailable) as raised:
        read_everything(closed)
    assert raised.value.code is Code.DAMAGED


@pytest.mark.parametrize("place_of_damage", [0, 20, 5000, 50_000])
def test_a_changed_byte_is_noticed(closed: ProfilePlace, place_of_damage: int) -> None:
    data = bytearray(closed.database.read_bytes())
    data[place_of_damage] ^= 1
    closed.database.write_bytes(data)
    with pytest.raises(Unavailable) as raised:
        read_everything(closed)
    assert raised.value.code is Code.DAMAGED


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(4080)])
def test_something_else_in_the_place_of_the_database(place: ProfilePlace, content: bytes) -> None:
    place.database.write_bytes(content)
    assert refused(place).code is Code.DAMAGED
    assert place.database.read_bytes() == content


def test_a_missing_database_is_not_made_anew(place: ProfilePlace) -> None:
    place.database.unlink()
    assert refused(place).code is Code.DISK
    assert files(place) == ["keys"]


def test_a_folder_in_the_place_of_the_database(place: ProfilePlace) -> None:
    place.database.unlink()
    place.database.mkdir()
    assert refused(place).code is Code.DISK


def test_what_died_before_its_keys_were_written_is_made_anew(place: ProfilePlace) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, PutSetting(Setting.RUN, b"old"))
    store.close()
    place.key_file.unlink()
    again = ClientStore.open(place, b"k" * 32)
    assert again.setting(Setting.RUN) is None
    again.close()


def test_migrations_keep_what_is_there_and_a_snapshot_for_one_run(place: ProfilePlace) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, message(1))
    store.close()
    assert files(place) == ["keys", "store.db"]
    connection = open_database(place.database, DATABASE_KEY, (*STEPS, SECOND, THIRD))
    assert run(connection, 'SELECT "order", pinned FROM message') == [(1, 0)]
    connection.close()
    snapshots = [f"store.db.before-{number:03}" for number in (NEXT, NEXT + 1)]
    assert files(place) == ["keys", "store.db", *snapshots]
    snapshot = place.folder / snapshots[0]
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600
    assert b"SQLite" not in snapshot.read_bytes()[:100]
    before = ClientStore(open_database(snapshot, DATABASE_KEY, STEPS))
    assert before.message(1) == message(1)
    before.close()
    open_database(place.database, DATABASE_KEY, (*STEPS, SECOND, THIRD)).close()
    assert files(place) == ["keys", "store.db"]


def test_a_newer_schema_is_left_alone(place: ProfilePlace) -> None:
    open_database(place.database, DATABASE_KEY, (*STEPS, SECOND)).close()
    assert refused(place).code is Code.NEWER_SCHEMA
    changed = Step(NEXT, SECOND.sql + " ")
    with pytest.raises(Unavailable) as raised:
        open_database(place.database, DATABASE_KEY, (*STEPS, changed))
    assert raised.value.code is Code.NEWER_SCHEMA


def test_a_migration_that_fails_changes_nothing(place: ProfilePlace) -> None:
    snapshot = f"store.db.before-{NEXT:03}"
    broken = Step(NEXT, SECOND.sql + "; CREATE TABLE message (a)")
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, message(1))
    store.close()
    with pytest.raises(LocalError):
        open_database(place.database, DATABASE_KEY, (*STEPS, broken))
    assert files(place) == ["keys", "store.db", snapshot], "and what was before is there twice"
    for database in (place.folder / snapshot, place.database):
        left = ClientStore(open_database(database, DATABASE_KEY, STEPS))
        assert left.message(1) == message(1)
        left.close()
    assert files(place) == ["keys", "store.db"]


def test_a_value_of_a_newer_version(place: ProfilePlace) -> None:
    newer = ClientStore.open(place, DATABASE_KEY)
    commit(newer, message(1))
    run(newer._database, "UPDATE message SET state = 'read'")
    newer.close()
    store = ClientStore.open(place, DATABASE_KEY)
    with closing(store), pytest.raises(Unavailable) as raised:
        store.message(1)
    assert raised.value.code is Code.NEWER_SCHEMA


@contextmanager
def no_file_may_grow_past(size: int) -> Iterator[None]:
    """The system refuses to write behind this many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_the_transaction_and_nothing_else(store: ClientStore, place: ProfilePlace) -> None:
    commit(store, message(1))
    log = Path(f"{place.database}-wal")
    with no_file_may_grow_past(log.stat().st_size + 20_000), pytest.raises(Unavailable) as raised:
        commit(store, *(message(order, os.urandom(2000).hex()) for order in range(2, 30)))
    assert raised.value.code is Code.DISK
    assert [row.order for row in store.history(message(1).conversation, 50, None)] == [1]
    commit(store, message(2))
    store.close()
    again = ClientStore.open(place, DATABASE_KEY)
    assert again.last_order() == 2
    again.close()


def test_a_store_of_the_first_step_keeps_what_it_has(place: ProfilePlace) -> None:
    """Sessions, the outbox and what is delivered: their tables and indexes are others now."""
    olm = OlmRow(b"s" * 32, ACCOUNTS[0], DEVICES[0], b"pickle", 1, 0)
    said = message(1, own=True, state=MessageState.SENT, session=SESSIONS[0], index=0)
    kept = OutboxRow(1, said.conversation, said.message, OutboxState.SENT, 5)
    discard_database(place.database)
    open_database(place.database, DATABASE_KEY, STEPS[:1], new=True).close()
    first = ClientStore(open_database(place.database, DATABASE_KEY, STEPS[:1]))
    commit(first, olm, said, kept, Delivered(SESSIONS[0], 0, 3))
    first.close()
    store = ClientStore.open(place, DATABASE_KEY)
    assert "store.db.before-002" in files(place)
    assert (store.olm_sessions(DEVICES[0]), store.outbox_row(1)) == ([olm], kept)
    row = store.message(1)
    assert row is not None
    assert row.state is MessageState.DELIVERED
    commit(store, PruneOutbox(6))
    assert store.outbox_row(1) is None
    store.close()
