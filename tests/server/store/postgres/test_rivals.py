"""Several writers on one database, at the same moment."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence

import asyncpg
import pytest

from coterie.base.codes import Code
from coterie.base.ids import log_of, mailbox_of
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.postgres.writer import STRUCTURE_LOCK
from coterie.server.store.records import ClaimKeys, MoveCursor, PutAccept, PutPrekeys, Record
from coterie.server.store.results import Appended, KeysClaimed, LeafAdded, Posted, Result
from tests.engines.waiting import until
from tests.server.store.postgres.conftest import Another
from tests.server.town import (
    EVERYONE,
    NOW_MS,
    Machine,
    Resident,
    denied,
    device_keys,
    key,
    log_seqs,
    save,
    say,
    settle_in,
    share,
    talk,
)

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

RIVALS = 4
ROUNDS = 15
CLAIMING = 16
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'coterie' AND wait_event = 'advisory'"
)


async def at_once(stores: list[PostgresStore], *batches: Sequence[Record]) -> list[list[Result]]:
    """Each batch by a store of its own."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.commit(batch)) for store, batch in zip(stores, batches, strict=True)]
    return [task.result() for task in tasks]


async def test_the_same_message_by_two_at_once_is_one_entry(
    store: PostgresStore, another: Another, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stores = [store, *[await another() for _ in range(RIVALS - 1)]]
    for seq in range(1, ROUNDS + 1):
        message = alice.device.message(conversation, bob.account)
        results = await at_once(stores, *[[message] for _ in stores])
        alice.device.last[conversation] = message.message
        answers = [result for (result,) in results]
        assert all(isinstance(each, Appended) and each.seq == seq for each in answers), answers
        assert Counter(isinstance(each, Appended) and each.entry is None for each in answers) == {
            False: 1,
            True: RIVALS - 1,
        }
    assert await log_seqs(store, conversation) == list(range(1, ROUNDS + 1))


async def test_what_others_said_by_another_server_is_what_their_next_message_follows(
    store: PostgresStore, another: Another, alice: Resident, bob: Resident
) -> None:
    """Both have spoken here, then both there; who comes back here second finds a log that this server has
    written to meanwhile."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    await talk(store, bob, alice)
    conversation = alice.direct_with(bob)
    turns = ((alice.device, bob), (bob.device, alice))
    for seq, place in enumerate((store, await another(), store), 1):
        for step, (machine, other) in enumerate(turns):
            message = machine.message(conversation, other.account)
            assert await say(place, machine, message) == 2 * seq - 1 + step
    assert await log_seqs(store, conversation) == [*range(1, 7)]


async def test_a_log_that_many_write_has_no_gap_and_reads_in_order(
    store: PostgresStore, another: Another
) -> None:
    people = [Resident(f"person{number}") for number in range(RIVALS)]
    await settle_in(store, *people)
    for person in people:
        others = tuple(other.device for other in people if other is not person)
        await share(store, person.device.share(EVERYONE, left_out=others))
    stores = [store, *[await another() for _ in range(RIVALS - 1)]]
    for _ in range(ROUNDS):
        batches: list[list[Record]] = [[] for _ in people]
        for batch, person in zip(batches, people, strict=True):
            for _ in range(5):
                batch.append(message := person.device.message(EVERYONE))
                person.device.last[EVERYONE] = message.message
        for results in await at_once(stores, *batches):
            assert all(isinstance(result, Appended) and result.entry for result in results)
    written = ROUNDS * 5 * RIVALS
    assert await log_seqs(store, EVERYONE) == list(range(1, written + 1))
    tail = await store.log(log_of(EVERYONE), written - 3, 10, 1 << 20)
    assert [entry.seq for entry in tail] == [written - 2, written - 1, written]


async def test_a_conversation_that_two_begin_at_once_begins_once(
    store: PostgresStore, another: Another, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    conversation = alice.direct_with(bob)
    results = await at_once(
        [store, await another()],
        [alice.device.share(conversation, bob.device, peer=bob.account)],
        [bob.device.share(conversation, alice.device, peer=alice.account)],
    )
    posted = [result for (result,) in results]
    assert all(isinstance(result, Posted) and len(result.entries) == 1 for result in posted), posted
    assert sorted(len(result.opened) for result in posted if isinstance(result, Posted)) == [0, 2]
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 1
    assert await say(store, bob.device, bob.device.message(conversation, alice.account)) == 2


async def test_sixteen_at_once_never_get_the_same_key(
    store: PostgresStore, another: Another, alice: Resident
) -> None:
    await settle_in(store, alice)
    keys = tuple(key(PrekeyKind.ONE_TIME, number) for number in range(100))
    await save(store, PutPrekeys(alice.device.id, keys, NOW_MS))
    stores = [store, *[await another() for _ in range(CLAIMING - 1)]]
    claim = ClaimKeys(((alice.account, alice.device.id),), NOW_MS)
    given: list[bytes] = []
    for _ in range(8):
        for (result,) in await at_once(stores, *[[claim] for _ in stores]):
            assert isinstance(result, KeysClaimed)
            given += [each.one_time for each in result.keys]
    real = [each for each in given if each]
    assert len(given) == 8 * CLAIMING
    assert len(real) == len(set(real)) == 100
    assert await store.one_time_keys_left(alice.device.id, NOW_MS) == 0


async def test_two_that_want_one_name_do_not_both_get_it(store: PostgresStore, another: Another) -> None:
    await settle_in(store)
    stores = [store, await another()]
    for number in range(ROUNDS):
        rivals = [Resident(f"name{number}") for _ in stores]
        results = await at_once(stores, *[[rival.register()] for rival in rivals])
        assert sorted(isinstance(result, LeafAdded) for (result,) in results) == [False, True]
        assert Code.NAME_TAKEN in {denied(result) for (result,) in results}
    assert len(await store.leaves(0, 1000)) == ROUNDS + 1
    assert await store.ledger_size() == ROUNDS + 1


async def test_what_another_has_changed_counts_at_once(
    store: PostgresStore, another: Another, alice: Resident, bob: Resident
) -> None:
    other = await another()
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    phone = Machine(bob.account)
    record = bob.change(phone)
    bob.changed(record, await save(other, record))
    unaware = alice.device.message(conversation, bob.account)
    assert denied(await save(store, unaware)) is Code.STALE_VIEW
    await share(other, alice.device.share(conversation, phone))
    assert await say(store, alice.device, unaware) == 2
    assert await say(other, alice.device, alice.device.message(conversation, bob.account)) == 3
    record = alice.change(revoked=(alice.device,))
    alice.changed(record, await save(other, record))
    assert denied(await save(store, alice.device.message(conversation, bob.account))) is Code.REVOKED


async def test_mailboxes_that_many_fill_and_empty_count_on(
    store: PostgresStore, another: Another, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await save(store, PutAccept(bob.account, alice.account))
    await save(store, PutAccept(alice.account, bob.account))
    stores = [store, await another(), await another()]
    seqs: dict[bytes, list[int]] = {alice.device.id: [], bob.device.id: []}
    for round_no in range(ROUNDS):
        batches: list[list[Record]] = [
            [
                alice.device.share(None, bob.device, alice.device),
                bob.device.share(None, alice.device, bob.device),
            ],
            [
                bob.device.share(None, bob.device, alice.device),
                alice.device.share(None, alice.device, bob.device),
            ],
            [
                MoveCursor(bob.device.id, mailbox_of(bob.device.id), round_no),
                MoveCursor(alice.device.id, mailbox_of(alice.device.id), round_no),
            ],
        ]
        for result in itertools.chain.from_iterable(await at_once(stores, *batches)):
            if isinstance(result, Posted):
                for device, entry in result.entries:
                    seqs[device].append(entry.seq)
    for given in seqs.values():
        assert sorted(given) == list(range(1, 4 * ROUNDS + 1))


async def test_who_changes_people_or_begins_a_conversation_is_alone(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """What a message relies on does not change while it is written."""
    carol, dora = Resident("carol"), Resident("dora")
    await settle_in(store, alice, bob, carol)
    await talk(store, alice, bob)
    message = alice.device.message(alice.direct_with(bob), bob.account)
    begins = alice.device.share(alice.direct_with(carol), carol.device, peer=carol.account)
    operator = await asyncpg.connect(postgres_database)
    beside: list[Record] = [message]
    alone: list[list[Record]] = [[dora.register()], [begins]]
    for how, goes_on, waits in (("_shared", beside, alone), ("", [], [beside])):
        await operator.execute(f"SELECT pg_advisory_lock{how}({STRUCTURE_LOCK})")
        for record in goes_on:
            assert isinstance(await save(store, record), Appended)
        for batch in waits:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(store.commit(batch))
                await until(operator, WAITING)
                assert not writing.done()
                await operator.execute(f"SELECT pg_advisory_unlock{how}({STRUCTURE_LOCK})")
            assert denied(writing.result()[0]) is None
            await operator.execute(f"SELECT pg_advisory_lock{how}({STRUCTURE_LOCK})")
        await operator.execute(f"SELECT pg_advisory_unlock{how}({STRUCTURE_LOCK})")
    await operator.close()


async def test_devices_are_not_told_of_what_a_rolled_back_change_began(
    store: PostgresStore, alice: Resident, bob: Resident
) -> None:
    """A refused message begins nothing, whatever stood before it in its batch."""
    await settle_in(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    good = PutPrekeys(alice.device.id, device_keys(3), NOW_MS)
    results = await store.commit([record, good])
    assert denied(results[0]) is Code.STALE_VIEW
    assert await store.one_time_keys_left(alice.device.id, NOW_MS) == 3
    assert len(await store.stream_ends(bob.device.id, 10)) == 2
