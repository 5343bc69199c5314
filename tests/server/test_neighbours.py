"""Two servers of one database, people on either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.ledger.heads import Head, SignedHead
from coterie.server.connection import CloseReason
from coterie.wire.frames import Accepted, LedgerGrew, Presence, Ready, Refusal, ServerFrame
from tests.server.house import TLS_KEY, Wire
from tests.server.people import Device, Person, revoking
from tests.server.scenes import code, logged_in, registered
from tests.server.street import PATIENCE_SECONDS, Street, apart, deaf_street, street

__all__ = ["deaf_street", "street"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def test_people_at_two_servers_talk(street: Street, alice: Person, bob: Person) -> None:
    """The log begins while bob is connected elsewhere, and goes on."""
    alices, bobs = await apart(street, alice, bob)
    assert len(await bobs.mail(1)) == 1
    for text in (b"one", b"two"):
        said = alice.device.message(alice.direct_with(bob), bob.account, request=3, ciphertext=text)
        assert isinstance(await alices.ask(said), Accepted)
        (entry,) = await bobs.messages(1)
        assert entry.ciphertext == text
    share = bob.device.share(alice.direct_with(bob), alice.account, alice.device, request=4)
    assert isinstance(await bobs.ask(share), Accepted)
    back = bob.device.message(alice.direct_with(bob), alice.account, request=5, ciphertext=b"three")
    assert isinstance(await bobs.ask(back), Accepted)
    (entry,) = await alices.messages(1)
    assert (entry.seq, entry.ciphertext) == (3, b"three")


async def test_who_is_connected_elsewhere_hears_of_a_new_conversation(
    street: Street, alice: Person, bob: Person, carol: Person
) -> None:
    await registered(street[1], carol)
    carols = street[1].wire()
    await carols.sign_in(carol.device)
    alices, bobs = await apart(street, alice, bob)
    await bobs.mail(1)
    share = alice.device.share(alice.direct_with(carol), carol.account, carol.device, request=3)
    assert isinstance(await alices.ask(share), Accepted)
    said = alice.device.message(alice.direct_with(carol), carol.account, request=4)
    assert isinstance(await alices.ask(said), Accepted)
    assert len(await carols.messages(1)) == 1


async def test_what_others_wrote_is_asked_for_by_one_question(
    street: Street, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings entries, how far the log is, and how far the mailboxes of those who read it are."""
    alices, bobs = await apart(street, alice, bob)
    await bobs.mail(1)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    assert isinstance(await alices.ask(said), Accepted)
    await bobs.messages(1)
    shared = street[1].turns._neighbours._shared  # type: ignore[union-attr] # it has neighbours
    asked: list[str] = []
    for name in ("ends", "logs"):
        ask = getattr(shared, name)

        def counted(*values: object, name: str = name, ask: Callable[..., object] = ask) -> object:
            asked.append(name)
            return ask(*values)

        monkeypatch.setattr(shared, name, counted)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=4)
    assert isinstance(await alices.ask(said), Accepted)
    await bobs.messages(1)
    assert asked == ["logs"]


