"""Sign-up, login and new devices, from frame to answer, on a real store."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import UserName
from coterie.ledger.heads import Head, SignedHead
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.server.founding import invite_of
from coterie.server.policy import Buckets, Tried
from coterie.wire.frames import (
    Accepted,
    AddDevice,
    FetchLeaves,
    Leaves,
    LoginProve,
    LoginStart,
    Ready,
    Refusal,
    Salt,
    SignUp,
    VaultOpened,
)
from tests.server.house import House, house_in
from tests.server.people import Device, Person
from tests.server.scenes import code, logged_in, registered

STRANGER = "203.0.113.9"


@pytest.mark.asyncio
async def test_a_sign_up_is_in_the_ledger_before_it_is_answered(house: House, alice: Person) -> None:
    wire = house.wire()
    await wire.greet()
    accepted = await wire.ask(alice.sign_up())
    assert accepted == Accepted(1, 1)
    ready = await wire.ask(alice.device.prove(wire.challenge, house.realm.tls_key, request=2))
    assert isinstance(ready, Ready)
    assert ready.ledger_size == 2
    assert ready.one_time_keys == 3
    leaves = await wire.ask(FetchLeaves(3, 0))
    assert isinstance(leaves, Leaves)
    founding, leaf = (Leaf.unpack(each) for each in leaves.leaves)
    assert founding.kind is LeafKind.SERVER
    assert (leaf.kind, leaf.account, leaf.hash) == (LeafKind.MANIFEST, alice.account, alice.signed.hash)
    assert leaf.name_hash == name_hash(UserName("alice"))
    assert Head.unpack(SignedHead.unpack(leaves.head).payload).size == 2


@pytest.mark.asyncio
async def test_a_name_is_given_once_and_a_repetition_is_no_second_try(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.greet()
    assert await wire.ask(alice.sign_up(request=7)) == Accepted(7, 1)
    impostor = Person(bob.identity, "alice")
    other = house.wire()
    await other.greet()
    assert code(await other.ask(impostor.sign_up())) is Code.NAME_TAKEN
    assert house.realm.ledger.size == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Alice"}, Code.BAD_NAME),
        ({"name": "everyone"}, Code.BAD_NAME),
        ({"name": "bob"}, Code.BAD_MANIFEST),
        ({"manifest": b"garbage"}, Code.BAD_MANIFEST),
        ({"vault": b"garbage"}, Code.BAD_MANIFEST),
        ({"auth_key": bytes(32)}, Code.BAD_MANIFEST),
        ({"prekeys": ()}, Code.BAD_PREKEY),
        ({"prekeys": (b"garbage",)}, Code.BAD_PREKEY),
    ],
)
async def test_a_sign_up_that_does_not_hold_together_is_refused(
    house: House, alice: Person, change: dict[str, object], expected: Code
) -> None:
    wire = house.wire()
    await wire.greet()
    frame: SignUp = msgspec.structs.replace(alice.sign_up(), **change)
    assert code(await wire.ask(frame)) is expected
    assert isinstance(await wire.ask(alice.sign_up(request=2)), Accepted), "the connection goes on"


@pytest.mark.asyncio
async def test_where_sign_up_is_closed_the_invite_s_token_opens_it(
    folder: Path, alice: Person, bob: Person
) -> None:
    async with house_in(folder, open_signup=False) as house:
        invite = await invite_of(house.store, house.realm, "example.org", 4433, house.clock.wall_ms())
        wire = house.wire()
        await wire.greet()
        assert code(await wire.ask(alice.sign_up())) is Code.SIGN_UP_CLOSED
        assert code(await wire.ask(alice.sign_up(token=b"x" * 16))) is Code.SIGN_UP_CLOSED
        assert isinstance(await wire.ask(alice.sign_up(token=invite.token)), Accepted)
        mac = house.realm.token_mac(invite.token)
        uses = await house.store.token_uses(mac, house.clock.wall_ms())
        again = house.wire()
        await again.greet()
        assert isinstance(await again.ask(alice.sign_up()), Accepted), "a repetition needs no token"
        assert await house.store.token_uses(mac, house.clock.wall_ms()) == uses
        same = await invite_of(house.store, house.realm, "example.org", 4433, house.clock.wall_ms())
        assert same == invite
        house.clock.advance(31 * 86400)
        late = house.wire()
        await late.greet()
        assert code(await late.ask(bob.sign_up(token=invite.token))) is not None


@pytest.mark.asyncio
async def test_strangers_sign_up_five_times_an_hour(house: House, alice: Person) -> None:
    for _ in range(int(limits.SIGN_UPS_PER_HOUR)):
        at = house.clock.monotonic_seconds()
        assert await house.realm.tries.take(Tried.SIGN_UP, (STRANGER,), at) == 0
    wire = house.wire(STRANGER)
    await wire.greet()
    refusal = await wire.ask(alice.sign_up())
    assert code(refusal) is Code.TOO_MANY_TRIES
    assert isinstance(refusal, Refusal)
    assert 0 < refusal.retry_after_ms <= 3_600_000
    assert isinstance(await house_wire_sign_up(house, alice), Accepted), "not on loopback"


@pytest.mark.asyncio
async def test_sign_ups_that_come_to_nothing_are_counted_before_anything_is_verified(
    house: House, alice: Person
) -> None:
    wire = house.wire(STRANGER)
    await wire.greet()
    answers = []
    for request in range(1, 23):
        broken = msgspec.structs.replace(alice.sign_up(request=request), vault=b"garbage")
        answers.append(code(await wire.ask(broken)))
    assert answers == [Code.BAD_MANIFEST] * 20 + [Code.TOO_MANY_TRIES] * 2
    assert code(await wire.ask(alice.sign_up(request=30))) is Code.TOO_MANY_TRIES
    await registered(house, alice)
    assert isinstance(await wire.ask(alice.sign_up(request=31)), Accepted), "a repetition is none"


async def house_wire_sign_up(house: House, person: Person) -> object:
    wire = house.wire()
    await wire.greet()
    return await wire.ask(person.sign_up())


@pytest.mark.asyncio
async def test_a_name_of_nobody_is_answered_like_any_other(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.greet()
    real = await wire.ask(LoginStart(1, "alice"))
    nobody = await wire.ask(LoginStart(2, "nobody"))
    again = await wire.ask(LoginStart(3, "nobody"))
    assert isinstance(real, Salt)
    assert isinstance(nobody, Salt)
    assert isinstance(again, Salt)
    assert real.random == alice.random
    assert nobody.random == again.random != real.random
    assert (real.memory_kib, real.passes, real.lanes) == (65536, 3, 4)
    assert code(await wire.ask(LoginProve(4, "nobody", alice.auth_key))) is Code.WRONG_CREDENTIALS


@pytest.mark.asyncio
async def test_either_auth_key_opens_the_vault(house: House, alice: Person) -> None:
    await registered(house, alice)
    for key in (alice.auth_key, alice.recovery_auth_key):
        wire = house.wire()
        await wire.greet()
        await wire.ask(LoginStart(1, "alice"))
        opened = await wire.ask(LoginProve(2, "alice", key))
        assert opened == VaultOpened(2, alice.vault, alice.signed.pack())


@pytest.mark.asyncio
async def test_ten_failures_lock_out_an_address_and_nobody_else(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = house.wire(STRANGER)
    await wire.greet()
    answers = []
    for request in range(1, 24, 2):
        await wire.ask(LoginStart(request, "alice"))
        answers.append(code(await wire.ask(LoginProve(request + 1, "alice", secrets.token_bytes(32)))))
    assert answers == [Code.WRONG_CREDENTIALS] * 10 + [Code.TOO_MANY_TRIES] * 2
    await wire.ask(LoginStart(30, "alice"))
    assert code(await wire.ask(LoginProve(31, "alice", alice.auth_key))) is Code.TOO_MANY_TRIES
    elsewhere = house.wire("198.51.100.1")
    await elsewhere.greet()
    await elsewhere.ask(LoginStart(1, "alice"))
    assert isinstance(await elsewhere.ask(LoginProve(2, "alice", alice.auth_key)), VaultOpened)
    house.clock.advance(90)
    later = house.wire(STRANGER)
    await later.greet()
    await later.ask(LoginStart(1, "alice"))
    assert isinstance(await later.ask(LoginProve(2, "alice", alice.auth_key)), VaultOpened)


@pytest.mark.asyncio
async def test_a_second_device_comes_in_and_a_repetition_changes_nothing(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = await logged_in(house, alice)
    second = Device(alice.account)
    frame = alice.add_device(second, request=3)
    assert await wire.ask(frame) == Accepted(3, 2)
    again = await logged_in(house, alice)
    assert await again.ask(msgspec.structs.replace(frame, request=9)) == Accepted(9, 2)
    assert house.realm.ledger.size == 3
    assert (await house.wire().sign_in(second)).ledger_size == 3
    assert (await house.wire().sign_in(alice.device)).ledger_size == 3


@pytest.mark.asyncio
async def test_a_device_is_added_by_whose_password_was_proven_and_as_nothing_else(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice, bob)
    wire = await logged_in(house, alice)
    for_bob = bob.add_device(Device(bob.account), request=3)
    assert code(await wire.ask(for_bob)) is Code.BAD_MANIFEST
    skipped = alice.with_recovered(
        alice.with_recovered(alice.signed, Device(alice.account)), second := Device(alice.account)
    )
    assert code(await wire.ask(AddDevice(4, skipped.pack(), second.prekeys()))) is Code.STALE_MANIFEST
    unsigned = msgspec.structs.replace(alice.with_recovered(alice.signed, second), device_signature=bytes(64))
    assert code(await wire.ask(AddDevice(5, unsigned.pack(), second.prekeys()))) is Code.BAD_MANIFEST
    added = alice.with_recovered(alice.signed, second).manifest
    more = alice.sign(msgspec.structs.replace(added, vault_hash=bytes(32)), second)
    assert code(await wire.ask(AddDevice(6, more.pack(), second.prekeys()))) is Code.BAD_MANIFEST
    assert isinstance(await wire.ask(alice.add_device(second, request=7)), Accepted)


@pytest.mark.asyncio
async def test_ten_manifests_a_day(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = await logged_in(house, alice)
    for request in range(10, 10 + limits.MANIFESTS_PER_DAY - 1):
        assert isinstance(await wire.ask(alice.add_device(Device(alice.account), request=request)), Accepted)
        wire = await logged_in(house, alice)
    before = alice.signed
    assert code(await wire.ask(alice.add_device(Device(alice.account), request=50))) is Code.TOO_MANY_TRIES
    alice.signed = before
    house.clock.advance(86_401)
    wire = await logged_in(house, alice)
    assert isinstance(await wire.ask(alice.add_device(Device(alice.account), request=51)), Accepted)


@pytest.mark.asyncio
async def test_a_stranger_sees_the_ledger_where_anybody_may_sign_up(
    house: House, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.realm.rates, "fetches", Buckets(1.0, 3.0))
    await registered(house, alice)
    wire = house.wire(STRANGER)
    await wire.greet()
    answer = await wire.ask(FetchLeaves(1, 0))
    assert isinstance(answer, Leaves)
    assert (len(answer.leaves), answer.head) == (2, house.realm.ledger.head)
    assert isinstance(await wire.ask(LoginStart(2, alice.name)), Salt), "and may go on"
    wire = house.wire(STRANGER)
    await wire.greet()
    answers = [await wire.ask(FetchLeaves(request, 2)) for request in (1, 2, 3)]
    assert [code(each) for each in answers] == [None, None, Code.BUSY], "by address"


@pytest.mark.asyncio
async def test_a_stranger_does_not_see_the_ledger_of_others(folder: Path) -> None:
    async with house_in(folder, open_signup=False) as house:
        wire = house.wire()
        await wire.greet()
        assert code(await wire.ask(FetchLeaves(1, 0))) is Code.NOT_SIGNED_IN
