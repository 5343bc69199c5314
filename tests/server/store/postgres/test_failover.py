"""The primary dies and its standby takes over: what was acknowledged is there, once, and what was not is
asked for again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence

import asyncpg
import pytest

from coterie.base.errors import Unavailable
from coterie.base.ids import log_of
from coterie.server.store.postgres import writer
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import StoreLost
from coterie.server.store.records import AppendMessage, PutAccept, Record
from coterie.server.store.results import DONE, Appended, Result
from coterie.trials.engines.postgres import PORT, Engine, pair
from tests.engines.waiting import until
from tests.server.town import EVERYONE, Machine, Resident, save, say, settle_in, share, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

AT_ONCE = 20
ENOUGH = 6000
SENDERS = "FROM pg_stat_activity WHERE application_name = 'coterie' AND wait_event = 'SyncRep'"
WAITING = f"SELECT count(*) {SENDERS}"
RECEIVER = "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"
SYNC = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum' AND state = 'streaming'"


@pytest.fixture
def engines(postgres_engine: Engine) -> Iterator[tuple[Engine, Engine]]:
    with pair(postgres_engine.programs) as both:
        yield both


def both(primary: Engine, standby: Engine) -> str:
    """The address of whichever takes changes."""
    return f"postgresql://postgres@/postgres?host={primary.folder},{standby.folder}&port={PORT},{PORT}"


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
    store = await PostgresStore.open(both(primary, standby), Hold.ALONE)
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

    (again,) = await _answered(store, [on_one_alone])
    assert again.seq == 21
    alice.device.last[conversation] = on_one_alone.message
    said.append(on_one_alone)
    said += [await _say(store, alice, bob) for _ in range(20)]
    entries = await store.log(log_of(conversation), 0, 100, 1 << 20)
    assert [(entry.seq, entry.message) for entry in entries] == [
        (seq, record.message) for seq, record in enumerate(said, 1)
    ]
    await store.close()


async def test_nothing_is_lost_or_doubled_when_it_happens_under_load(engines: tuple[Engine, Engine]) -> None:
    """Two writers into one log, each with many messages under way."""
    primary, standby = engines
    assert await ask(primary, SYNC)
    stores = [await PostgresStore.open(both(primary, standby)) for _ in range(2)]
    people = [Resident("alice"), Resident("bob")]
    await settle_in(stores[0], *people)
    for one, other in (people, people[::-1]):
        await share(stores[0], one.device.share(EVERYONE, left_out=(other.device,)))
    acknowledged: dict[int, bytes] = {}
    halfway = asyncio.Event()

    async def talk_on(store: PostgresStore, sender: Machine) -> None:
        while len(acknowledged) < ENOUGH:
            batch = _batch(sender)
            for result, record in zip(await _answered(store, batch), batch, strict=True):
                assert acknowledged.setdefault(result.seq, record.message) == record.message
            if len(acknowledged) > ENOUGH // 2:
                halfway.set()

    async with asyncio.TaskGroup() as group:
        for store, person in zip(stores, people, strict=True):
            group.create_task(talk_on(store, person.device))
        await halfway.wait()
        primary.kill()
        await asyncio.to_thread(standby.psql, "SELECT pg_promote()")
    entries = await stores[0].log(log_of(EVERYONE), 0, 2 * ENOUGH, 1 << 30)
    assert [entry.seq for entry in entries] == list(range(1, len(acknowledged) + 1))
    assert {entry.seq: entry.message for entry in entries} == acknowledged
    for store in stores:
        await store.close()


@pytest.mark.parametrize("marked", [True, False])
async def test_a_retry_of_what_the_standby_lacks_is_not_acknowledged_and_one_without_a_mark_would_lose_it(
    engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch, *, marked: bool
) -> None:
    """The standby is dead, a wait for it ends, the same is asked for again; then the primary dies, and the
    standby comes back and takes over. The retry finds the row and writes nothing: without a mark it is
    acknowledged, and the row is gone then."""
    primary, standby = engines
    assert await ask(primary, SYNC)
    store = await PostgresStore.open(both(primary, standby), Hold.ALONE)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    standby.kill()
    accept = PutAccept(alice.account, bob.account)
    async with asyncio.TaskGroup() as group:
        group.create_task(_lost(store, accept))
        await ask(primary, WAITING)
        await ask(primary, f"SELECT pg_cancel_backend(pid) {SENDERS}")
    assert primary.psql("SELECT count(*) FROM accepts") == "1", "on this machine alone"
    if not marked:
        monkeypatch.setattr(writer, "_COMMIT", "COMMIT")
    async with asyncio.TaskGroup() as group:
        retry = group.create_task(_outcome(store, accept))
        if marked:
            await ask(primary, WAITING)
            assert not retry.done(), "it waits for the standby as well"
        else:
            assert await retry == DONE, "acknowledged"
        primary.kill()
    standby.restart()
    standby.psql("SELECT pg_promote()")
    assert (retry.result() == DONE) is not marked
    assert standby.psql("SELECT count(*) FROM accepts") == "0", "and lost where it was acknowledged"
    assert await _results(store, [accept]) == [DONE]
    assert standby.psql("SELECT count(*) FROM accepts") == "1"
    await store.close()


def _batch(sender: Machine) -> list[AppendMessage]:
    batch = []
    for _ in range(AT_ONCE):
        batch.append(message := sender.message(EVERYONE))
        sender.last[EVERYONE] = message.message
    return batch


async def _say(store: PostgresStore, alice: Resident, bob: Resident) -> AppendMessage:
    record = alice.device.message(alice.direct_with(bob), bob.account)
    await say(store, alice.device, record)
    return record


async def _lost(store: PostgresStore, record: Record) -> None:
    assert await _outcome(store, record) is None


async def _outcome(store: PostgresStore, record: Record) -> Result | None:
    """None: it is not known."""
    try:
        return await save(store, record)
    except StoreLost:
        return None


async def _answered(store: PostgresStore, batch: list[AppendMessage]) -> list[Appended]:
    results = await _results(store, batch)
    assert all(isinstance(result, Appended) for result in results), results
    return [result for result in results if isinstance(result, Appended)]


async def _results(store: PostgresStore, batch: Sequence[Record]) -> list[Result]:
    """As clients do it: asked again until there is an answer."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await store.commit(batch)
            except Unavailable:
                continue
