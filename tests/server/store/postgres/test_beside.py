"""Servers of different versions on one database: who goes on beside a step, and who is turned away."""

from __future__ import annotations

import asyncpg
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.postgres import migrating
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import StoreLost
from coterie.server.store.records import PutFact
from coterie.server.store.steps import Step, known_steps, schema_of
from tests.engines.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

HERE = schema_of(known_steps("pg"))
EXPANDS = Step(HERE + 1, f"-- beside: {HERE}\nALTER TABLE log_entries ADD COLUMN later BIGINT DEFAULT 5")
"""The servers of today go on beside it."""
CONTRACTS = Step(HERE + 2, f"-- beside: {HERE + 1}\nCREATE TABLE later_still (no BIGINT)")
"""Only those that know the one before do."""


async def server(url: str, *steps: Step) -> PostgresStore:
    return await PostgresStore.open(url, Hold.BESIDE, steps=(*known_steps("pg"), *steps))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "TRIES", 2)
    monkeypatch.setattr(migrating, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(migrating, "STEP_PATIENCE", "50ms")


async def test_a_server_goes_on_beside_a_step_that_says_so_and_others_of_its_version_may_come(
    postgres_database: str,
) -> None:
    old = await server(postgres_database)
    await old.commit([PutFact("name", b"1")])
    new = await server(postgres_database, EXPANDS)
    await old.commit([PutFact("name", b"2")])
    assert await new.fact("name") == b"2"
    await old.close()
    again = await server(postgres_database)
    await again.commit([PutFact("name", b"3")])
    await again.close()
    await new.close()


async def test_a_step_waits_for_who_cannot_work_beside_it_and_what_came_before_it_stays(
    postgres_database: str,
) -> None:
    old = await server(postgres_database)
    with pytest.raises(Unavailable) as caught:
        await server(postgres_database, EXPANDS, CONTRACTS)
    assert caught.value.code is Code.PROFILE_IN_USE
    await old.commit([PutFact("name", b"1")])
    between = await server(postgres_database, EXPANDS)
    await old.close()
    new = await server(postgres_database, EXPANDS, CONTRACTS)
    await between.commit([PutFact("name", b"2")])
    for store in (between, new):
        await store.close()
    with pytest.raises(Unavailable) as caught:
        await server(postgres_database)
    assert caught.value.code is Code.NEWER_SCHEMA


async def test_a_server_that_was_away_during_the_step_does_not_come_back(postgres_database: str) -> None:
    """Its lock went with its connection, so nobody knew of it."""
    old = await server(postgres_database)
    operator = await asyncpg.connect(postgres_database)
    writers = "FROM pg_stat_activity WHERE application_name = 'coterie' AND pid <> pg_backend_pid()"
    await operator.execute(f"SELECT pg_terminate_backend(pid) {writers}")
    await until(operator, f"SELECT count(*) = 0 {writers}")
    new = await server(postgres_database, EXPANDS, CONTRACTS)
    with pytest.raises(StoreLost):
        await old.commit([PutFact("name", b"1")])
    with pytest.raises(Unavailable) as caught:
        await old.commit([PutFact("name", b"1")])
    assert caught.value.code is Code.NEWER_SCHEMA
    await operator.close()
    await old.close()
    await new.close()


async def test_a_step_does_not_wait_long_for_a_table_and_is_tried_again(postgres_database: str) -> None:
    """Whoever wants the table meanwhile would stand behind it."""
    operator = await asyncpg.connect(postgres_database)
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM log_entries LIMIT 1")
        with pytest.raises(Unavailable, match="in use again and again"):
            await server(postgres_database, EXPANDS)
    await (await server(postgres_database, EXPANDS)).close()
    await operator.close()


async def test_what_an_older_version_wrote_down_says_nothing_of_who_works_beside_it(
    postgres_database: str,
) -> None:
    """The column is added; a step without a word in it is nobody's but its own."""
    await (await server(postgres_database, EXPANDS)).close()
    operator = await asyncpg.connect(postgres_database)
    await operator.execute("ALTER TABLE migrations DROP COLUMN beside")
    with pytest.raises(Unavailable) as caught:
        await server(postgres_database)
    assert caught.value.code is Code.NEWER_SCHEMA
    await (await server(postgres_database, EXPANDS)).close()
    await operator.execute("UPDATE migrations SET beside = $1 WHERE number = $2", HERE, EXPANDS.number)
    await (await server(postgres_database)).close()
    await operator.close()
