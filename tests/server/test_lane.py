"""The lane: bounded, and nobody can fill the part that is left to others."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.codes import Code
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
