"""Deleting an account: what its owner signs, and whether a tombstone may be believed (rules 2 and 19).

The ledger's tombstone leaf names the hash of a signed deletion. A server can write the leaf; only the
account's identity can sign what it names. docs/protocol.md, Deletions.
"""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import DeviceId
from coterie.base.signing import DeviceSigner, IdentityKeys, IdentityPublic, verify_device, verify_identity
from coterie.ledger.cosigned import CoSigned
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.packing import (
    Account,
    Hash,
    Natural,
    Seq,
    pack,
    unpack,
    unpack_plain,
)


class Deletion(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The end of an account. It holds no name: the server keeps it for ever.

    seq: that of the newest manifest + 1, and 1 more for each reset of the name that it passes over, and so
    cancels; previous: that manifest's hash.
    """

    account: Account
    name_hash: Hash
    seq: Seq
    previous: Hash
    time_ms: Natural

    def pack(self) -> bytes:
        """The bytes that are signed, hashed and sent."""
        return pack(Domain.DELETION, self)

    @classmethod
    def unpack(cls, payload: bytes) -> Deletion:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_deletion_decoder, Domain.DELETION, payload)


_deletion_decoder = msgspec.msgpack.Decoder(Deletion)


class SignedDeletion(CoSigned, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed deletion, signed by the identity and by the device `cosigner`."""

    @property
    def deletion(self) -> Deletion:
        """The payload decoded; RemoteError where it is malformed (never after unpack())."""
        return Deletion.unpack(self.payload)

    @classmethod
    def unpack(cls, data: bytes) -> SignedDeletion:
        """Raises RemoteError, also for a malformed payload and for more than limits.DELETION_BYTES."""
        if len(data) > limits.DELETION_BYTES:
            raise RemoteError(Code.TOO_LARGE, "a deletion")
        signed = unpack_plain(_signed_decoder, data)
        Deletion.unpack(signed.payload)
        return signed


_signed_decoder = msgspec.msgpack.Decoder(SignedDeletion)


def sign_deletion(
    newest: SignedManifest,
    identity: IdentityKeys,
    cosigner: DeviceId,
    device: DeviceSigner,
    now_ms: int,
    *,
    cancelled: int = 0,
) -> SignedDeletion:
    """End the account whose newest manifest this is. device: holds the key of the entry `cosigner`;
    cancelled: how many resets of the name stand in the ledger behind that manifest."""
    manifest = newest.manifest
    deletion = Deletion(
        account=manifest.account,
        name_hash=name_hash(manifest.name),
        seq=manifest.seq + 1 + cancelled,
        previous=newest.hash,
        time_ms=max(now_ms, manifest.time_ms),
    )
    payload = deletion.pack()
    return SignedDeletion(payload, identity.sign(payload), cosigner, device.sign(payload))


def check_deletion(known: SignedManifest, signed: SignedDeletion, *, cancelled: int = 0) -> None:
    """Whether the account of `known`, a manifest believed before, was ended by its owner. cancelled: how many
    resets of the name lie between the two, each of which took a number.

    The identity signed it, and a device that is live in the account's newest manifest. Where `known` is an
    older one the device may have come later: the identity's signature and the leaf have to do then. Raises
    SealBroken: bad-manifest, or stale-manifest where it does not follow.
    """
    manifest, deletion = known.manifest, signed.deletion
    if (deletion.account, deletion.name_hash) != (manifest.account, name_hash(manifest.name)):
        raise _bad("the deletion of another account")
    follows = manifest.seq + 1 + cancelled
    newest = deletion.seq == follows
    if deletion.seq < follows or (newest and deletion.previous != known.hash):
        raise SealBroken("a deletion that does not follow the newest manifest", Code.STALE_MANIFEST)
    _verify_identity(manifest.identity, signed)
    entry = manifest.entry(signed.cosigner)
    if entry is None:
        if newest:
            raise _bad("co-signed by an unknown device")
        return
    if newest and not entry.live:
        raise _bad("co-signed by a revoked device")
    try:
        verify_device(entry.ed25519, signed.payload, signed.device_signature)
    except SealBroken as error:
        raise _bad(error.note) from None


def check_tombstone(known: SignedManifest, signed: SignedDeletion, leaf: Leaf, *, cancelled: int = 0) -> None:
    """Whether a tombstone leaf stands for a deletion that the owner signed. Raises as check_deletion()."""
    deletion = signed.deletion
    named = (leaf.kind, leaf.hash, leaf.seq, leaf.account, leaf.name_hash)
    said = (LeafKind.TOMBSTONE, signed.hash, deletion.seq, deletion.account, deletion.name_hash)
    if named != said:
        raise _bad("a deletion that is not the one in the ledger")
    check_deletion(known, signed, cancelled=cancelled)


def _verify_identity(identity: bytes, signed: SignedDeletion) -> None:
    try:
        verify_identity(IdentityPublic.unpack(identity), signed.payload, signed.identity_signature)
    except SealBroken as error:
        raise _bad(error.note) from None


def _bad(note: str) -> SealBroken:
    return SealBroken(note, Code.BAD_MANIFEST)
