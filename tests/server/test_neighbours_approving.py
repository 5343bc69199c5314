"""A device that wants to join, and the one that admits it, at two servers of one database."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.wire.frames import (
    Accepted,
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    LoginProve,
    LoginStart,
    RelayApproval,
    Salt,
    WatchApprovals,
)
from tests.server.house import Wire
from tests.server.people import Person
from tests.server.scenes import code, registered
from tests.server.street import Neighbour, Street, deaf_street, street, within_a_ping_interval

__all__ = ["deaf_street", "street"]
pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

FAR = "192.0.2.7"
R = b"r" * 16


async def newcomer(house: Neighbour, name: str = "alice", rendezvous: bytes = R) -> Wire:
    wire = house.wire()
    await wire.greet()
    assert await wire.ask(AskApproval(1, name, rendezvous, b"request")) == Accepted(1, 0)
    return wire


async def looking(house: Neighbour, person: Person) -> Wire:
    wire = house.wire()
    await wire.sign_in(person.device)
    assert await wire.ask(WatchApprovals(9, limits.APPROVAL_SECONDS)) == Accepted(9, 0)
    return wire


async def test_they_find_each_other_and_talk(street: Street, alice: Person, bob: Person) -> None:
    """Whoever comes first; and nobody else hears of it."""
    one, other = street
    await registered(one, alice, bob)
    bobs, old = await looking(one, bob), await looking(one, alice)
    new = await newcomer(other)
    assert await old.next(ApprovalAsked) == ApprovalAsked(R, b"request")
    old.say(RelayApproval(R, b"answer"))
    assert await new.next(ApprovalRelayed) == ApprovalRelayed(R, b"answer")
    new.say(RelayApproval(R, b"reveal"))
    assert await old.next(ApprovalRelayed) == ApprovalRelayed(R, b"reveal")
    old.say(RelayApproval(R, b"grant"), EndApproval(R))
    assert await new.next(ApprovalRelayed) == ApprovalRelayed(R, b"grant")
    assert (await new.next(ApprovalEnded), await old.next(ApprovalEnded)) == (ApprovalEnded(R),) * 2
    later = await newcomer(other)
    assert await old.next(ApprovalAsked) == ApprovalAsked(R, b"request")
    assert bobs.waiting(ApprovalAsked) == new.waiting(ApprovalAsked) == later.waiting(ApprovalAsked) == []
    assert await one.store.mail_waiting() == 0
    later.hang_up()


async def test_they_talk_though_no_hint_arrives(deaf_street: Street, alice: Person) -> None:
    one, other = deaf_street
    await registered(one, alice)
    new, old = await newcomer(other), await looking(one, alice)
    await within_a_ping_interval(deaf_street, old.next(ApprovalAsked))
    old.say(RelayApproval(R, b"answer"))
    assert (await within_a_ping_interval(deaf_street, new.next(ApprovalRelayed))).message == b"answer"
    new.hang_up()
    await within_a_ping_interval(deaf_street, old.next(ApprovalEnded))


@pytest.mark.parametrize("side", ["newcomer", "device"])
async def test_a_lost_connection_ends_it_at_the_other_server(
    street: Street, alice: Person, side: str
) -> None:
    one, other = street
    await registered(one, alice)
    old, new = await looking(one, alice), await newcomer(other)
    await old.next(ApprovalAsked)
    old.say(RelayApproval(R, b"answer"))
    await new.next(ApprovalRelayed)
    gone, stays = (new, old) if side == "newcomer" else (old, new)
    gone.hang_up()
    await stays.next(ApprovalEnded)


async def test_a_device_of_another_account_cannot_step_in_from_elsewhere(
    street: Street, alice: Person, bob: Person
) -> None:
    """Attack: Bob has seen the rendezvous, and answers in Alice's place, or ends it, at another server."""
    one, other = street
    await registered(one, alice, bob)
    new, bobs, old = await newcomer(one), await looking(other, bob), await looking(other, alice)
    await old.next(ApprovalAsked)
    bobs.say(RelayApproval(R, b"false"), EndApproval(R))
    assert await bobs.next(ApprovalEnded) == ApprovalEnded(R)
    old.say(RelayApproval(R, b"answer"))
    assert (await new.next(ApprovalRelayed)).message == b"answer"
    assert new.waiting(ApprovalEnded) == []


async def test_what_is_shared_is_not_logged(street: Street, alice: Person) -> None:
    """No copy of the database, and no standby, ever has a request, or who tried to get in."""
    from asyncpg import Connection

    one, _ = street
    await registered(one, alice)
    await newcomer(one)
    line = await one.store._reading.get()
    assert isinstance(line, Connection)
    persistence = "SELECT relname, relpersistence FROM pg_class WHERE relname = ANY($1::text[])"
    rows = await line.fetch(persistence, ["approvals", "approval_words", "tries", "visits"])
    assert {row[0]: row[1] for row in rows} == dict.fromkeys(
        ("approvals", "approval_words", "tries", "visits"), b"u"
    )
    assert await line.fetchval("SELECT count(*) FROM approvals") == 1


async def test_wrong_passwords_are_counted_for_both(street: Street, alice: Person) -> None:
    """Attack: guess at every server in turn."""
    one, other = street
    await registered(one, alice)
    refused = [await guessed(house, 1) for _ in range(int(limits.LOGIN_FAILURES) // 2) for house in street]
    assert refused == [Code.WRONG_CREDENTIALS] * int(limits.LOGIN_FAILURES)
    assert await guessed(one, 2) is Code.TOO_MANY_TRIES
    assert await guessed(other, 3) is Code.TOO_MANY_TRIES


async def guessed(house: Neighbour, request: int) -> Code | None:
    wire = house.wire(FAR)
    await wire.greet()
    assert isinstance(await wire.ask(LoginStart(request, "alice")), Salt)
    answer = await wire.ask(LoginProve(request + 1, "alice", b"x" * 32))
    wire.hang_up()
    return code(answer)


async def test_requests_to_join_are_counted_for_both(street: Street) -> None:
    """Attack: ask without end, at every server in turn."""
    answers = []
    for number in range(int(limits.APPROVALS_BURST) + 1):
        wire = street[number % 2].wire(FAR)
        await wire.greet()
        answers.append(code(await wire.ask(AskApproval(1, "alice", bytes([number]) * 16, b"request"))))
    assert answers == [*(int(limits.APPROVALS_BURST) * [None]), Code.TOO_MANY_TRIES]
