"""Which manifests and prekeys are believed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import NO_HASH, AccountId, DeviceId, UserName
from coterie.base.signing import IdentityKeys, account_id
from coterie.ledger.checks import (
    check_alone,
    check_first,
    check_heir,
    check_newest,
    check_prekey,
    check_successor,
)
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import (
    X_WING_PUBLIC_BYTES,
    Manifest,
    Prekey,
    PrekeyKind,
    SignedManifest,
    SignedPrekey,
    sign_prekey,
)
from tests.examples import examples
from tests.ledger.accounts import NOW_MS, VAULT_HASH, Machine, Owner, after


def refused(error: pytest.ExceptionInfo[SealBroken], code: Code) -> None:
    assert error.value.code is code


def leaf_of(signed: SignedManifest) -> Leaf:
    manifest = signed.manifest
    return Leaf(
        LeafKind.MANIFEST, name_hash(manifest.name), manifest.account, manifest.seq, signed.hash, NO_LEAF
    )


# the first manifest


def test_a_first_manifest_is_believed(alice: Owner) -> None:
    check_first(alice.begin(), VAULT_HASH)
    check_first(alice.begin(), None)
    check_first(SignedManifest.unpack(alice.begin().pack()), VAULT_HASH)


def test_a_manifest_of_any_number_is_believed_by_itself_where_it_is_signed(alice: Owner) -> None:
    first = alice.begin()
    second = alice.sign(after(first))
    check_alone(first)
    check_alone(second)
    with pytest.raises(SealBroken):
        check_alone(
            SignedManifest(second.payload, first.identity_signature, second.cosigner, second.device_signature)
        )


def test_another_vault_is_refused(alice: Owner) -> None:
    with pytest.raises(SealBroken) as caught:
        check_first(alice.begin(), b"w" * 32)
    refused(caught, Code.BAD_MANIFEST)


def test_an_heir_names_the_vault_that_comes_with_it(alice: Owner) -> None:
    """Another identity begins a name anew, with a manifest of this vault."""
    check_heir(alice.begin(), VAULT_HASH)
    with pytest.raises(SealBroken) as caught:
        check_heir(alice.begin(), b"w" * 32)
    refused(caught, Code.BAD_MANIFEST)


def test_a_first_manifest_is_number_one_with_nothing_before(alice: Owner) -> None:
    later = msgspec.structs.replace(alice.manifest(), seq=2, previous=b"p" * 32)
    with pytest.raises(SealBroken) as caught:
        check_first(alice.sign(later))
    refused(caught, Code.STALE_MANIFEST)
    for wrong in (
        msgspec.structs.replace(alice.manifest(), previous=b"p" * 32),
        msgspec.structs.replace(alice.manifest(), seq=2, previous=NO_HASH),
    ):
        with pytest.raises(SealBroken) as caught:
            check_first(alice.sign(wrong))
        refused(caught, Code.BAD_MANIFEST)


def test_a_first_manifest_has_one_live_device(alice: Owner) -> None:
    entry = alice.first.entry()
    for devices in ((entry, Machine().entry(alice.first.id)), (entry.revoked(NOW_MS),)):
        with pytest.raises(SealBroken) as caught:
            check_first(alice.sign(msgspec.structs.replace(alice.manifest(), devices=devices)))
        refused(caught, Code.BAD_MANIFEST)


def test_an_account_id_is_that_of_its_identity(alice: Owner) -> None:
    wrong = msgspec.structs.replace(alice.manifest(), account=AccountId(b"x" * 32))
    with pytest.raises(SealBroken) as caught:
        check_first(alice.sign(wrong))
    refused(caught, Code.BAD_MANIFEST)


# signatures


def test_the_identity_must_sign(alice: Owner, other_identity: IdentityKeys) -> None:
    signed = alice.begin()
    forged = msgspec.structs.replace(signed, identity_signature=other_identity.sign(signed.payload))
    with pytest.raises(SealBroken) as caught:
        check_first(forged)
    refused(caught, Code.BAD_MANIFEST)


def test_half_an_identity_signature_is_none(alice: Owner, other_identity: IdentityKeys) -> None:
    signed = alice.begin()
    foreign = other_identity.sign(signed.payload)
    for mixed in (
        signed.identity_signature[:384] + foreign[384:],
        foreign[:384] + signed.identity_signature[384:],
    ):
        with pytest.raises(SealBroken):
            check_first(msgspec.structs.replace(signed, identity_signature=mixed))


def test_the_cosigner_must_sign_and_be_listed(alice: Owner) -> None:
    signed, stranger = alice.begin(), Machine()
    for wrong in (
        msgspec.structs.replace(signed, device_signature=stranger.sign(signed.payload)),
        msgspec.structs.replace(signed, cosigner=stranger.id),
        alice.sign(alice.manifest(), by=stranger),
    ):
        with pytest.raises(SealBroken) as caught:
            check_first(wrong)
        refused(caught, Code.BAD_MANIFEST)


def test_a_signature_for_another_purpose_is_none(alice: Owner) -> None:
    """Every signed thing starts with its domain: the same content under another one does not verify."""
    signed = alice.begin()
    elsewhere = b"coterie prekey" + signed.payload[len(b"coterie manifest") :]
    with pytest.raises(SealBroken):
        check_first(msgspec.structs.replace(signed, device_signature=alice.first.sign(elsewhere)))
    with pytest.raises(SealBroken):
        check_first(msgspec.structs.replace(signed, identity_signature=alice.identity.sign(elsewhere)))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=examples(100), deadline=None)
def test_one_corrupted_bit_is_refused(identity: IdentityKeys, at: int, bit: int) -> None:
    packed = bytearray(Owner(identity).begin().pack())
    packed[at % len(packed)] ^= 1 << bit
    with pytest.raises((RemoteError, SealBroken)):
        check_first(SignedManifest.unpack(bytes(packed)), VAULT_HASH)


# the successor


def test_a_successor_is_believed(alice: Owner) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    check_successor(first, second)
    third = alice.sign(msgspec.structs.replace(after(second), vault_hash=b"w" * 32, time_ms=NOW_MS + 1))
    check_successor(second, third)


def test_a_successor_follows_by_number_and_hash(alice: Owner) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    rival = alice.with_added(first, Machine())
    third = alice.with_added(second, Machine())
    skipping = alice.sign(msgspec.structs.replace(after(first), seq=3))
    for old, new in (
        (first, first),
        (first, third),
        (second, first),
        (second, rival),
        (rival, third),
        (first, skipping),
    ):
        with pytest.raises(SealBroken) as caught:
            check_successor(old, new)
        refused(caught, Code.STALE_MANIFEST)


def test_a_successor_keeps_account_name_and_identity(alice: Owner, other_identity: IdentityKeys) -> None:
    first = alice.begin()
    renamed = alice.sign(msgspec.structs.replace(after(first), name=UserName("alicia")))
    mallory = Owner(other_identity)
    taken_over = mallory.sign(
        msgspec.structs.replace(
            after(first),
            account=account_id(other_identity.public),
            identity=other_identity.public.pack(),
        ),
        by=alice.first,
    )
    for wrong in (renamed, taken_over):
        with pytest.raises(SealBroken) as caught:
            check_successor(first, wrong)
        refused(caught, Code.BAD_MANIFEST)


def test_a_successor_needs_both_signatures(alice: Owner, other_identity: IdentityKeys) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    for wrong in (
        msgspec.structs.replace(second, identity_signature=other_identity.sign(second.payload)),
        msgspec.structs.replace(second, device_signature=Machine().sign(second.payload)),
    ):
        with pytest.raises(SealBroken) as caught:
            check_successor(first, wrong)
        refused(caught, Code.BAD_MANIFEST)


# first contact


def test_the_newest_manifest_is_believed_with_its_leaf(alice: Owner) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    for signed in (first, second):
        check_newest(signed, leaf_of(signed))


def test_a_manifest_that_is_not_its_leafs_is_refused(alice: Owner) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    rival = alice.with_added(first, Machine())
    leaf = leaf_of(second)
    with pytest.raises(SealBroken):
        check_newest(first, leaf)
    with pytest.raises(SealBroken):
        check_newest(rival, leaf)
    for wrong in (
        msgspec.structs.replace(leaf, name_hash=name_hash(UserName("bob"))),
        msgspec.structs.replace(leaf, account=AccountId(b"x" * 32)),
        msgspec.structs.replace(leaf, seq=3),
        msgspec.structs.replace(leaf, hash=b"x" * 32),
        msgspec.structs.replace(leaf, kind=LeafKind.TOMBSTONE),
    ):
        with pytest.raises(SealBroken) as caught:
            check_newest(second, wrong)
        refused(caught, Code.BAD_MANIFEST)


def test_the_newest_manifest_must_be_well_formed_and_signed(
    alice: Owner, other_identity: IdentityKeys
) -> None:
    first = alice.begin()
    second = alice.with_added(first, Machine())
    two_firsts = alice.with_devices(first, alice.first.entry(), Machine().entry())
    unlisted = alice.sign(second.manifest, by=Machine())
    forged = msgspec.structs.replace(second, identity_signature=other_identity.sign(second.payload))
    for wrong in (two_firsts, unlisted, forged):
        with pytest.raises(SealBroken) as caught:
            check_newest(wrong, leaf_of(wrong))
        refused(caught, Code.BAD_MANIFEST)
    alone = alice.sign(alice.manifest(), by=Machine())
    with pytest.raises(SealBroken):
        check_newest(alone, leaf_of(alone))


def test_a_malformed_payload_is_the_peers_fault(alice: Owner) -> None:
    signed = msgspec.structs.replace(alice.begin(), payload=b"coterie manifest\x00\x01\x90")
    with pytest.raises(RemoteError):
        check_first(signed)
    with pytest.raises(RemoteError):
        check_newest(signed, leaf_of(alice.begin()))
    with pytest.raises(RemoteError):
        check_successor(alice.begin(), signed)
    assert Manifest.unpack(alice.begin().payload) == alice.manifest()


# prekeys


def prekey(owner: Owner, kind: PrekeyKind = PrekeyKind.FALLBACK, key: bytes | None = None) -> Prekey:
    size = X_WING_PUBLIC_BYTES if kind is PrekeyKind.X_WING else 32
    return Prekey(kind, 7, NOW_MS, owner.account, owner.first.id, key or b"k" * size)


def checked(owner: Owner, signed: SignedPrekey, now_ms: int = NOW_MS) -> Prekey:
    return check_prekey(
        signed,
        owner.account,
        owner.first.id,
        owner.first.ed25519,
        now_ms,
        max_age_ms=limits.PREKEY_MAX_AGE_MS,
    )


@pytest.mark.parametrize("kind", PrekeyKind)
def test_a_prekey_is_believed(alice: Owner, kind: PrekeyKind) -> None:
    signed = sign_prekey(prekey(alice, kind), alice.first)
    assert checked(alice, SignedPrekey.unpack(signed.pack())) == prekey(alice, kind)


def test_a_prekey_must_be_signed_by_its_device(alice: Owner) -> None:
    signed = sign_prekey(prekey(alice), Machine())
    with pytest.raises(SealBroken) as caught:
        checked(alice, signed)
    refused(caught, Code.BAD_PREKEY)


def test_a_prekey_of_another_device_or_account_is_refused(alice: Owner) -> None:
    for wrong in (
        msgspec.structs.replace(prekey(alice), device=DeviceId(b"x" * 16)),
        msgspec.structs.replace(prekey(alice), account=AccountId(b"x" * 32)),
    ):
        with pytest.raises(SealBroken) as caught:
            checked(alice, sign_prekey(wrong, alice.first))
        refused(caught, Code.BAD_PREKEY)


def test_a_prekey_ages(alice: Owner) -> None:
    signed = sign_prekey(prekey(alice), alice.first)
    checked(alice, signed, NOW_MS + limits.PREKEY_MAX_AGE_MS)
    checked(alice, signed, NOW_MS - limits.CLOCK_SKEW_MS)
    too_late, too_early = NOW_MS + limits.PREKEY_MAX_AGE_MS + 1, NOW_MS - limits.CLOCK_SKEW_MS - 1
    for now_ms in (too_late, too_early):
        with pytest.raises(SealBroken) as caught:
            checked(alice, signed, now_ms)
        refused(caught, Code.BAD_PREKEY)
    check_prekey(signed, alice.account, alice.first.id, alice.first.ed25519, too_late, max_age_ms=None)


def test_a_prekey_of_low_order_is_refused(alice: Owner) -> None:
    for low in (bytes(32), (1).to_bytes(32, "little"), b"\xec" + b"\xff" * 30 + b"\x7f"):
        for kind, key in ((PrekeyKind.ONE_TIME, low), (PrekeyKind.X_WING, b"m" * 1184 + low)):
            with pytest.raises(SealBroken) as caught:
                checked(alice, sign_prekey(prekey(alice, kind, key), alice.first))
            refused(caught, Code.BAD_PREKEY)


@given(at=st.integers(0, 1000), bit=st.integers(0, 7))
@settings(max_examples=examples(100))
def test_one_corrupted_bit_of_a_prekey_is_refused(identity: IdentityKeys, at: int, bit: int) -> None:
    owner = Owner(identity)
    packed = bytearray(sign_prekey(prekey(owner), owner.first).pack())
    packed[at % len(packed)] ^= 1 << bit
    with pytest.raises((RemoteError, SealBroken)):
        checked(owner, SignedPrekey.unpack(bytes(packed)))


@pytest.mark.parametrize("name", ["\x1b[2j", "bob\u202e", "Bob", "b\u200bb", "\U0001f600", "-b"])
def test_a_name_that_nobody_can_have_is_refused_whatever_a_server_let_in(alice: Owner, name: str) -> None:
    false = msgspec.structs.replace(alice.manifest(), name=UserName(name))
    with pytest.raises(SealBroken) as caught:
        check_first(alice.sign(false))
    refused(caught, Code.BAD_MANIFEST)
