"""A device that wants to join and a device of the account speak through the server, and nobody is flooded."""

from __future__ import annotations

import secrets

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.approvals import Approvals
from coterie.server.store.approval_board import MemoryBoard
from coterie.wire.frames import (
    Accepted,
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
    Send,
    WatchApprovals,
)
from tests.server.house import House, Wire, settle
from tests.server.people import Device, Person
from tests.server.scenes import code, logged_in, registered

pytestmark = pytest.mark.asyncio

FAR = "192.0.2.7"
R = b"r" * 16


async def newcomer(house: House, name: str = "alice", rendezvous: bytes = R, address: str = FAR) -> Wire:
    """Somebody without an account asks the devices of a name."""
    wire = house.wire(address)
    await wire.greet()
    assert await wire.ask(AskApproval(1, name, rendezvous, b"request")) == Accepted(1, 0)
    return wire


async def device_of(house: House, person: Person, *, watching: bool = True) -> Wire:
    wire = house.wire()
    await wire.sign_in(person.device)
    if watching:
        assert await wire.ask(WatchApprovals(9, limits.APPROVAL_SECONDS)) == Accepted(9, 0)
    return wire


async def test_what_they_say_is_handed_on_both_ways(house: House, alice: Person) -> None:
    await registered(house, alice)
    new, old = await newcomer(house), await device_of(house, alice)
    assert await old.next(ApprovalAsked) == ApprovalAsked(R, b"request")
    old.say(RelayApproval(R, b"answer"))
    assert await new.next(ApprovalRelayed) == ApprovalRelayed(R, b"answer")
    new.say(RelayApproval(R, b"reveal"))
    assert await old.next(ApprovalRelayed) == ApprovalRelayed(R, b"reveal")
    old.say(EndApproval(R))
    assert (await new.next(ApprovalEnded), await old.next(ApprovalEnded)) == (ApprovalEnded(R),) * 2


async def test_nothing_of_it_is_written_down(house: House, alice: Person) -> None:
    await registered(house, alice)
    before = house.metrics.records
    new, old = await newcomer(house), await device_of(house, alice)
    signing_in = house.metrics.records - before
    old.say(RelayApproval(R, b"answer"))
    await new.next(ApprovalRelayed)
    new.say(RelayApproval(R, b"reveal"))
    await old.next(ApprovalRelayed)
    assert house.metrics.records - before == signing_in


async def test_a_name_that_nobody_has_gets_the_same_answer(house: House, alice: Person) -> None:
    """Attack: asking tells who has an account. Nothing is looked up, so nothing can be told."""
    await registered(house, alice)
    for name in ("alice", "nobody"):
        new = await newcomer(house, name, secrets.token_bytes(16))
        await house.pass_time(limits.APPROVAL_SECONDS - 5)
        assert new.waiting(ApprovalEnded) == []
        await house.pass_time(6)
        assert len(new.waiting(ApprovalEnded)) == 1


async def test_only_who_looks_is_told(house: House, alice: Person, bob: Person) -> None:
    """Attack: a stranger's requests pop up on somebody's screens."""
    await registered(house, alice, bob)
    bobs, alices = await device_of(house, bob), await device_of(house, alice, watching=False)
    await newcomer(house)
    await settle()
    assert bobs.waiting(ApprovalAsked) == alices.waiting(ApprovalAsked) == []
    await alices.ask(WatchApprovals(9, 30))
    await alices.next(ApprovalAsked)
    await alices.ask(WatchApprovals(10, 0))
    await newcomer(house, rendezvous=b"s" * 16)
    await house.pass_time(1)
    assert alices.waiting(ApprovalAsked) == []
    await alices.ask(WatchApprovals(11, 30))
    assert len([await alices.next(ApprovalAsked) for _ in range(2)]) == 2
    await house.pass_time(31)
    await newcomer(house, rendezvous=b"t" * 16)
    await settle()
    assert bobs.waiting(ApprovalAsked) == alices.waiting(ApprovalAsked) == []


