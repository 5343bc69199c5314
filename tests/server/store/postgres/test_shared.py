"""Who is where, among the servers of one database."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.server.caller import SignedIn
from coterie.server.store.postgres.approval_board import ASKING_LOCK
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from tests.server.town import Resident, settle_in

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

Pair = tuple[PostgresStore, PostgresStore]


@pytest_asyncio.fixture
async def pair(postgres_database: str) -> AsyncIterator[Pair]:
    one = await PostgresStore.open(postgres_database, Hold.BESIDE)
    other = await PostgresStore.open(postgres_database, Hold.BESIDE)
    for store in (one, other):
        await store.beside()
    yield one, other
    for store in (one, other):
        await store.close()


def visitor(name: str) -> SignedIn:
    return SignedIn(AccountId(secrets.token_bytes(32)), DeviceId(secrets.token_bytes(16)), UserName(name))


async def test_the_newer_visit_of_a_device_counts(pair: Pair) -> None:
    one, other = pair[0].shared, pair[1].shared
    alice = visitor("alice")
    await one.enter([alice])
    assert await one.elsewhere([alice.device]) == set()
    assert await other.elsewhere([alice.device]) == {alice.device}
    await other.enter([alice])
    assert await one.elsewhere([alice.device]) == {alice.device}
    assert await one.people_elsewhere() == {alice.account: alice.name}
    await one.leave([alice.device])
    assert await one.elsewhere([alice.device]) == {alice.device}, "it is not there to leave"
    await other.leave([alice.device])
    assert await one.people_elsewhere() == {}


async def test_a_server_that_died_has_nobody(pair: Pair) -> None:
    one, other = pair
    alice = visitor("alice")
    await one.shared.enter([alice])
    number = one.shared.number
    assert (await other.shared.pulse()).servers == {number, other.shared.number}
    await one._line.close()
    pulse = await other.shared.pulse()
    assert pulse.servers == {other.shared.number}
    assert await other.shared.elsewhere([alice.device]) == set()
    assert await other.shared.people_elsewhere() == {}
    await other.shared.sweep(pulse.servers)
    assert await other.shared.answers([alice.device]) == {alice.device: None}
    assert await other._db.number("SELECT count(*) FROM visits") == 0


async def test_a_question_is_asked_once_and_answered_by_number(pair: Pair) -> None:
    one, other = pair[0].shared, pair[1].shared
    alice = visitor("alice")
    assert await other.ask(alice.device) == 0, "it is nowhere"
    await one.enter([alice])
    assert await one.ask(alice.device) == 0, "it is here"
    question = await other.ask(alice.device)
    assert await one.asked() == {alice.device: question}
    assert await one.asked() == {}
    assert await other.answers([alice.device]) == {alice.device: 0}
    await one.answer(alice.device, question)
    assert await other.answers([alice.device]) == {alice.device: question}
    assert await other.ask(alice.device) == question + 1
    await one.enter([alice])
    assert await one.asked() == {}, "another connection was asked for"
    assert await other.answers([alice.device]) == {alice.device: 0}


async def test_how_far_the_data_is(pair: Pair) -> None:
    one, other = pair
    alice = Resident("alice")
    assert (await one.shared.pulse()).ledger_size == 0
    await settle_in(one, alice)
    pulse = await other.shared.pulse()
    assert (pulse.ledger_size, pulse.head_size, pulse.restored) == (2, 1, False)
    assert await other.shared.logs_of([alice.device.id]) == {alice.device.id: 1}
    assert await other.shared.ended([alice.device.id]) == set()


async def test_a_request_to_join_ends_with_the_server_of_its_other_side(pair: Pair) -> None:
    one, other = pair
    number = await one.shared.approvals.ask(UserName("alice"), b"r" * 16, b"request")
    unanswered = await one.shared.approvals.ask(UserName("bob"), b"s" * 16, b"request")
    board = other.shared.approvals
    assert await board.answer(number)
    assert await board.say(number, b"answer", to_newcomer=True)
    assert (await board.news([], [number])).over == frozenset()
    await one._line.close()
    assert (await board.news([], [number])).over == {number}
    await other.shared.sweep((await other.shared.pulse()).servers)
    assert await board.requests([number, unanswered]) == {number: b"request"}, "whose device is here still"
    await board.leave(number, newcomer=False)
    await other.shared.sweep((await other.shared.pulse()).servers)
    assert await board.requests([number]) == {}


async def test_a_server_that_stands_still_holds_up_no_other(pair: Pair, postgres_database: str) -> None:
    """It has begun to write a request down."""
    operator = await asyncpg.connect(postgres_database)
    await operator.execute(f"SELECT pg_advisory_lock({ASKING_LOCK})")
    board = pair[0].shared.approvals
    with pytest.raises(Unavailable):
        await board.ask(UserName("alice"), b"r" * 16, b"request")
    assert await board.waiting([UserName("alice")], 0) == []
    await operator.close()
    assert await board.ask(UserName("alice"), b"r" * 16, b"request")
