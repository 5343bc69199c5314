"""Which device may sign in, on how many connections, and who is told of it."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server import connection, roster
from coterie.server.connection import CloseReason
from coterie.wire import codec
from coterie.wire.frames import (
    Accepted,
    FetchAccounts,
    Hello,
    LoginStart,
    Ping,
    Presence,
    PublishManifest,
    Ready,
    Refusal,
)
from coterie.wire.frames.accounts import KnownAccount
from tests.ledger.accounts import after
from tests.server.house import TLS_KEY, House, Wire, settle
from tests.server.people import Device, Person
from tests.server.scenes import code, registered


async def greeted(house: House) -> Wire:
    wire = house.wire()
    await wire.greet()
    return wire


def told(wire: Wire) -> list[tuple[str, bool]]:
    """What came about people since the last call: name, online."""
    news = [person for frame in wire.waiting(Presence) for person in frame.people]
    wire.kept.clear()
    return [(person.name, person.online) for person in news]


@pytest.mark.asyncio
async def test_only_what_the_device_signed_for_this_connection_signs_in(house: House, alice: Person) -> None:
    await registered(house, alice)
    other = await greeted(house)
    wire = await greeted(house)
    proof = alice.device.prove(wire.challenge, TLS_KEY)
    for wrong in (
        alice.device.prove(other.challenge, TLS_KEY),
        alice.device.prove(wire.challenge, b"x" * 32),
        msgspec.structs.replace(proof, run=2),
        msgspec.structs.replace(proof, run_nonce=bytes(16)),
    ):
        assert code(await wire.ask(wrong)) is Code.WRONG_CREDENTIALS
    unknown = Device(alice.account)
    assert code(await wire.ask(unknown.prove(wire.challenge, TLS_KEY))) is Code.UNKNOWN_DEVICE
    assert code(await wire.ask(msgspec.structs.replace(proof, account=bytes(32)))) is Code.UNKNOWN_DEVICE
    assert isinstance(await wire.ask(proof), Ready)


@pytest.mark.asyncio
async def test_a_reconnect_of_the_same_run_takes_over(house: House, alice: Person) -> None:
    await registered(house, alice)
    first, second = house.wire(), house.wire()
    await first.sign_in(alice.device)
    await second.sign_in(alice.device)
    assert (first.reason, first.pings) == (CloseReason.GOING_AWAY, 0)
    assert second.reason is None


@pytest.mark.asyncio
async def test_a_copy_is_refused_while_the_original_answers(house: House, alice: Person) -> None:
    await registered(house, alice)
    original = house.wire()
    await original.sign_in(alice.device)
    for change in ("run", "nonce"):
        if change == "run":
            alice.device.restart()
        else:
            alice.device.run, alice.device.nonce = 1, b"n" * 16
        copy = await greeted(house)
        assert code(await copy.ask(alice.device.prove(copy.challenge, TLS_KEY))) is Code.COPIED_PROFILE
    assert (original.reason, original.pings) == (None, 2)
    alice.device.run = 0
    older = await greeted(house)
    assert code(await older.ask(alice.device.prove(older.challenge, TLS_KEY))) is Code.RESTORED_PROFILE
    assert original.pings == 2, "nobody is asked about what is older anyway"


@pytest.mark.asyncio
async def test_a_connection_that_died_unnoticed_gives_way(house: House, alice: Person) -> None:
    await registered(house, alice)
    dead = house.wire()
    await dead.sign_in(alice.device)
    dead.answers_pings = False
    alice.device.restart()
    wire = await greeted(house)
    wire.say(alice.device.prove(wire.challenge, TLS_KEY))
    await settle()
    assert (dead.pings, wire.waiting(Ready)) == (1, [])
    await house.pass_time(limits.COPIED_PROFILE_PING_SECONDS + 1)
    assert len(wire.waiting(Ready)) == 1
    assert dead.reason is CloseReason.GOING_AWAY


@pytest.mark.asyncio
async def test_a_connection_that_ends_while_it_is_asked_gives_way_at_once(
    house: House, alice: Person
) -> None:
    await registered(house, alice)
    dying = house.wire()
    await dying.sign_in(alice.device)
    dying.answers_pings = False
    alice.device.restart()
    wire = await greeted(house)
    wire.say(alice.device.prove(wire.challenge, TLS_KEY))
    await settle()
    dying.hang_up()
    assert isinstance(await wire.next(Ready), Ready)


@pytest.mark.asyncio
async def test_a_restored_copy_is_recognised(house: House, alice: Person) -> None:
    await registered(house, alice)
    alice.device.run = 5
    wire = house.wire()
    await wire.sign_in(alice.device)
    wire.hang_up()
    for run, nonce in ((4, alice.device.nonce), (5, b"n" * 16)):
        restored = await greeted(house)
        alice.device.run, alice.device.nonce = run, nonce
        answer = await restored.ask(alice.device.prove(restored.challenge, TLS_KEY))
        assert code(answer) is Code.RESTORED_PROFILE


@pytest.mark.asyncio
async def test_a_revoked_device_is_put_out_and_stays_out(house: House, alice: Person) -> None:
    await registered(house, alice)
    phone = Device(alice.account)
    first, second = house.wire(), house.wire()
    await first.sign_in(alice.device)
    alice.signed = alice.with_added(alice.signed, phone)
    assert isinstance(await first.ask(PublishManifest(2, alice.signed.pack())), Accepted)
    await second.sign_in(phone)
    own, phones = alice.signed.manifest.devices
    revoking = after(alice.signed, devices=(own, phones.revoked(house.clock.wall_ms())))
    alice.signed = alice.sign(revoking)
    assert isinstance(await first.ask(PublishManifest(3, alice.signed.pack())), Accepted)
    assert (await second.next(Refusal)).code == Code.REVOKED
    assert second.reason is CloseReason.REFUSED
    late = await greeted(house)
    assert code(await late.ask(phone.prove(late.challenge, TLS_KEY))) is Code.REVOKED


@pytest.mark.asyncio
async def test_a_vault_changes_with_its_manifest_and_keeps_its_auth_keys(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    vault = alice.vault_of(alice.auth_key, alice.recovery_auth_key, random=b"r" * 16)
    foreign = alice.vault_of(b"k" * 32, alice.recovery_auth_key)

    def naming(data: bytes) -> bytes:
        manifest = msgspec.structs.replace(after(alice.signed), vault_hash=hashlib.sha256(data).digest())
        return alice.sign(manifest).pack()

    assert code(await wire.ask(PublishManifest(2, naming(vault)))) is Code.BAD_MANIFEST
    assert code(await wire.ask(PublishManifest(3, naming(vault), foreign))) is Code.BAD_MANIFEST
    assert code(await wire.ask(PublishManifest(4, naming(foreign), foreign))) is Code.BAD_MANIFEST
    assert isinstance(await wire.ask(PublishManifest(5, naming(vault), vault)), Accepted)
    row = await house.store.login(alice.name)
    assert row is not None
    assert row.vault == vault
    assert await house.store.salt(alice.name) == b"r" * 16


@pytest.mark.asyncio
async def test_presence_tells_of_people_once_a_second_and_of_no_short_absence(
    house: House, alice: Person, bob: Person, carol: Person
) -> None:
    await registered(house, alice, bob, carol)
    alices, bobs = house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await house.pass_time(1)
    assert told(alices) == [("alice", True)]
    await bobs.greet()
    bobs.say(bob.device.prove(bobs.challenge, TLS_KEY))
    initial = await bobs.next(Presence)
    assert initial.initial
    assert [(person.name, person.online) for person in initial.people] == [("alice", True)]
    await settle()
    assert told(alices) == []
    await house.pass_time(1)
    assert told(alices) == told(bobs) == [("bob", True)]
    bobs.hang_up()
    back, late = house.wire(), house.wire()
    await late.sign_in(carol.device)
    await back.sign_in(bob.device)
    await house.pass_time(1)
    assert told(alices) == told(late) == [("carol", True)]
    back.hang_up()
    await house.pass_time(1)
    assert told(alices) == told(late) == [("bob", False)]


@pytest.mark.asyncio
async def test_who_comes_while_somebody_reconnects_misses_nobody(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice, bob)
    alices, bobs = house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await house.pass_time(1)
    alices.hang_up()
    await bobs.greet()
    bobs.say(bob.device.prove(bobs.challenge, TLS_KEY))
    initial = await bobs.next(Presence)
    await house.wire().sign_in(alice.device)
    await house.pass_time(1)
    online = {person.name for person in initial.people}
    assert online | {name for name, there in told(bobs) if there} == {"alice", "bob"}


@pytest.mark.asyncio
async def test_a_long_list_comes_in_parts_that_say_what_they_are(
    house: House, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "PEOPLE_PER_FRAME", 1)
    await registered(house, alice, bob)
    alices, bobs, late = house.wire(), house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    await house.pass_time(1)
    second = Device(alice.account)
    alice.signed = alice.with_added(alice.signed, second)
    await alices.ask(PublishManifest(2, alice.signed.pack()))
    await late.greet()
    late.say(second.prove(late.challenge, TLS_KEY))
    parts = [await late.next(Presence) for _ in range(2)]
    assert all(part.initial for part in parts)
    assert {person.name for part in parts for person in part.people} == {"alice", "bob"}


@pytest.mark.asyncio
async def test_a_long_list_goes_as_the_network_takes_it_and_changes_come_behind_it(
    house: House, alice: Person, bob: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for the network fills buffers, which keep the size that they once had. A change that came
    before the list that it changes would be undone by it."""
    monkeypatch.setattr(roster, "PEOPLE_PER_FRAME", 1)
    monkeypatch.setattr(connection, "PORTION_BYTES", 1)
    await registered(house, alice, bob, carol)
    alices, bobs, carols = house.wire(), house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    await house.pass_time(1)
    await carols.greet()
    carols.unsent_bytes = 1
    assert isinstance(await carols.ask(carol.device.prove(carols.challenge, TLS_KEY)), Ready)
    alices.hang_up()
    await house.pass_time(1)
    assert carols.waiting(Presence) == []
    carols.unsent_bytes = 0
    await house.pass_time(1)
    parts = carols.waiting(Presence)
    assert [part.initial for part in parts[:2]] == [True, True]
    assert {person.name for part in parts[:2] for person in part.people} == {"alice", "bob"}
    assert {(each.name, each.online) for part in parts[2:] for each in part.people} == {
        ("alice", False),
        ("carol", True),
    }