async def test_who_has_the_code_is_told_of_that_one_alone(house: House, alice: Person) -> None:
    """Attack: so many requests that the person's own is not among them."""
    await registered(house, alice)
    await newcomer(house)
    for _ in range(2 * limits.APPROVALS_SHOWN):
        await newcomer(house, rendezvous=secrets.token_bytes(16), address="127.0.0.1")
    old = await device_of(house, alice, watching=False)
    await old.ask(WatchApprovals(9, 60, R))
    await newcomer(house, rendezvous=secrets.token_bytes(16), address="127.0.0.1")
    await settle()
    assert old.waiting(ApprovalAsked) == [ApprovalAsked(R, b"request")]


async def test_a_flood_shows_little_and_costs_little(house: House, alice: Person) -> None:
    """Attack: requests without end. One address has few; a device hears of few; the server keeps few."""
    await registered(house, alice)
    for number in range(int(limits.APPROVALS_BURST)):
        await newcomer(house, rendezvous=number.to_bytes(16, "big"))
    wire = house.wire(FAR)
    await wire.greet()
    assert code(await wire.ask(AskApproval(1, "alice", R, b"request"))) is Code.TOO_MANY_TRIES
    for _ in range(limits.APPROVALS_WAITING):
        await newcomer(house, rendezvous=secrets.token_bytes(16), address="127.0.0.1")
    assert house.figure("approvals_waiting") == limits.APPROVALS_WAITING
    old = await device_of(house, alice)
    await settle()
    await newcomer(house, rendezvous=secrets.token_bytes(16), address="127.0.0.1")
    await settle()
    assert len(old.waiting(ApprovalAsked)) == limits.APPROVALS_SHOWN


async def test_looking_has_a_rate(house: House, alice: Person) -> None:
    await registered(house, alice)
    old = await device_of(house, alice)
    for request in range(10, 9 + int(limits.APPROVAL_WATCHES_BURST)):
        assert isinstance(await old.ask(WatchApprovals(request, 1)), Accepted)
    assert code(await old.ask(WatchApprovals(99, 1))) is Code.TOO_MANY_TRIES
    assert isinstance(await old.ask(WatchApprovals(100, 0)), Accepted)


async def test_a_device_of_another_account_cannot_step_in(house: House, alice: Person, bob: Person) -> None:
    """Attack: Bob has seen the rendezvous, and answers in Alice's place or ends it."""
    await registered(house, alice, bob)
    new, bobs, old = await newcomer(house), await device_of(house, bob), await device_of(house, alice)
    bobs.say(RelayApproval(R, b"false"), EndApproval(R))
    assert await bobs.next(ApprovalEnded) == ApprovalEnded(R)
    old.say(RelayApproval(R, b"answer"))
    assert (await new.next(ApprovalRelayed)).message == b"answer"
    bobs.say(EndApproval(R))
    other = await newcomer(house, rendezvous=b"s" * 16)
    other.say(RelayApproval(R, b"false"), EndApproval(R))
    await settle()
    assert new.waiting(ApprovalEnded) == []
    assert new.waiting(ApprovalRelayed) == old.waiting(ApprovalRelayed) == []


async def test_the_first_device_that_answers_goes_on(house: House, alice: Person) -> None:
    await registered(house, alice)
    second = Device(alice.account)
    wire = await logged_in(house, alice)
    assert isinstance(await wire.ask(alice.add_device(second)), Accepted)
    new, old = await newcomer(house), await device_of(house, alice)
    late = house.wire()
    await late.sign_in(second)
    await late.ask(WatchApprovals(9, 60))
    await late.next(ApprovalAsked)
    old.say(RelayApproval(R, b"answer"))
    await new.next(ApprovalRelayed)
    late.say(RelayApproval(R, b"too late"), EndApproval(R))
    assert await late.next(ApprovalEnded) == ApprovalEnded(R)
    await late.ask(WatchApprovals(10, 60))
    await settle()
    assert late.waiting(ApprovalAsked) == []
    assert new.waiting(ApprovalEnded) == []
    assert new.waiting(ApprovalRelayed) == []


