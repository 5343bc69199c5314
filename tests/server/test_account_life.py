"""Auth keys that change with the vault, and accounts that end, from frame to answer, on a real store."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.ids import UserName
from coterie.ledger.deletion import SignedDeletion
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.wire.frames import (
    Accepted,
    Accounts,
    DeleteAccount,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Leaves,
    LoginProve,
    LoginStart,
    PublishManifest,
    Refusal,
    VaultGiven,
    VaultOpened,
)
from coterie.wire.frames.accounts import KnownAccount
from tests.server.house import TLS_KEY, House, Wire, settle
from tests.server.people import Device, Person
from tests.server.scenes import code, registered, two

pytestmark = pytest.mark.asyncio


def key() -> bytes:
    return secrets.token_bytes(32)


async def login(house: House, person: Person, auth_key: bytes) -> object:
    wire = house.wire()
    await wire.greet()
    await wire.ask(LoginStart(1, person.name))
    return await wire.ask(LoginProve(2, person.name, auth_key))


async def connected(house: House, person: Person) -> Wire:
    await registered(house, person)
    wire = house.wire()
    await wire.sign_in(person.device)
    return wire


async def test_new_auth_keys_come_with_their_vault_and_end_the_old_ones(house: House, alice: Person) -> None:
    wire = await connected(house, alice)
    old, recovery, new = alice.auth_key, alice.recovery_auth_key, key()
    frame = msgspec.structs.replace(alice.change_vault(new, recovery, request=5), recovery_auth_key=b"")
    assert await wire.ask(frame) == Accepted(5, 2)
    assert code(await login(house, alice, old)) is Code.WRONG_CREDENTIALS
    for good in (new, recovery):
        assert await login(house, alice, good) == VaultOpened(2, alice.vault, alice.signed.pack())
    assert await wire.ask(FetchVault(6)) == VaultGiven(6, alice.vault)
    words = key()
    assert await wire.ask(alice.change_vault(new, words, request=7)) == Accepted(7, 3)
    assert code(await login(house, alice, recovery)) is Code.WRONG_CREDENTIALS
    assert isinstance(await login(house, alice, words), VaultOpened)


async def test_a_vault_is_taken_with_exactly_the_auth_keys_that_it_names(house: House, alice: Person) -> None:
    """Else somebody would believe in a login that fails, or one would outlive its password."""
    wire = await connected(house, alice)
    old, recovery, new, other = alice.auth_key, alice.recovery_auth_key, key(), key()
    before, vault = alice.signed, alice.vault

    async def refused(*named: bytes, **changes: object) -> Code | None:
        alice.signed, alice.vault = before, vault
        frame: PublishManifest = msgspec.structs.replace(alice.change_vault(*named[:2], request=5), **changes)
        return code(await wire.ask(frame))

    assert await refused(new, recovery, auth_key=b"") is Code.BAD_MANIFEST
    assert await refused(new, recovery, auth_key=other) is Code.BAD_MANIFEST
    assert await refused(old, old) is Code.BAD_MANIFEST
    assert await refused(new, recovery, vault=b"") is Code.BAD_MANIFEST
    assert await refused(new, recovery, vault=alice.vault_of(old, recovery)) is Code.BAD_MANIFEST
    alice.signed, alice.vault = before, b"garbage"
    manifest = msgspec.structs.replace(alice.change_vault(new, recovery), vault=b"garbage", request=6)
    garbage = msgspec.structs.replace(
        before.manifest, seq=2, previous=before.hash, vault_hash=hashlib.sha256(b"garbage").digest()
    )
    manifest = msgspec.structs.replace(manifest, manifest=alice.sign(garbage).pack())
    assert code(await wire.ask(manifest)) is Code.BAD_MANIFEST
    alice.signed = alice.sign(msgspec.structs.replace(before.manifest, seq=2, previous=before.hash))
    keys_alone = PublishManifest(7, alice.signed.pack(), b"", new)
    assert code(await wire.ask(keys_alone)) is Code.BAD_MANIFEST
    assert isinstance(await login(house, alice, old), VaultOpened)


async def test_an_account_ends_by_its_identity_and_a_live_device(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    stranger = Device(alice.account)
    good = alice.deletion()
    for request, false in enumerate(
        (
            b"garbage",
            bob.deletion().pack(),
            alice.deletion(stranger).pack(),
            msgspec.structs.replace(good, device_signature=bytes(64)).pack(),
            msgspec.structs.replace(good, identity_signature=bob.deletion().identity_signature).pack(),
        ),
        start=5,
    ):
        assert code(await alices.ask(DeleteAccount(request, false))) is Code.BAD_MANIFEST
    said = alice.device.message(alice.direct_with(bob), bob.account, request=20)
    assert isinstance(await alices.ask(said), Accepted)
    assert await alices.ask(DeleteAccount(21, good.pack())) == Accepted(21, 3)
    assert (await alices.next(Refusal)).code == Code.DELETED.value
    await alices.closed.wait()
    assert [entry.message for entry in await bobs.messages(1)] == [said.message]
    leaves = await bobs.ask(FetchLeaves(22, 3))
    assert isinstance(leaves, Leaves)
    leaf = Leaf.unpack(leaves.leaves[0])
    assert (leaf.kind, leaf.account, leaf.seq, leaf.hash) == (
        LeafKind.TOMBSTONE,
        alice.account,
        2,
        good.hash,
    )
    accounts = await bobs.ask(FetchAccounts(23, (KnownAccount(alice.account, 1),)))
    assert isinstance(accounts, Accounts)
    (record,) = accounts.accounts
    assert (record.manifests, record.keys) == ((), ())
    assert SignedDeletion.unpack(record.deletion) == good


async def test_nobody_comes_back_and_nobody_writes_to_who_is_gone(
    house: House, alice: Person, bob: Person, carol: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    await registered(house, carol)
    carols = house.wire()
    await carols.sign_in(carol.device)
    assert isinstance(await alices.ask(DeleteAccount(5, alice.deletion().pack())), Accepted)
    again = house.wire()
    await again.greet()
    assert code(await again.ask(alice.device.prove(again.challenge, TLS_KEY))) is Code.DELETED
    assert code(await login(house, alice, alice.auth_key)) is Code.WRONG_CREDENTIALS
    assert await house.store.name_taken(UserName("alice"))
    heir = Person(carol.identity, "alice")
    other = house.wire()
    await other.greet()
    assert code(await other.ask(heir.sign_up())) is Code.NAME_TAKEN
    old = bob.device.message(bob.direct_with(alice), alice.account, request=6)
    assert code(await bobs.ask(old)) is Code.DELETED
    new = carol.device.message(carol.direct_with(alice), alice.account, request=7)
    assert code(await carols.ask(new)) is Code.DELETED


async def test_a_deletion_that_lost_a_race_is_stale(house: House, alice: Person) -> None:
    wire = await connected(house, alice)
    late = alice.deletion()
    assert isinstance(await wire.ask(alice.change_vault(key(), key(), request=5)), Accepted)
    assert code(await wire.ask(DeleteAccount(6, late.pack()))) is Code.STALE_MANIFEST
    await settle()
    for request in range(10, 30):
        await wire.ask(DeleteAccount(request, late.pack()))
    assert code(await wire.ask(DeleteAccount(31, late.pack()))) is Code.TOO_MANY_TRIES
