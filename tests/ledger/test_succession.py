"""Whether an account goes on under another identity (docs/protocol.md 2.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import AccountId, DeviceId
from coterie.base.signing import IdentityKeys, account_id
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import FIRST, RECOVERY, Manifest, SignedManifest, sign_manifest
from coterie.ledger.succession import (
    SignedSuccession,
    Succession,
    check_heir_leaf,
    check_heir_manifest,
    check_succession,
    heir_device,
    sign_heir,
    sign_succession,
)
from tests.ledger.accounts import NOW_MS, Machine, Owner

VAULT = b"w" * 32


def heir_of(
    owner: Owner, newest: SignedManifest, new: IdentityKeys, by: Machine | None = None
) -> tuple[SignedManifest, SignedSuccession]:
    machine = by or owner.first
    heir = sign_heir(newest, new, machine.id, machine, VAULT, NOW_MS)
    return heir, sign_succession(newest, heir, owner.identity, machine.id, machine)


def code_of(check: Callable[[], None]) -> Code | None:
    try:
        check()
    except SealBroken as broken:
        return broken.code
    return None


def leaf_of(signed: SignedSuccession) -> Leaf:
    said = signed.succession
    return Leaf(LeafKind.SUCCESSION, said.name_hash, said.heir, said.seq, said.manifest, 3)


@pytest.fixture
def new(other_identity: IdentityKeys) -> IdentityKeys:
    return other_identity


def test_it_comes_back_as_it_went(alice: Owner, new: IdentityKeys) -> None:
    _, signed = heir_of(alice, alice.begin(), new)
    assert SignedSuccession.unpack(signed.pack()) == signed
    assert alice.name.encode() not in signed.pack(), "no name is kept"
    for data in (b"", signed.pack()[:-1], bytes(limits.SUCCESSION_BYTES + 1), signed.payload):
        with pytest.raises(RemoteError):
            SignedSuccession.unpack(data)
    with pytest.raises(RemoteError):
        SignedSuccession.unpack(msgspec.structs.replace(signed, payload=b"other").pack())


def test_the_heir_begins_with_the_devices_that_are_live(alice: Owner, new: IdentityKeys) -> None:
    laptop, lost, back = Machine(), Machine(), Machine()
    newest = alice.with_added(alice.with_added(alice.begin(), laptop), lost)
    newest = alice.with_recovered(newest, back)
    gone = tuple(each.revoked(NOW_MS) if each.id == lost.id else each for each in newest.manifest.devices)
    newest = alice.with_devices(newest, *gone)
    heir, signed = heir_of(alice, newest, new, laptop)
    manifest = heir.manifest
    account = AccountId(account_id(new.public))
    first = heir_device(laptop.id, account)
    assert [(each.id, each.approved_by, each.marked) for each in manifest.devices] == [
        (first, FIRST, False),
        (heir_device(alice.first.id, account), first, False),
        (heir_device(back.id, account), RECOVERY, True),
    ]
    assert [each.ed25519 for each in manifest.devices] == [laptop.ed25519, alice.first.ed25519, back.ed25519]
    assert (manifest.seq, manifest.previous, manifest.name) == (6, newest.hash, alice.name)
    check_heir_manifest(newest, signed, heir)
    check_succession(newest, signed)
    check_heir_leaf(newest, signed, leaf_of(signed))


def test_one_that_came_by_recovery_may_say_so_and_begins_unmarked(alice: Owner, new: IdentityKeys) -> None:
    back = Machine()
    newest = alice.with_recovered(alice.begin(), back)
    heir, signed = heir_of(alice, newest, new, back)
    check_succession(newest, signed)
    check_heir_manifest(newest, signed, heir)
    assert [each.marked for each in heir.manifest.devices] == [False, False]


def test_identity_and_a_live_device_have_to_sign(alice: Owner, new: IdentityKeys) -> None:
    lost, laptop = Machine(), Machine()
    newest = alice.with_added(alice.with_added(alice.begin(), lost), laptop)
    heir, signed = heir_of(alice, newest, new)
    assert code_of(lambda: check_succession(newest, signed)) is None
    forged = msgspec.structs.replace(signed, identity_signature=new.sign(signed.payload))
    unsigned = msgspec.structs.replace(signed, device_signature=bytes(64))
    stranger = Machine()
    foreign = sign_succession(newest, heir, alice.identity, stranger.id, stranger)
    for false in (forged, unsigned, foreign):
        assert code_of(lambda: check_succession(newest, false)) is Code.BAD_MANIFEST  # noqa: B023 - at once
    gone = tuple(each.revoked(NOW_MS) if each.id == lost.id else each for each in newest.manifest.devices)
    after = alice.with_devices(newest, *gone)
    heir = sign_heir(after, new, alice.first.id, alice.first, VAULT, NOW_MS)
    revoked = sign_succession(after, heir, alice.identity, lost.id, lost)
    assert code_of(lambda: check_succession(after, revoked)) is Code.BAD_MANIFEST


def test_it_follows_the_newest_manifest_and_no_other(alice: Owner, new: IdentityKeys) -> None:
    first = alice.begin()
    _, old = heir_of(alice, first, new)
    second = alice.with_added(first, Machine())
    other = alice.with_added(first, Machine())
    heir, signed = heir_of(alice, second, new)
    assert code_of(lambda: check_succession(second, old)) is Code.STALE_MANIFEST
    assert code_of(lambda: check_succession(other, signed)) is Code.STALE_MANIFEST
    assert code_of(lambda: check_heir_manifest(other, signed, heir)) is Code.STALE_MANIFEST
    assert code_of(lambda: check_heir_manifest(first, signed, heir)) is Code.STALE_MANIFEST


def test_it_is_of_this_account_and_name(alice: Owner, new: IdentityKeys) -> None:
    stranger = Owner(new, "mallory")
    theirs = stranger.begin()
    _, signed = heir_of(alice, alice.begin(), new)
    assert code_of(lambda: check_succession(theirs, signed)) is Code.BAD_MANIFEST


def test_the_leaf_is_that_of_its_heir(alice: Owner, new: IdentityKeys) -> None:
    newest = alice.begin()
    _, signed = heir_of(alice, newest, new)
    good = leaf_of(signed)
    for wrong in (
        msgspec.structs.replace(good, kind=LeafKind.RESET),
        msgspec.structs.replace(good, hash=b"h" * 32),
        msgspec.structs.replace(good, seq=3),
        msgspec.structs.replace(good, account=AccountId(b"a" * 32)),
        msgspec.structs.replace(good, name_hash=b"n" * 32),
    ):
        assert code_of(lambda: check_heir_leaf(newest, signed, wrong)) is Code.BAD_MANIFEST  # noqa: B023 - at once


def test_an_heir_is_as_the_succession_says(alice: Owner, new: IdentityKeys) -> None:
    laptop = Machine()
    newest = alice.with_added(alice.begin(), laptop)
    heir, signed = heir_of(alice, newest, new)
    account = AccountId(heir.manifest.account)
    mine = heir_device(alice.first.id, account)

    def again(manifest: Manifest, by: Machine = alice.first, signer: IdentityKeys = new) -> SignedManifest:
        return sign_manifest(manifest, signer, heir_device(by.id, account), by)

    def named(heir: SignedManifest) -> SignedSuccession:
        return sign_succession(newest, heir, alice.identity, alice.first.id, alice.first)

    manifest = heir.manifest
    foreign = Machine()
    own = msgspec.structs.replace(manifest, account=alice.account, identity=alice.identity.public.pack())
    for wrong in (
        again(msgspec.structs.replace(manifest, name="mallory")),
        again(own, signer=alice.identity),
        again(msgspec.structs.replace(manifest, devices=manifest.devices[:1])),
        again(msgspec.structs.replace(manifest, devices=(*manifest.devices, foreign.entry(mine)))),
        again(manifest, laptop),
        again(manifest, signer=alice.identity),
    ):
        word = named(wrong)
        assert code_of(lambda: check_heir_manifest(newest, word, wrong)) is Code.BAD_MANIFEST  # noqa: B023 - at once
    other = again(msgspec.structs.replace(manifest, time_ms=NOW_MS + 1))
    assert code_of(lambda: check_heir_manifest(newest, signed, other)) is Code.BAD_MANIFEST
    check_heir_manifest(newest, named(other), other)


def test_its_bytes_stay_as_they_are() -> None:
    said = Succession(
        account=AccountId(b"a" * 32),
        name_hash=b"n" * 32,
        seq=7,
        previous=b"p" * 32,
        heir=AccountId(b"h" * 32),
        manifest=b"m" * 32,
        time_ms=NOW_MS,
    )
    rows = (b"a", b"n", 7, b"p", b"h", b"m")
    fields = [b"\xc4\x20" + each * 32 if isinstance(each, bytes) else bytes((each,)) for each in rows]
    when = b"\xcf" + NOW_MS.to_bytes(8, "big")
    assert said.pack() == b"coterie succession\x00\x01\x97" + b"".join(fields) + when
    device = heir_device(DeviceId(b"d" * 16), AccountId(b"h" * 32))
    parts = (b"\x00\x00\x00\x10" + b"d" * 16, b"\x00\x00\x00\x20" + b"h" * 32)
    assert device == hashlib.sha256(b"coterie heir device\x00\x01" + b"".join(parts)).digest()[:16]
