"""Whether a tombstone may be believed (docs/protocol.md, Deletions)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.signing import IdentityKeys
from coterie.ledger.deletion import SignedDeletion, check_deletion, check_tombstone, sign_deletion
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import SignedManifest
from tests.ledger.accounts import NOW_MS, Machine, Owner


def ended(owner: Owner, newest: SignedManifest, by: Machine | None = None) -> SignedDeletion:
    machine = by or owner.first
    return sign_deletion(newest, owner.identity, machine.id, machine, NOW_MS)


def tombstone(signed: SignedDeletion, **changes: object) -> Leaf:
    said = signed.deletion
    leaf = Leaf(LeafKind.TOMBSTONE, said.name_hash, said.account, said.seq, signed.hash, 3)
    return msgspec.structs.replace(leaf, **changes)


def code_of(known: SignedManifest, signed: SignedDeletion) -> Code | None:
    try:
        check_deletion(known, signed)
    except SealBroken as broken:
        return broken.code
    return None


def test_it_comes_back_as_it_went(alice: Owner) -> None:
    signed = ended(alice, alice.begin())
    assert SignedDeletion.unpack(signed.pack()) == signed
    assert signed.deletion.seq == 2
    assert alice.name.encode() not in signed.pack(), "no name is kept"
    for data in (b"", signed.pack()[:-1], bytes(limits.DELETION_BYTES + 1), signed.payload):
        with pytest.raises(RemoteError):
            SignedDeletion.unpack(data)
    with pytest.raises(RemoteError):
        SignedDeletion.unpack(msgspec.structs.replace(signed, payload=b"other").pack())


def test_identity_and_a_live_device_have_to_sign(alice: Owner, other_identity: IdentityKeys) -> None:
    first = alice.begin()
    laptop = Machine()
    newest = alice.with_added(first, laptop)
    signed = ended(alice, newest)
    assert code_of(newest, signed) is None
    assert code_of(newest, ended(alice, newest, laptop)) is None
    assert code_of(newest, ended(alice, newest, Machine())) is Code.BAD_MANIFEST
    stranger = Owner(other_identity)
    forged = msgspec.structs.replace(signed, identity_signature=stranger.identity.sign(signed.payload))
    assert code_of(newest, forged) is Code.BAD_MANIFEST
    unsigned = msgspec.structs.replace(signed, device_signature=bytes(64))
    assert code_of(newest, unsigned) is Code.BAD_MANIFEST
    assert code_of(stranger.begin(), signed) is Code.BAD_MANIFEST
    gone = newest.manifest.devices[1].revoked(NOW_MS)
    without = alice.with_devices(newest, newest.manifest.devices[0], gone)
    assert code_of(without, ended(alice, without, laptop)) is Code.BAD_MANIFEST


def test_it_follows_the_newest_manifest(alice: Owner) -> None:
    first = alice.begin()
    laptop = Machine()
    newest = alice.with_added(first, laptop)
    assert code_of(newest, ended(alice, first)) is Code.STALE_MANIFEST
    fork = alice.with_added(first, Machine())
    assert code_of(fork, ended(alice, newest)) is Code.STALE_MANIFEST
    assert code_of(first, ended(alice, newest)) is None, "who knows an older one sees the identity's word"
    assert code_of(first, ended(alice, newest, laptop)) is None, "a device that came later"
    unsigned = msgspec.structs.replace(ended(alice, newest), device_signature=bytes(64))
    assert code_of(first, unsigned) is Code.BAD_MANIFEST


def test_it_passes_over_as_many_resets_as_there_were(alice: Owner) -> None:
    """Each took a number of the name; a number that none took is not passed over, nor one of theirs used."""
    first = alice.begin()
    signed = sign_deletion(first, alice.identity, alice.first.id, alice.first, NOW_MS, cancelled=1)
    assert (signed.deletion.seq, signed.deletion.previous) == (3, first.hash)
    check_deletion(first, signed, cancelled=1)
    check_tombstone(first, signed, tombstone(signed), cancelled=1)
    with pytest.raises(SealBroken) as late:
        check_deletion(first, ended(alice, first), cancelled=1)
    assert late.value.code is Code.STALE_MANIFEST
    stranger = Machine()
    unlisted = sign_deletion(first, alice.identity, stranger.id, stranger, NOW_MS, cancelled=1)
    with pytest.raises(SealBroken) as unknown:
        check_tombstone(first, unlisted, tombstone(unlisted), cancelled=1)
    assert unknown.value.code is Code.BAD_MANIFEST


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": LeafKind.MANIFEST},
        {"hash": bytes(32)},
        {"seq": 3},
        {"account": bytes(32)},
        {"name_hash": bytes(32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_leaf_names_that_deletion(alice: Owner, changes: dict[str, object]) -> None:
    first = alice.begin()
    signed = ended(alice, first)
    check_tombstone(first, signed, tombstone(signed))
    with pytest.raises(SealBroken):
        check_tombstone(first, signed, tombstone(signed, **changes))
