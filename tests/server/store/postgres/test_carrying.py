"""From a SQLite file into a PostgreSQL: every row of every table, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from coterie.base.errors import Unavailable
from coterie.server.store.database import Database
from coterie.server.store.postgres.carrying import KEYS
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.results import Appended
from coterie.server.store.sqlite import SqliteStore
from tests.server.store.postgres.filling import ROWS, file_of_anything
from tests.server.town import Machine, Resident, log_seqs, save, say, settle_in, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def target(postgres_database: str) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(postgres_database)
    yield store
    await store.close()


@pytest.fixture
def source(tmp_path: Path) -> Database:
    return file_of_anything(tmp_path)


async def test_every_table_has_its_place(source: Database) -> None:
    tables = {row[0] for row in source.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"migrations"} == set(KEYS)


async def test_every_row_comes_over_and_a_second_time_none(source: Database, target: PostgresStore) -> None:
    assert await target.take_over(source) == ROWS * len(KEYS)
    assert await target.take_over(source) == ROWS * len(KEYS)
    source.close()


@pytest.mark.parametrize("table", ["facts", "log_entries", "speakers"])
async def test_a_database_that_holds_something_else_is_refused(
    source: Database, target: PostgresStore, postgres_database: str, table: str
) -> None:
    await target.take_over(source)
    connection = await asyncpg.connect(postgres_database)
    key = KEYS[table]
    await connection.execute(f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})")
    with pytest.raises(Unavailable, match=table):
        await target.take_over(source)
    await connection.execute(f"TRUNCATE {', '.join(KEYS)}")
    await connection.execute("INSERT INTO speakers VALUES (1)")
    with pytest.raises(Unavailable, match="facts"):
        await target.take_over(source)
    await connection.close()
    source.close()


async def test_life_goes_on_where_it_was(tmp_path: Path, target: PostgresStore) -> None:
    """Numbers are drawn behind those that came, retries are known, devices and people are there."""
    alice, bob, carol = Resident("alice"), Resident("bob"), Resident("carol")
    before = SqliteStore(tmp_path / "server.db")
    await settle_in(before, alice, bob, one_time=3)
    await talk(before, alice, bob)
    conversation = alice.direct_with(bob)
    old = alice.device.message(conversation, bob.account)
    await say(before, alice.device, old)
    await say(before, alice.device, alice.device.message(conversation, bob.account))
    await before.close()
    file = Database(tmp_path / "server.db")
    await target.take_over(file)
    file.close()
    again = await save(target, old)
    assert isinstance(again, Appended)
    assert (again.seq, again.entry) == (1, None)
    assert await say(target, alice.device, alice.device.message(conversation, bob.account)) == 3
    assert await log_seqs(target, conversation) == [1, 2, 3]
    await settle_in(target, carol)
    phone = Machine(bob.account)
    record = bob.change(phone)
    bob.changed(record, await save(target, record))
    assert await target.ledger_size() == 5
    await talk(target, carol, alice)