@pytest.mark.asyncio
async def test_the_list_is_encoded_once_for_all_who_come_until_it_changes(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice, bob)
    here = house.wire()
    await here.sign_in(alice.device)
    await house.pass_time(1)
    first = house.turns.connections._roster.everybody()
    await house.wire().sign_in(bob.device)
    assert house.turns.connections._roster.everybody() is first
    await house.pass_time(1)
    (second,) = house.turns.connections._roster.everybody()
    assert second.data != first[0].data


@pytest.mark.asyncio
async def test_a_person_is_there_while_any_device_is(house: House, alice: Person, bob: Person) -> None:
    await registered(house, alice, bob)
    phone = Device(bob.account)
    alices, desks, phones = house.wire(), house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await desks.sign_in(bob.device)
    bob.signed = bob.with_added(bob.signed, phone)
    await desks.ask(PublishManifest(2, bob.signed.pack()))
    await phones.sign_in(phone)
    await house.pass_time(1)
    alices.waiting(Presence)
    alices.kept.clear()
    desks.hang_up()
    await house.pass_time(2)
    assert alices.waiting(Presence) == []
    phones.hang_up()
    await house.pass_time(2)
    assert len(alices.waiting(Presence)) == 1


@pytest.mark.asyncio
async def test_what_breaks_the_protocol_is_told_why_and_closed_alone(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice, bob)
    good = house.wire()
    await good.sign_in(alice.device)
    garbage = house.wire()
    garbage.throw(b"\xff" * 100)
    assert (await garbage.next(Refusal)) == Refusal(0, "bad-frame")
    early = await greeted(house)
    early.throw(codec.encode(FetchAccounts(1, (KnownAccount(alice.account, 0),))))
    assert (await early.next(Refusal)) == Refusal(0, "unexpected-frame")
    old = house.wire()
    old.throw(codec.encode(Hello((99,))))
    assert (await old.next(Refusal)) == Refusal(0, "version")
    assert {garbage.reason, early.reason, old.reason} == {CloseReason.REFUSED}
    garbage.throw(b"more")
    good.say(Ping(1))
    await settle()
    assert good.reason is None