async def test_what_others_wrote_goes_out_before_anything_is_committed(
    deaf_street: Street, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it does not wait for a disk, and what comes in meanwhile is committed together."""
    alices, before = await apart(deaf_street, alice, bob)
    before.hang_up()
    bobs = deaf_street[1].wire()
    await bobs.sign_in(bob.device)
    conversation = alice.direct_with(bob)
    share = bob.device.share(conversation, alice.account, alice.device, request=3)
    assert isinstance(await bobs.ask(share), Accepted)
    for wire, device, to in ((bobs, bob.device, alice.account), (alices, alice.device, bob.account)):
        assert isinstance(await wire.ask(device.message(conversation, to, request=4)), Accepted)
    other = deaf_street[1]
    neighbours = other.turns._neighbours
    assert neighbours is not None
    done: list[str] = []
    for place, name in ((neighbours._shared, "logs"), (other.store, "commit")):
        do = getattr(place, name)

        def noted(*values: object, name: str = name, do: Callable[..., object] = do) -> object:
            done.append(name)
            return do(*values)

        monkeypatch.setattr(place, name, noted)
    other.wakeups.heard.add(neighbours._topics.of_stream(log_of(conversation)))
    bobs.say(bob.device.message(conversation, alice.account, request=5))
    await bobs.next(Accepted)
    assert done[:2] == ["logs", "commit"]
    assert [entry.seq for entry in await bobs.messages(1)] == [2]


async def test_everybody_follows_one_ledger_whoever_adds_to_it(
    street: Street, alice: Person, bob: Person, carol: Person
) -> None:
    """Sign-ups at both: one growing sequence, and a head of either counts for both."""
    alices, bobs = await apart(street, alice, bob)
    one, other = street
    await registered(other, carol)
    for wire in (alices, bobs):
        while await grown_to(wire) < 4:
            """Of the sign-up before it was connected, where that is told late."""
    assert one.realm.ledger == other.realm.ledger
    assert await one.store.ledger_size() == 4


async def grown_to(wire: Wire) -> int:
    """The size of the ledger that is told next."""
    return Head.unpack(SignedHead.unpack((await wire.next(LedgerGrew)).head).payload).size


async def test_a_revoked_device_goes_wherever_it_is(street: Street, alice: Person, bob: Person) -> None:
    alices, _bobs = await apart(street, alice, bob)
    second = Device(alice.account)
    wire = await logged_in(street[0], alice)
    assert isinstance(await wire.ask(alice.add_device(second)), Accepted)
    seconds = street[1].wire()
    await seconds.sign_in(second)
    assert isinstance(await alices.ask(revoking(alice)), Accepted)
    refusal = await seconds.next(Refusal)
    assert refusal.code == Code.REVOKED.value
    assert not alices.closed.is_set()


async def test_the_newer_connection_of_a_device_is_its_only_one(
    street: Street, alice: Person, bob: Person
) -> None:
    alices, _bobs = await apart(street, alice, bob)
    again = street[1].wire()
    await again.sign_in(alice.device)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await alices.closed.wait()
    assert alices.reason is CloseReason.GOING_AWAY
    assert not again.closed.is_set()


async def test_people_see_who_is_at_the_other_server(street: Street, alice: Person, bob: Person) -> None:
    alices, bobs = await apart(street, alice, bob)
    assert await shown(street, alices, bob) is True
    bobs.hang_up()
    assert await shown(street, alices, bob) is False


async def shown(street: Street, wire: Wire, person: Person) -> bool:
    """What is told next of this person."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for frame in wire.waiting(Presence):
                wire.kept.remove(frame)
                for each in frame.people:
                    if each.account == person.account and not frame.initial:
                        return each.online
            street[0].clock.advance(1.0)
            await street[0].store.ledger_size()


async def test_a_copy_is_refused_beside_the_original_at_another_server(
    street: Street, alice: Person, bob: Person
) -> None:
    """Attack: a copied profile starts where the running original is not connected."""
    alices, _bobs = await apart(street, alice, bob)
    answer = await signed_in_elsewhere(street, alice)
    assert code(answer) is Code.COPIED_PROFILE
    assert not alices.closed.is_set()


async def test_a_device_may_start_again_elsewhere_once_its_old_connection_is_silent(
    street: Street, alice: Person, bob: Person
) -> None:
    alices, _bobs = await apart(street, alice, bob)
    alices.answers_pings = False
    assert isinstance(await signed_in_elsewhere(street, alice), Ready)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await alices.closed.wait()


async def signed_in_elsewhere(street: Street, person: Person) -> ServerFrame:
    """The answer to the next run of the person's device, at the other house."""
    wire = street[1].wire()
    await wire.greet()
    person.device.restart()
    asking = asyncio.get_running_loop().create_task(wire.ask(person.device.prove(wire.challenge, TLS_KEY)))
    while not asking.done():
        street[0].clock.advance(1.0)
        await asyncio.wait({asking}, timeout=0.2)
    return asking.result()
