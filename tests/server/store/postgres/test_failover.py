"""The primary dies and its standby takes over: what was acknowledged is there, once, and what was not is
asked for again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import asyncpg
import pytest

from coterie.base.errors import Unavailable
from coterie.base.ids import log_of
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import StoreLost
from coterie.server.store.records import AppendMessage
from coterie.server.store.results import Appended
from tests.engines.postgres import PORT, Engine, pair
from tests.engines.waiting import until
from tests.server.town import Resident, save, say, settle_in, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'coterie' AND wait_event = 'SyncRep'"
)
RECEIVER = "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"
SYNC = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum' AND state = 'streaming'"


@pytest.fixture
def engines(postgres_engine: Engine) -> Iterator[tuple[Engine, Engine]]:
    with pair(postgres_engine.programs) as both:
        yield both


async def ask(engine: Engine, sql: str) -> object:
    """What it answers, as soon as that is true."""
    operator = await asyncpg.connect(engine.url("postgres"))
    try:
        return await until(operator, sql)
    finally:
        await operator.close()


async def test_what_was_acknowledged_is_there_when_the_standby_takes_over(
    engines: tuple[Engine, Engine],
) -> None:
    primary, standby = engines
    assert await ask(primary, SYNC)
    url = f"postgresql://postgres@/postgres?host={primary.folder},{standby.folder}&port={PORT},{PORT}"
    store = await PostgresStore.open(url, alone=True)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    said = [await _say(store, alice, bob) for _ in range(20)]

    receiver = await ask(standby, RECEIVER)
    assert isinstance(receiver, int)
    os.kill(receiver, signal.SIGSTOP)
    on_one_alone = alice.device.message(conversation, bob.account)
    async with asyncio.TaskGroup() as group:
        lost = group.create_task(_lost(store, on_one_alone))
        await ask(primary, WAITING)
        assert not lost.done(), "the standby does not have it"
        primary.kill()
    os.kill(receiver, signal.SIGCONT)
    standby.psql("SELECT pg_promote()")

    again = await _saved(store, on_one_alone)
    assert again.seq == 21
    alice.device.last[conversation] = on_one_alone.message
    said.append(on_one_alone)
    said += [await _say(store, alice, bob) for _ in range(20)]
    entries = await store.log(log_of(conversation), 0, 100, 1 << 20)
    assert [(entry.seq, entry.message) for entry in entries] == [
        (seq, record.message) for seq, record in enumerate(said, 1)
    ]
    await store.close()


async def _say(store: PostgresStore, alice: Resident, bob: Resident) -> AppendMessage:
    record = alice.device.message(alice.direct_with(bob), bob.account)
    await say(store, alice.device, record)
    return record


async def _lost(store: PostgresStore, record: AppendMessage) -> None:
    with pytest.raises(StoreLost):
        await save(store, record)


async def _saved(store: PostgresStore, record: AppendMessage) -> Appended:
    """As a client does it: asked again until there is an answer."""
    async with asyncio.timeout(30):
        while True:
            try:
                result = await save(store, record)
            except Unavailable:
                continue
            assert isinstance(result, Appended)
            return result
