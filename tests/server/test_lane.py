"""The lane: bounded, and nobody can fill the part that is left to others."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.lane import Lane
from coterie.wire.frames import (
    Accept,
    Accepted,
    Accounts,
    Ack,
    ClientFrame,
    FetchAccounts,
    FetchLeaves,
    Leaves,
    Ping,
    Pong,
    Refusal,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.shared import Position
from tests.server.house import House, Wire, settle
from tests.server.people import Person
from tests.server.scenes import code, two


def say_many(wire: Wire, frames: list[ClientFrame]) -> None:
    """In as few messages as it takes, all before the next turn."""
    for start in range(0, len(frames), limits.FRAMES_PER_MESSAGE):
        wire.say(*frames[start : start + limits.FRAMES_PER_MESSAGE])


@pytest.mark.asyncio
async def test_who_floods_the_lane_makes_itself_busy_and_nobody_else(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    flood: list[ClientFrame] = [Accept(10 + each, bob.account) for each in range(3 * limits.LANE_FRAMES)]
    say_many(alices, flood)
    assert isinstance(await bobs.ask(Accept(2, alice.account)), Accepted)
    await settle()
    busy = [each for each in alices.waiting(Refusal) if each.code == Code.BUSY]
    taken = alices.waiting(Accepted)
    assert len(busy) + len(taken) == len(flood), "every request has its answer"
    assert limits.LANE_FRAMES <= len(taken) < limits.LANE_FRAMES + limits.FRAMES_PER_MESSAGE
    assert all(each.retry_after_ms > 0 for each in busy)


@pytest.mark.asyncio
async def test_large_messages_fill_the_lane_too_but_not_the_others_part(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    large = bytes(limits.CIPHERTEXT_BYTES)
    count = limits.LANE_BYTES // len(large) + 3
    for request in range(10, 10 + count):
        alices.say(alice.device.message(conversation, bob.account, request=request, ciphertext=large))
    assert isinstance(await bobs.ask(Accept(2, alice.account)), Accepted)
    await settle()
    refused = [each.code for each in alices.waiting(Refusal)]
    assert Code.BUSY in refused
    assert len(alices.waiting(Accepted)) == limits.LANE_BYTES // len(large)


@pytest.mark.asyncio
async def test_pings_beyond_the_lane_have_no_answer_and_acknowledgements_count(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    say_many(alices, [Ping(each) for each in range(3 * limits.LANE_FRAMES)])
    await settle()
    assert len(alices.waiting(Pong)) < limits.LANE_FRAMES + limits.FRAMES_PER_MESSAGE
    mailbox = house.store
    stream = (await mailbox.stream_ends(bob.device.id, 1))[0].stream
    say_many(bobs, [Ping(each) for each in range(3 * limits.LANE_FRAMES)])
    bobs.say(Ack((Position(stream, bobs.incarnation, 1),)))
    await house.pass_time(2)
    assert (await mailbox.stream_ends(bob.device.id, 1))[0].acknowledged == 1


@pytest.mark.asyncio
async def test_a_turn_answers_few_fetches_of_one_connection(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    accounts = (KnownAccount(bob.account, 0),)
    fetches: list[ClientFrame] = [FetchLeaves(each, 0) for each in range(10, 20)]
    fetches += [FetchAccounts(each, accounts) for each in range(20, 30)]
    alices.say(*fetches)
    assert isinstance(await bobs.ask(FetchLeaves(2, 0)), Leaves)
    await settle()
    assert len(alices.waiting(Leaves)) + len(alices.waiting(Accounts)) == limits.FETCHES_PER_TURN
    busy = alices.waiting(Refusal)
    assert len(busy) == len(fetches) - limits.FETCHES_PER_TURN
    assert {each.code for each in busy} == {Code.BUSY.value}
    assert isinstance(await alices.ask(FetchLeaves(40, 0)), Leaves), "and the next turn goes on"
    assert code(await alices.ask(Accept(41, bob.account))) is None


def of_one(pings: int) -> list[tuple[ClientFrame, ...]]:
    return [(Ping(each),) for each in range(1, pings + 1)]


@pytest.mark.asyncio
async def test_messages_of_one_frame_count_once_in_the_part_of_who_sent_them(house: House) -> None:
    one, other, third = (house.wire().connection for _ in range(3))
    lane = Lane()
    for frames in of_one(5):
        assert not lane.put(other, frames, 10)
    for frames in of_one(limits.LANE_FRAMES):
        lane.put(one, frames, 10)
    assert len(lane) == limits.LANE_FRAMES
    share = limits.LANE_SHARE_FRAMES
    for connection, room in ((one, 0), (other, share - 5), (third, share)):
        before = len(lane)
        for request in range(1, 2 * share + 1):
            lane.put(connection, (Accept(request, bytes(32)),), 10)
        assert len(lane) - before == room
    assert lane.put(third, (Accept(9, bytes(32)),), 10) == [9]
    assert len(lane.take()) == limits.LANE_FRAMES + 2 * share - 5
    for frames in of_one(limits.LANE_FRAMES):
        assert not lane.put(one, frames, 10), "the next turn begins anew"


@pytest.mark.asyncio
async def test_large_messages_of_one_frame_count_by_their_bytes(house: House) -> None:
    one, other = house.wire().connection, house.wire().connection
    lane = Lane()
    lane.put(one, (Accept(1, bytes(32)),), limits.LANE_SHARE_BYTES + 1)
    lane.put(other, (Accept(1, bytes(32)),), limits.LANE_BYTES)
    assert lane.put(one, (Accept(2, bytes(32)),), 10) == [2]


@pytest.mark.asyncio
async def test_fetches_that_come_one_by_one_are_few_in_a_turn_too(house: House) -> None:
    connection = house.wire().connection
    lane = Lane()
    busy = [lane.put(connection, (FetchLeaves(each, 0),), 10) for each in range(1, 11)]
    assert busy == [[]] * limits.FETCHES_PER_TURN + [[9], [10]]


@pytest.mark.asyncio
async def test_the_fuller_it_is_the_less_one_connection_may_have_in_it(house: House) -> None:
    """Many who have little each: first a share, then an eighth of it, then one each, and then nobody."""
    lane, most = Lane(), limits.LANE_LEAST_FRAMES
    lane.took(most, 60.0)
    room = []
    for _ in range(9 * most):
        connection = house.wire().connection
        before = len(lane)
        for request in range(1, 2 * limits.LANE_SHARE_FRAMES):
            lane.put(connection, (Accept(request, bytes(32)),), 10)
        room.append(len(lane) - before)
        if not room[-1]:
            break
    share = limits.LANE_SHARE_FRAMES
    assert set(room[1:]) >= {share, share // 8, 1, 0}
    assert sorted(room[1:], reverse=True) == room[1:]
    assert len(lane) == 8 * most


@pytest.mark.asyncio
async def test_what_fills_it_is_what_a_turn_handles_in_its_time(house: House) -> None:
    lane = Lane()

    def room() -> int:
        connection = house.wire().connection
        for request in range(1, 2 * limits.LANE_FRAMES):
            lane.put(connection, (Accept(request, bytes(32)),), 10)
        return len(lane.take())

    assert room() == limits.LANE_FRAMES
    lane.took(limits.LANE_LEAST_FRAMES - 1, 60.0)
    assert room() == limits.LANE_FRAMES, "few that took long: that may be the disk"
    lane.took(1000, 2 * limits.LANE_SECONDS)
    assert room() == 500
    lane.took(2000, 2 * limits.LANE_SECONDS)
    assert room() == 500, "what is less already is not made more by a turn that took too long"
    lane.took(1000, 60.0)
    assert room() == limits.LANE_LEAST_FRAMES
    lane.took(1000, limits.LANE_SECONDS)
    assert room() > limits.LANE_LEAST_FRAMES
    for _ in range(30):
        lane.took(1000, limits.LANE_SECONDS)
    assert room() == limits.LANE_FRAMES
