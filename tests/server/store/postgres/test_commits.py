"""When a commit counts: it is on the standby too, nobody cut it off, and the database said so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import asyncpg
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import log_of
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import StoreLost
from coterie.server.store.records import PutAccept, Record
from coterie.server.store.results import DONE, Appended
from coterie.trials.engines.postgres import Engine
from tests.engines.waiting import until
from tests.server.store.postgres.conftest import Another
from tests.server.town import Resident, log_seqs, save, say, settle_in, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'SyncRep'"
PROBE = "probe"


@asynccontextmanager
async def setting(operator: asyncpg.Connection, name: str, value: str) -> AsyncIterator[None]:
    """Another setting of the whole server, for as long as this lasts."""

    async def hold(expected: str) -> None:
        await operator.execute("SELECT pg_reload_conf()")
        await until(operator, "SELECT current_setting($1) = $2", name, expected)

    before = await operator.fetchval("SELECT current_setting($1)", name)
    await operator.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await hold(value)
    try:
        yield
    finally:
        await operator.execute(f"ALTER SYSTEM RESET {name}")
        await hold(before)


@asynccontextmanager
async def without_standby(operator: asyncpg.Connection, url: str) -> AsyncIterator[None]:
    """Each commit has to wait for one that is not there.

    The checkpointer tells all others whether to wait, and may read the setting after the operator has: the
    commits of a third one show when it has come so far.
    """
    async with setting(operator, "synchronous_standby_names", "nobody"), connected(url, PROBE) as probe:
        async with asyncio.TaskGroup() as group:
            commits = group.create_task(commit_on_and_on(probe))
            await until(operator, WAITING, PROBE)
            commits.cancel()
        yield


async def commit_on_and_on(probe: asyncpg.Connection) -> NoReturn:
    while True:
        await probe.execute("SELECT pg_logical_emit_message(true, 'probe', '')")


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def operator_of(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Its own commits wait for nobody."""
    async with connected(url, "operator") as connection:
        await connection.execute("SET synchronous_commit = local")
        yield connection


async def waiting_writer(operator: asyncpg.Connection) -> int:
    """The process of the writer, once it waits for a standby."""
    return int(await until(operator, WAITING, "coterie"))


async def test_a_retry_is_not_acknowledged_either_before_the_standby_has_it(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """What a retry finds may be on this machine alone."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    await say(store, alice.device, record)
    database = operator_of(postgres_database)
    async with (
        database as operator,
        asyncio.TaskGroup() as group,
        without_standby(operator, postgres_database),
    ):
        retry = group.create_task(save(store, record))
        await waiting_writer(operator)
        assert not retry.done()
    assert retry.result() == Appended(1, log_of(record.conversation), None)


async def test_what_changes_nothing_is_not_acknowledged_before_the_standby_either(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """It writes nothing that a commit would wait for by itself."""
    await settle_in(store, alice, bob)
    accept = PutAccept(alice.account, bob.account)
    await save(store, accept)
    database = operator_of(postgres_database)
    async with (
        database as operator,
        asyncio.TaskGroup() as group,
        without_standby(operator, postgres_database),
    ):
        again = group.create_task(save(store, accept))
        await waiting_writer(operator)
        assert not again.done()
    assert again.result() == DONE


async def test_a_wait_for_the_standby_that_is_cancelled_is_not_acknowledged(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """The database says COMMIT then, and warns."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    async with operator_of(postgres_database) as operator:
        async with without_standby(operator, postgres_database), asyncio.TaskGroup() as group:
            writing = group.create_task(_refused(store, record))
            await operator.execute("SELECT pg_cancel_backend($1)", await waiting_writer(operator))
        assert writing.result() is Code.DISK
    assert await save(store, record) == Appended(1, log_of(record.conversation), None), "it holds after all"


async def test_who_stops_waiting_for_a_commit_does_not_cut_it_off(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    database = operator_of(postgres_database)
    async with (
        database as operator,
        asyncio.TaskGroup() as group,
        without_standby(operator, postgres_database),
    ):
        writing = group.create_task(save(store, record))
        pid = await waiting_writer(operator)
        writing.cancel()
        assert await waiting_writer(operator) == pid
        assert not writing.done()
    assert writing.cancelled()
    assert await log_seqs(store, record.conversation) == [1]


async def test_a_line_that_breaks_is_an_outcome_that_is_not_known_and_then_made_anew(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    async with operator_of(postgres_database) as operator:
        async with without_standby(operator, postgres_database), asyncio.TaskGroup() as group:
            writing = group.create_task(_refused(store, record))
            await operator.execute("SELECT pg_terminate_backend($1)", await waiting_writer(operator))
        assert writing.result() is Code.DISK
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coterie'"
        )
    assert await save(store, record) == Appended(1, log_of(record.conversation), None)
    assert await log_seqs(store, record.conversation) == [1]


async def test_a_full_disk_is_told_and_nothing_else_is_lost(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """All was rolled back, and the line stands."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    async with operator_of(postgres_database) as operator:
        await operator.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$;"
            " CREATE TRIGGER full_disk BEFORE INSERT ON log_entries EXECUTE FUNCTION full_disk()"
        )
        with pytest.raises(Unavailable, match="no space is left") as caught:
            await save(store, record)
        assert not isinstance(caught.value, StoreLost)
        await operator.execute("DROP TRIGGER full_disk ON log_entries")
    assert await say(store, alice.device, record) == 1


async def test_a_database_that_does_not_sync_is_refused(
    another: Another, postgres_database: str, postgres_engine: Engine
) -> None:
    async with operator_of(postgres_database) as operator, setting(operator, "fsync", "off"):
        with pytest.raises(Unavailable, match="would lose messages: its fsync is off"):
            await another()
    await another()


async def _refused(store: PostgresStore, record: Record) -> Code:
    with pytest.raises(StoreLost) as caught:
        await save(store, record)
    return caught.value.code
