"""Two servers of one database, people on either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.ledger.heads import Head, SignedHead
from coterie.server.connection import CloseReason
from coterie.server.wakeups.local import LocalBus, Yard
from coterie.server.wakeups.pgnotify import NotifyBus
from coterie.server.wakeups.protocol import Bus
from coterie.wire.frames import Accepted, LedgerGrew, Presence, PublishManifest, Ready, Refusal, ServerFrame
from tests.ledger.accounts import NOW_MS, after
from tests.server.house import TLS_KEY, Wire
from tests.server.people import Device, Person
from tests.server.scenes import code, logged_in, registered
from tests.server.street import Neighbour, house_on

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

Street = tuple[Neighbour, Neighbour]
PATIENCE_SECONDS = 20.0


class Deaf(LocalBus):
    """A bus on which nothing arrives."""

    def receive(self, channel: int, topics: bytes) -> None:
        """Lost."""


def notifying(url: str) -> Callable[[], Bus]:
    return lambda: NotifyBus(url)


def yard(kind: type[LocalBus]) -> Callable[[str], Callable[[], Bus]]:
    def made(_url: str) -> Callable[[], Bus]:
        shared = Yard()
        return lambda: kind(shared)

    return made


@pytest_asyncio.fixture
async def street(postgres_database: str, request: pytest.FixtureRequest) -> AsyncIterator[Street]:
    """Two houses on one clock; with a bus of the kind that a test names, else by NOTIFY."""
    buses = getattr(request, "param", notifying)(postgres_database)
    clock = FakeClock(NOW_MS)
    async with AsyncExitStack() as left:
        one = await left.enter_async_context(house_on(postgres_database, buses(), clock))
        other = await left.enter_async_context(house_on(postgres_database, buses(), clock))
        yield one, other


async def apart(street: Street, alice: Person, bob: Person) -> tuple[Wire, Wire]:
    """Alice at one house, bob at the other; bob has alice's key."""
    one, other = street
    await registered(one, alice)
    await registered(other, bob)
    alices, bobs = one.wire(), other.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    share = alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=2)
    assert isinstance(await alices.ask(share), Accepted)
    return alices, bobs


async def until_deaf_hear(street: Street) -> None:
    """Let a ping interval pass, with time for the database in between."""
    for _ in range(round(limits.PING_SECONDS) + 1):
        street[0].clock.advance(1.0)
        await asyncio.sleep(0.01)


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


@pytest.mark.parametrize("street", [yard(Deaf)], indirect=True)
async def test_a_lost_hint_costs_a_ping_interval(street: Street, alice: Person, bob: Person) -> None:
    alices, bobs = await apart(street, alice, bob)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    assert isinstance(await alices.ask(said), Accepted)
    await until_deaf_hear(street)
    assert len(await bobs.mail(1)) == 1
    assert len(await bobs.messages(1)) == 1


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
    own, seconds_entry = alice.signed.manifest.devices
    revoking = after(alice.signed, devices=(own, seconds_entry.revoked(NOW_MS)))
    publish = PublishManifest(9, alice.sign(revoking).pack(), b"", b"", b"")
    assert isinstance(await alices.ask(publish), Accepted)
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
            await asyncio.sleep(0.01)


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
