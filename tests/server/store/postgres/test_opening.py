"""Opening a database: migrations, and the lock of the one server."""

from __future__ import annotations

import asyncpg
import pytest

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.server.store.postgres import line
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import StoreLost
from coterie.server.store.records import PutFact
from coterie.server.store.steps import Step, known_steps
from tests.engines.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def opened_and_closed(url: str, *steps: Step) -> None:
    store = await PostgresStore.open(url, steps=(*known_steps("pg"), *steps))
    await store.close()


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    return {row[0] for row in rows}


async def test_both_databases_have_the_same_tables_and_columns(postgres_database: str) -> None:
    """In the same order: records are inserted by position."""
    connection = await asyncpg.connect(postgres_database)
    rows = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " ORDER BY table_name, ordinal_position"
    )
    await connection.close()
    import apsw

    memory = apsw.Connection(":memory:")
    memory.execute(known_steps()[0].sql)
    wanted = [
        (table, column)
        for (table,) in memory.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (column,) in memory.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))
    ]
    of_servers = ("migrations", "structure", "visits", "approvals", "approval_words", "tries")
    assert [tuple(row) for row in rows if row[0] not in of_servers] == wanted


async def test_a_newer_schema_is_refused(postgres_database: str) -> None:
    await opened_and_closed(postgres_database, Step(900, "CREATE TABLE later (no BIGINT)"))
    with pytest.raises(Unavailable) as caught:
        await PostgresStore.open(postgres_database)
    assert caught.value.code is Code.NEWER_SCHEMA


async def test_a_step_that_is_not_the_known_one_is_refused(postgres_database: str) -> None:
    await opened_and_closed(postgres_database, Step(900, "CREATE TABLE later (no BIGINT)"))
    with pytest.raises(Unavailable, match="migration 900"):
        await opened_and_closed(postgres_database, Step(900, "CREATE TABLE another (no BIGINT)"))


async def test_a_step_that_fails_leaves_nothing_of_it_and_all_before_it(postgres_database: str) -> None:
    good = Step(900, "CREATE TABLE good (no BIGINT)")
    bad = Step(901, "CREATE TABLE half (no BIGINT); CREATE TABLE good (no BIGINT)")
    with pytest.raises(LocalError):
        await opened_and_closed(postgres_database, good, bad)
    there = await tables(postgres_database)
    assert "good" in there
    assert "half" not in there
    await opened_and_closed(postgres_database, good)


async def test_one_server_at_a_time_has_a_database(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "SERVER_LOCK_PATIENCE", "100ms")
    first = await PostgresStore.open(postgres_database, Hold.ALONE)
    with pytest.raises(Unavailable) as caught:
        await PostgresStore.open(postgres_database, Hold.ALONE)
    assert caught.value.code is Code.PROFILE_IN_USE
    await first.close()
    second = await PostgresStore.open(postgres_database, Hold.ALONE)
    await second.close()


async def test_the_one_server_hears_once_that_it_was_not_for_a_moment(postgres_database: str) -> None:
    """Another may have written meanwhile: it has to read everything again."""
    store = await PostgresStore.open(postgres_database, Hold.ALONE)
    await store.commit([PutFact("name", b"1")])
    assert await store.fact("name") == b"1"
    operator = await asyncpg.connect(postgres_database)
    writers = "FROM pg_stat_activity WHERE application_name = 'coterie' AND pid <> pg_backend_pid()"
    await operator.execute(f"SELECT pg_terminate_backend(pid) {writers}")
    await until(operator, f"SELECT count(*) = 0 {writers}")
    await operator.close()
    with pytest.raises(StoreLost):
        await store.commit([PutFact("name", b"2")])
    await store.commit([PutFact("name", b"3")])
    assert await store.fact("name") == b"3"
    await store.close()


async def test_a_database_that_is_not_there_is_said_without_its_address(postgres_database: str) -> None:
    url = postgres_database.replace("/test_", "/secret_")
    with pytest.raises(Unavailable) as caught:
        await PostgresStore.open(url)
    assert "secret" not in str(caught.value)