@pytest.mark.parametrize("side", ["newcomer", "device"])
async def test_too_many_messages_end_it(house: House, alice: Person, side: str) -> None:
    await registered(house, alice)
    new, old = await newcomer(house), await device_of(house, alice)
    old.say(RelayApproval(R, b"answer"))
    await new.next(ApprovalRelayed)
    said = new if side == "newcomer" else old
    for _ in range(limits.APPROVAL_RELAYS + 1):
        said.say(RelayApproval(R, b"more"))
    assert (await new.next(ApprovalEnded), await old.next(ApprovalEnded)) == (ApprovalEnded(R),) * 2


async def test_what_nobody_knows_says_little_and_only_to_who_has_answered(
    house: House, alice: Person
) -> None:
    await registered(house, alice)
    new, old = await newcomer(house), await device_of(house, alice)
    old.say(RelayApproval(R, bytes(limits.APPROVAL_MESSAGE_BYTES)))
    assert len((await new.next(ApprovalRelayed)).message) == limits.APPROVAL_MESSAGE_BYTES
    new.say(RelayApproval(R, bytes(limits.APPROVAL_REQUEST_BYTES + 1)))
    await new.next(ApprovalEnded)
    assert old.waiting(ApprovalRelayed) == []
    eager = await newcomer(house, rendezvous=b"s" * 16)
    eager.say(RelayApproval(b"s" * 16, b"to nobody"))
    await eager.next(ApprovalEnded)


async def test_a_lost_connection_ends_it_for_the_other_side(house: House, alice: Person) -> None:
    await registered(house, alice)
    new, old = await newcomer(house), await device_of(house, alice)
    old.say(RelayApproval(R, b"answer"))
    await new.next(ApprovalRelayed)
    old.hang_up()
    await new.next(ApprovalEnded)
    old = await device_of(house, alice)
    again = await newcomer(house)
    old.say(RelayApproval(R, b"answer"))
    await again.next(ApprovalRelayed)
    again.hang_up()
    await old.next(ApprovalEnded)


async def test_a_request_that_is_asked_again_takes_the_place_of_the_one_before(
    house: House, alice: Person
) -> None:
    await registered(house, alice)
    lost, again, old = await newcomer(house), await newcomer(house), await device_of(house, alice)
    await lost.next(ApprovalEnded)
    old.say(RelayApproval(R, b"answer"))
    assert (await again.next(ApprovalRelayed)).message == b"answer"
    assert lost.waiting(ApprovalRelayed) == []


async def test_who_waits_for_an_approval_is_not_hung_up_on_before_the_time(house: House) -> None:
    new = await newcomer(house)
    await house.pass_time(limits.APPROVAL_SECONDS - 1)
    assert new.reason is None
    await house.pass_time(2)
    await new.next(ApprovalEnded)
    await house.pass_time(1)
    assert new.reason is not None


@pytest.mark.slow
async def test_the_newest_stay_where_too_many_wait(house: House) -> None:
    approvals = Approvals(house.turns.connections, MemoryBoard())
    wires = []
    for number in range(limits.APPROVALS_WAITING + 1):
        wire = house.wire()
        wire.deaf = True
        wires.append(wire)
        await approvals.ask(wire.connection, AskApproval(1, "alice", number.to_bytes(16, "big"), b"r"), 0.0)
    approvals.look_again()
    await approvals.settle()
    assert len(approvals) == limits.APPROVALS_WAITING
    approvals.gone(wires[0].connection)
    assert len(approvals) == limits.APPROVALS_WAITING
    approvals.gone(wires[1].connection)
    assert len(approvals) == limits.APPROVALS_WAITING - 1


async def test_messages_of_others_go_on_beside_it(house: House, alice: Person, bob: Person) -> None:
    """It is a request like any other: nothing of the way of a message waits for it."""
    await registered(house, alice, bob)
    old, _ = await device_of(house, alice), await newcomer(house)
    share = alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=20)
    assert isinstance(await old.ask(share), Accepted)
    message: Send = alice.device.message(alice.direct_with(bob), bob.account, request=21)
    assert isinstance(await old.ask(message), Accepted)