@pytest.mark.asyncio
async def test_silent_connections_are_pinged_and_then_closed(house: House, alice: Person) -> None:
    await registered(house, alice)
    mute, strange, unproven, alive, dead = (house.wire() for _ in range(5))
    await alive.sign_in(alice.device)
    strange.answers_pings = dead.answers_pings = False
    await strange.greet()
    await unproven.greet()
    await house.pass_time(limits.HANDSHAKE_SECONDS + 1)
    assert mute.reason is CloseReason.GOING_AWAY, "no Hello in time"
    await house.pass_time(limits.PING_SECONDS)
    assert strange.reason is CloseReason.GOING_AWAY, "no answer to a ping"
    assert dead.reason is CloseReason.GOING_AWAY
    await house.pass_time(120)
    assert unproven.reason is CloseReason.GOING_AWAY, "nobody signed in"
    assert (alive.reason, alive.pings > 3) == (None, True)


@pytest.mark.asyncio
async def test_unproven_connections_of_one_address_are_few(house: House, alice: Person) -> None:
    stranger = "2001:db8:1:2:ffff::1"
    wires = [house.wire(stranger) for _ in range(50)]
    assert not house.turns.has_room_for("2001:db8:1:2::7"), "counted by network"
    assert house.turns.has_room_for("2001:db8:1:3::7")
    assert house.turns.has_room_for("127.0.0.1")
    wires[0].hang_up()
    assert house.turns.has_room_for(stranger)
    await wires[1].greet()
    wires[1].say(LoginStart(1, "nobody"))
    await settle()
    assert house.turns.has_room_for(stranger)
