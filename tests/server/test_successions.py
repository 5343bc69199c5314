"""Accounts that go on under another identity, from frame to answer, on a real store."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId
from coterie.base.signing import IdentityKeys
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Ack,
    DeleteAccount,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Leaves,
    Ping,
    Pong,
    PublishPrekeys,
    Ready,
    Refusal,
    Succeed,
    VaultOpened,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.shared import Position
from tests.server.house import TLS_KEY, House, settle
from tests.server.people import Device, Person
from tests.server.scenes import code, registered, two
from tests.server.test_account_life import login

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def new() -> IdentityKeys:
    return IdentityKeys.generate()


def heir_of(frame: Succeed) -> SignedManifest:
    return SignedManifest.unpack(frame.manifest)


def follow(person: Person, frame: Succeed) -> Device:
    """The person's device as it goes on."""
    manifest = heir_of(frame).manifest
    device = person.device
    device.account, device.id = AccountId(manifest.account), DeviceId(manifest.devices[0].id)
    device.last.clear()
    device.run = 1
    return device


async def test_an_account_goes_on_by_its_identity_and_a_live_device(
    house: House, alice: Person, bob: Person, new: IdentityKeys
) -> None:
    alices, bobs = await two(house, alice, bob)
    good = alice.succeed(new)
    for request, false in enumerate(
        (
            msgspec.structs.replace(good, succession=b"garbage"),
            msgspec.structs.replace(good, succession=bob.succeed(new).succession),
            msgspec.structs.replace(good, manifest=alice.succeed(bob.identity).manifest),
            msgspec.structs.replace(good, manifest=b"garbage"),
            msgspec.structs.replace(good, vault=b"garbage"),
            msgspec.structs.replace(good, vault=bob.vault),
            msgspec.structs.replace(good, auth_key=secrets.token_bytes(32)),
        ),
        start=5,
    ):
        assert code(await alices.ask(msgspec.structs.replace(false, request=request))) is Code.BAD_MANIFEST
    said = alice.device.message(alice.direct_with(bob), bob.account, request=20)
    assert isinstance(await alices.ask(said), Accepted)
    assert await alices.ask(msgspec.structs.replace(good, request=21)) == Accepted(21, 3)
    assert (await alices.next(Refusal)).code == Code.SUCCEEDED.value
    await alices.closed.wait()
    leaves = await bobs.ask(FetchLeaves(22, 3))
    assert isinstance(leaves, Leaves)
    leaf, heir = Leaf.unpack(leaves.leaves[0]), heir_of(good)
    assert (leaf.kind, leaf.account, leaf.seq, leaf.hash) == (
        LeafKind.SUCCESSION,
        heir.manifest.account,
        2,
        heir.hash,
    )
    wanted = (KnownAccount(alice.account, 0), KnownAccount(heir.manifest.account, 0))
    accounts = await bobs.ask(FetchAccounts(23, wanted))
    assert isinstance(accounts, Accounts)
    before, after = accounts.accounts
    assert (before.manifests, before.succession) == ((alice.signed.pack(),), b"")
    assert (after.manifests, after.succession) == ((good.manifest,), good.succession)


async def test_what_waited_is_fetched_and_nothing_more_is_done(
    house: House, alice: Person, bob: Person, new: IdentityKeys
) -> None:
    """Of the account before devices get what was sent to them; nobody writes to it, and it says nothing."""
    alices, bobs = await two(house, alice, bob)
    alices.hang_up()
    shared = bob.device.share(bob.direct_with(alice), alice.account, alice.device, request=19)
    assert isinstance(await bobs.ask(shared), Accepted)
    waiting = bob.device.message(bob.direct_with(alice), alice.account, request=20)
    assert isinstance(await bobs.ask(waiting), Accepted)
    late = bob.device.message(bob.direct_with(alice), alice.account, request=21)
    other = house.wire()
    await other.sign_in(alice.device)
    frame = alice.succeed(new, request=5)
    end = alice.deletion()
    old = Device(alice.account)
    old.id, old._key, old.run = alice.device.id, alice.device._key, alice.device.run
    old.nonce = alice.device.nonce
    assert isinstance(await other.ask(frame), Accepted)
    assert code(await bobs.ask(late)) is Code.DELETED
    again = house.wire()
    await again.sign_in(old)
    assert [entry.message for entry in await again.messages(1)] == [waiting.message]
    conversation = alice.direct_with(bob)
    for refused in (
        old.message(conversation, bob.account, request=30),
        old.share(conversation, bob.account, bob.device, request=31),
        PublishPrekeys(32, old.prekeys()),
        alice.change_vault(secrets.token_bytes(32), secrets.token_bytes(32), request=33),
        DeleteAccount(34, end.pack()),
        alice.succeed(new, request=35),
        FetchVault(36),
    ):
        assert code(await again.ask(refused)) is Code.SUCCEEDED
    again.say(Ping(1), Ack((Position(b"l" + conversation, again.incarnation, 1),)))
    await again.next(Pong)
    assert again.reason is None


async def test_the_new_account_has_the_name_and_its_devices(
    house: House, alice: Person, bob: Person, new: IdentityKeys
) -> None:
    alices, bobs = await two(house, alice, bob)
    frame = alice.succeed(new, request=5)
    assert isinstance(await alices.ask(frame), Accepted)
    assert isinstance(await login(house, alice, alice.auth_key), VaultOpened)
    device = follow(alice, frame)
    wire = house.wire()
    await wire.greet()
    assert isinstance(await wire.ask(device.prove(wire.challenge, TLS_KEY)), Ready)
    assert isinstance(await wire.ask(PublishPrekeys(2, device.prekeys())), Accepted)
    conversation = direct_id(device.account, bob.account)
    shared = bob.device.share(conversation, device.account, device, request=40)
    assert isinstance(await bobs.ask(shared), Accepted)


async def test_a_succession_that_lost_a_race_is_stale(house: House, alice: Person, new: IdentityKeys) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    late = alice.succeed(new, request=6)
    assert isinstance(
        await wire.ask(alice.change_vault(alice.auth_key, alice.recovery_auth_key, request=5)), Accepted
    )
    assert code(await wire.ask(late)) is Code.STALE_MANIFEST
    await settle()
    for request in range(10, 30):
        await wire.ask(msgspec.structs.replace(late, request=request))
    last = msgspec.structs.replace(late, request=31)
    assert code(await wire.ask(last)) is Code.TOO_MANY_TRIES


async def test_no_account_goes_on_as_one_that_is_there(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    assert code(await alices.ask(alice.succeed(bob.identity, request=5))) is Code.BAD_MANIFEST
