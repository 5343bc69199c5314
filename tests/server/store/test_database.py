"""What is particular to SQLite: settings that hold, migrations, a disk that is full."""

from __future__ import annotations

import stat
from pathlib import Path

import apsw
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.database import PAGE_BYTES, Database
from coterie.server.store.sqlite import SqliteStore
from coterie.server.store.steps import Step, known_steps
from tests.server.town import Resident, log_seqs, save, say, settle_in, talk


def test_what_is_committed_is_on_disk_and_nobody_else_reads_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "server.db")
    assert database.one("PRAGMA synchronous") == (2,)
    assert database.one("PRAGMA journal_mode") == ("wal",)
    database.run("PRAGMA user_version = 1; PRAGMA user_version = 7")
    assert database.number("PRAGMA user_version") == 7, "also behind the first statement"
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    database.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    steps = known_steps()
    Database(path, (*steps, Step(len(steps) + 1, "CREATE TABLE later (no INTEGER)"))).close()
    with pytest.raises(Unavailable) as caught:
        Database(path)
    assert caught.value.code is Code.NEWER_SCHEMA


def test_an_older_schema_is_carried_on(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    steps = known_steps()
    Database(path, steps).close()
    more = Step(len(steps) + 1, "CREATE TABLE later (no INTEGER); INSERT INTO later VALUES (5)")
    database = Database(path, (*steps, more))
    assert database.number("SELECT no FROM later") == 5
    database.close()


def test_a_migration_that_fails_midway_leaves_all_and_a_copy_beside(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    first = Step(1, "CREATE TABLE one (no INTEGER)")
    database = Database(path, (first,))
    database.run("INSERT INTO one VALUES (7)")
    database.close()
    broken = Step(2, "DELETE FROM one; CREATE TABLE two (no INTEGER); CREATE TABLE one (no INTEGER)")
    with pytest.raises(Exception, match="used wrongly"):
        Database(path, (first, broken))
    copy = tmp_path / "server.db.before-002"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    for file in (path, copy):
        database = Database(file, (first,))
        assert database.number("SELECT no FROM one") == 7
        assert database.all("SELECT name FROM sqlite_master WHERE name = 'two'") == []
        database.close()


def test_the_copy_before_the_last_migration_stays(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    steps = [Step(number, f"CREATE TABLE t{number} (no INTEGER)") for number in (1, 2, 3)]
    Database(path, tuple(steps[:1])).close()
    assert [file.name for file in tmp_path.iterdir()] == ["server.db"]
    Database(path, tuple(steps)).close()
    Database(path, tuple(steps)).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["server.db", "server.db.before-003"]
    kept = Database(tmp_path / "server.db.before-003", tuple(steps[:2]))
    kept.close()


def test_a_migration_that_was_changed_afterwards_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    Database(path, (Step(1, "CREATE TABLE one (no INTEGER)"),)).close()
    with pytest.raises(Unavailable, match="migration 1"):
        Database(path, (Step(1, "CREATE TABLE two (no INTEGER)"),))


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    good = Step(1, "CREATE TABLE one (no INTEGER)")
    with pytest.raises(Exception, match="used wrongly"):
        Database(path, (good, Step(2, "CREATE TABLE two (no INTEGER); GARBAGE")))
    database = Database(path, (good,))
    assert database.all("SELECT name FROM sqlite_master WHERE name = 'two'") == []
    database.close()


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(Unavailable, match="damaged"):
        Database(path)
    with pytest.raises(Unavailable, match="cannot be opened"):
        Database(tmp_path / "missing" / "server.db")


@pytest.mark.asyncio
async def test_a_full_disk_refuses_the_batch_and_forgets_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "server.db")
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    pages = store._file.number("PRAGMA page_count")
    store._file.run(f"PRAGMA max_page_count = {pages}")
    large = alice.device.message(conversation, bob.account, ciphertext=bytes(400_000))
    with pytest.raises(Unavailable) as caught:
        await save(store, large)
    assert caught.value.code is Code.DISK
    store._file.run(f"PRAGMA max_page_count = {pages + 1000}")
    assert await say(store, alice.device, large) == 2
    assert await log_seqs(store, conversation) == [1, 2]
    await store.close()


@pytest.mark.asyncio
async def test_a_new_file_has_large_pages_and_an_older_one_keeps_its_own(tmp_path: Path) -> None:
    new = Database(tmp_path / "new.db")
    assert new.number("PRAGMA page_size") == PAGE_BYTES
    new.close()
    path = tmp_path / "old.db"
    old = apsw.Connection(str(path))
    for pragma in ("page_size = 4096", "journal_mode = wal", "user_version = 1"):
        old.execute(f"PRAGMA {pragma}").fetchall()
    old.close()
    store = SqliteStore(path)
    await settle_in(store, Resident("alice"))
    assert store._file.number("PRAGMA page_size") == 4096
    await store.close()
