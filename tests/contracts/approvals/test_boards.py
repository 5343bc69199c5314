"""What every board for requests to join has to hold to."""

from __future__ import annotations

import asyncio

import pytest

from coterie.base import limits
from coterie.base.ids import UserName
from coterie.server.store.approval_board import Asked, News, Word
from tests.contracts.approvals.conftest import Boards

pytestmark = pytest.mark.asyncio

ALICE, BOB = UserName("alice"), UserName("bob")
R, S = b"r" * 16, b"s" * 16


async def test_a_request_is_seen_answered_once_and_talked_about(boards: Boards) -> None:
    """The newcomer is at one server, the device at the other."""
    one, other = boards
    number = await one.ask(ALICE, R, b"request")
    assert await other.waiting([ALICE, BOB], 0) == [Asked(number, ALICE, R)]
    assert await other.requests([number, number + 1]) == {number: b"request"}
    assert not await one.say(number, b"to nobody", to_newcomer=False)
    assert await other.answer(number)
    assert not await other.answer(number)
    assert not await one.answer(number)
    assert await other.waiting([ALICE], 0) == []
    assert await other.say(number, b"answer", to_newcomer=True)
    assert await other.say(number, b"and more", to_newcomer=True)
    assert await one.say(number, b"reveal", to_newcomer=False)
    told = await one.news([number], [])
    assert told == News((Word(number, True, b"answer"), Word(number, True, b"and more")))
    assert await other.news([], [number]) == News((Word(number, False, b"reveal"),))
    assert await one.news([number], []) == await other.news([], [number]) == News()


async def test_only_new_requests_of_the_names_that_are_looked_for_are_seen(boards: Boards) -> None:
    one, other = boards
    first = await one.ask(ALICE, R, b"request")
    await one.ask(BOB, b"b" * 16, b"request")
    second = await other.ask(ALICE, S, b"request")
    assert first < second
    assert [each.number for each in await other.waiting([ALICE], 0)] == [first, second]
    assert [each.number for each in await one.waiting([ALICE], first)] == [second]
    assert await one.waiting([UserName("nobody")], 0) == []


@pytest.mark.parametrize("newcomer", [True, False])
async def test_who_leaves_ends_it_for_the_other_one_who_hears_what_was_said_before(
    boards: Boards, newcomer: bool
) -> None:
    one, other = boards
    number = await one.ask(ALICE, R, b"request")
    assert await other.answer(number)
    leaves, stays = (one, other) if newcomer else (other, one)
    assert await leaves.say(number, b"last word", to_newcomer=not newcomer)
    await leaves.leave(number, newcomer=newcomer)
    assert not await stays.say(number, b"too late", to_newcomer=newcomer)
    here = ([], [number]) if newcomer else ([number], [])
    assert await stays.news(*here) == News((Word(number, not newcomer, b"last word"),), frozenset({number}))
    await stays.leave(number, newcomer=not newcomer)
    assert await stays.news(*here) == News((), frozenset({number}))
    assert await stays.requests([number]) == {}


async def test_a_request_that_nobody_answered_is_gone_with_its_newcomer(boards: Boards) -> None:
    one, other = boards
    number = await one.ask(ALICE, R, b"request")
    await one.leave(number, newcomer=True)
    assert await other.waiting([ALICE], 0) == []
    assert not await other.answer(number)
    await one.leave(number, newcomer=True)


async def test_the_same_rendezvous_takes_the_place_of_the_one_before(boards: Boards) -> None:
    one, other = boards
    before = await one.ask(ALICE, R, b"request")
    again = await other.ask(ALICE, R, b"again")
    assert (await one.news([before], [])).over == {before}
    assert await one.waiting([ALICE], 0) == [Asked(again, ALICE, R)]


async def test_the_oldest_that_nobody_has_answered_makes_room(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "APPROVALS_WAITING", 3)
    one, other = boards
    numbers = [await one.ask(ALICE, bytes([each]) * 16, b"request") for each in range(3)]
    assert await other.answer(numbers[0])
    numbers.append(await other.ask(ALICE, b"3" * 16, b"request"))
    assert (await one.news(numbers, [])).over == {numbers[1]}
    assert await other.answer(numbers[2])
    assert await one.answer(numbers[3])
    last = await one.ask(ALICE, b"4" * 16, b"request")
    assert (await one.news([*numbers, last], [])).over == {numbers[0], numbers[1]}, "all are answered"


async def test_no_more_wait_than_may_however_many_ask_at_once(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "APPROVALS_WAITING", 4)
    asked = (boards[each % 2].ask(ALICE, bytes([each]) * 16, b"request") for each in range(12))
    numbers = await asyncio.gather(*asked)
    assert len(set(numbers)) == 12
    assert [each.number for each in await boards[0].waiting([ALICE], 0)] == sorted(numbers)[-4:]


async def test_one_of_two_that_answer_at_once_is_the_other_side(boards: Boards) -> None:
    number = await boards[0].ask(ALICE, R, b"request")
    assert sorted(await asyncio.gather(*(board.answer(number) for board in boards))) == [False, True]
