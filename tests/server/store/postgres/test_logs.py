"""Entries of many logs written by one statement, and read by one that looks nothing through."""

from __future__ import annotations

import asyncio
from typing import cast

import asyncpg
import msgspec
import pytest

from coterie.base.ids import MessageId, log_of, mailbox_of
from coterie.server.store.postgres.logs import LOGS
from coterie.server.store.postgres.statements import numbers_of
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.results import Appended, Broken
from tests.engines.waiting import SOMEBODY_WAITS, until
from tests.server.town import Resident, say, settle_in, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

_NOTHING = "'{}'::bytea[], '{}'::bigint[], 64, 100000, '{}'::bytea[]"


async def test_entries_and_ends_of_one_moment(store: PostgresStore, alice: Resident, bob: Resident) -> None:
    carol = Resident("carol")
    await settle_in(store, alice, bob, carol)
    await talk(store, alice, bob)
    await talk(store, alice, carol)
    with_bob, with_carol = alice.direct_with(bob), alice.direct_with(carol)
    for _ in range(3):
        await say(store, alice.device, alice.device.message(with_bob, bob.account))
    await say(store, alice.device, alice.device.message(with_carol, carol.account))
    places = [(log_of(with_bob), 1), (log_of(with_carol), 1), (log_of(bob.direct_with(carol)), 0)]
    mailboxes = [mailbox_of(alice.device.id), mailbox_of(bob.device.id)]
    read = await store.shared.logs(places, mailboxes, 64, 1 << 20)
    assert [[entry.seq for entry in read.entries[place]] for place in places] == [[2, 3], [], []]
    assert read.ends == {
        mailboxes[0]: 0,
        mailboxes[1]: 1,
        log_of(with_bob): 3,
        log_of(with_carol): 1,
    }, "of a log that is not there nothing is said"
    nothing = await store.shared.logs((), mailboxes[1:], 64, 1 << 20)
    assert (nothing.entries, nothing.ends) == ({}, {mailboxes[1]: 1})


async def test_no_table_is_looked_through_where_nothing_is_known_of_its_size(store: PostgresStore) -> None:
    """A statement is planned once for a connection. In a new database that was when its tables were empty,
    where to read all of them looks as cheap as an index."""
    connection = await store._reading.get()
    await connection.execute(f"PREPARE logs (bytea[], bigint[], bigint, bigint, bytea[]) AS {LOGS}")
    plan = [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE logs ({_NOTHING})")]
    assert [line for line in plan if "Index Scan" in line]
    assert [line for line in plan if "Seq Scan" in line] == []
    assert [line for line in plan if "$3" in line], "it is the one for all values"


async def test_numbers_are_drawn_once_the_logs_are_locked(
    store: PostgresStore, postgres_database: str, alice: Resident, bob: Resident
) -> None:
    """They grow with the places of a log: who waits for it gets higher ones than who has it."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    operator, watching = await asyncpg.connect(postgres_database), await asyncpg.connect(postgres_database)
    async with asyncio.TaskGroup() as group, operator.transaction():
        await operator.execute("SELECT 1 FROM conversations FOR UPDATE")
        group.create_task(say(store, alice.device, alice.device.message(conversation, bob.account)))
        await until(watching, SOMEBODY_WAITS)
        block = await operator.fetchval("SELECT nextval('entry_blocks')")
    numbers = await operator.fetch("SELECT no FROM log_entries ORDER BY seq")
    assert numbers[-2][0] < numbers_of(block)[0] < numbers_of(block)[-1] < numbers[-1][0]
    for each in (operator, watching):
        await each.close()


async def test_a_message_takes_four_ways_to_the_database_and_back(
    store: PostgresStore, alice: Resident, bob: Resident
) -> None:
    """To begin, to lock its log and draw its number, to be written, to be confirmed."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    said: list[str] = []
    line = cast(asyncpg.Connection, await store._line.get())
    with line.query_logger(lambda each: said.append(each.query)):
        await say(store, alice.device, alice.device.message(conversation, bob.account))
    assert len(said) == 4, said


async def test_an_entry_of_another_size_is_broken_alone(
    store: PostgresStore, alice: Resident, bob: Resident
) -> None:
    """Values of one size travel as one piece that is cut again: none may shift those behind it."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    first = alice.device.message(conversation, bob.account)
    short = msgspec.structs.replace(first, message=MessageId(b"short"), commitment=b"c" * 33)
    results = await store.commit([short, first])
    assert isinstance(results[0], Broken)
    assert isinstance(results[1], Appended)
    (entry,) = await store.log(log_of(conversation), 0, 10, 1 << 20)
    assert (entry.message, entry.commitment) == (first.message, first.commitment)
