"""An account goes on under another identity, by its own word (encryption rules 2, 8 and 22).

After the loss of a device that could open the account's private keys nothing that they sign may count any
more. The last thing they sign is this: the identity and a device that is live in the account's newest list
say which identity follows. The leaf of the new account's first manifest says that it began so. A server can
write the leaf; only the account can sign what proves it. docs/protocol.md 2.8.
"""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import AccountId, DeviceId
from coterie.base.signing import (
    DeviceSigner,
    IdentityKeys,
    IdentityPublic,
    account_id,
    verify_device,
    verify_identity,
)
from coterie.ledger.checks import check_begun
from coterie.ledger.cosigned import CoSigned
from coterie.ledger.devices import bad_manifest
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import FIRST, RECOVERY, DeviceEntry, Manifest, SignedManifest, sign_manifest
from coterie.ledger.packing import Account, Hash, Natural, Seq, pack, unpack, unpack_plain


class Succession(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """From now on that account is who this one was.

    seq and previous: those that follow the newest manifest of `account`, as its heir's first manifest has
    them; manifest: the hash of that one.
    """

    account: Account
    name_hash: Hash
    seq: Seq
    previous: Hash
    heir: Account
    manifest: Hash
    time_ms: Natural

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.SUCCESSION, self)

    @classmethod
    def unpack(cls, payload: bytes) -> Succession:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_succession_decoder, Domain.SUCCESSION, payload)


_succession_decoder = msgspec.msgpack.Decoder(Succession)


class SignedSuccession(CoSigned, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed succession, signed by the identity before and by the device `cosigner` of that account."""

    @property
    def succession(self) -> Succession:
        """The payload decoded; RemoteError where it is malformed (never after unpack())."""
        return Succession.unpack(self.payload)

    @classmethod
    def unpack(cls, data: bytes) -> SignedSuccession:
        """Raises RemoteError, also for a malformed payload and for more than limits.SUCCESSION_BYTES."""
        if len(data) > limits.SUCCESSION_BYTES:
            raise RemoteError(Code.TOO_LARGE, "a succession")
        signed = unpack_plain(_signed_decoder, data)
        Succession.unpack(signed.payload)
        return signed


_signed_decoder = msgspec.msgpack.Decoder(SignedSuccession)


def heir_device(device: DeviceId, heir: AccountId) -> DeviceId:
    """The id under which a device goes on in the account that follows its own."""
    return DeviceId(digest(Domain.HEIR_DEVICE, device, heir)[:16])


def heirs_of(before: Manifest, cosigner: DeviceId, heir: AccountId) -> tuple[DeviceEntry, ...]:
    """The devices that the new account begins with: all that are live in `before`, with their keys, the
    co-signer first. A mark stays: nobody was asked about that device."""
    first = heir_device(cosigner, heir)
    live = sorted(before.live_devices, key=lambda entry: entry.id != cosigner)
    return tuple(
        msgspec.structs.replace(
            entry,
            id=heir_device(entry.id, heir),
            approved_by=FIRST if entry.id == cosigner else RECOVERY if entry.marked else first,
            marked=entry.marked and entry.id != cosigner,
        )
        for entry in live
    )


def sign_heir(
    newest: SignedManifest,
    identity: IdentityKeys,
    cosigner: DeviceId,
    device: DeviceSigner,
    vault_hash: bytes,
    now_ms: int,
) -> SignedManifest:
    """The first manifest of the account that follows the one whose newest manifest this is. identity: the new
    one; device: holds the key of the entry `cosigner` of `newest`."""
    before = newest.manifest
    heir = account_id(identity.public)
    manifest = msgspec.structs.replace(
        before,
        account=heir,
        seq=before.seq + 1,
        previous=newest.hash,
        devices=heirs_of(before, cosigner, heir),
        vault_hash=vault_hash,
        time_ms=max(now_ms, before.time_ms),
        identity=identity.public.pack(),
    )
    return sign_manifest(manifest, identity, heir_device(cosigner, heir), device)


def sign_succession(
    newest: SignedManifest,
    heir: SignedManifest,
    identity: IdentityKeys,
    cosigner: DeviceId,
    device: DeviceSigner,
) -> SignedSuccession:
    """What the identity before signs last. identity: that one; heir: made by sign_heir() for `newest`."""
    before, after = newest.manifest, heir.manifest
    succession = Succession(
        account=before.account,
        name_hash=name_hash(before.name),
        seq=after.seq,
        previous=newest.hash,
        heir=after.account,
        manifest=heir.hash,
        time_ms=after.time_ms,
    )
    payload = succession.pack()
    return SignedSuccession(payload, identity.sign(payload), cosigner, device.sign(payload))


def check_heir_manifest(newest: SignedManifest, signed: SignedSuccession, heir: SignedManifest) -> None:
    """Whether an account may begin with this manifest: it follows `newest` with that one's live devices and
    no others, signed by the new identity and by the device that co-signed the succession, which names it.

    Raises SealBroken, bad-manifest or stale-manifest.
    """
    before, after = newest.manifest, heir.manifest
    if (after.seq, after.previous) != (before.seq + 1, newest.hash):
        raise SealBroken("a manifest that does not follow the one before it", Code.STALE_MANIFEST)
    if after.name != before.name or after.account == before.account:
        raise bad_manifest("an heir of another name, or of no other identity")
    check_begun(heir)
    if after.devices != heirs_of(before, signed.cosigner, AccountId(after.account)):
        raise bad_manifest("an heir with other devices than those that were live")
    if heir.cosigner != heir_device(signed.cosigner, AccountId(after.account)):
        raise bad_manifest("an heir that another device co-signed than the succession")
    if (signed.succession.heir, signed.succession.manifest) != (after.account, heir.hash):
        raise bad_manifest("the succession of another heir")


def check_succession(newest: SignedManifest, signed: SignedSuccession) -> None:
    """Whether the account whose newest manifest this is wants to go on as another one: its identity signed
    that, and a device that is live there. Raises SealBroken, bad-manifest or stale-manifest."""
    manifest, said = newest.manifest, signed.succession
    if (said.account, said.name_hash) != (manifest.account, name_hash(manifest.name)):
        raise bad_manifest("the succession of another account")
    if (said.seq, said.previous) != (manifest.seq + 1, newest.hash):
        raise SealBroken("a succession that does not follow the newest manifest", Code.STALE_MANIFEST)
    entry = manifest.entry(signed.cosigner)
    if entry is None or not entry.live:
        raise bad_manifest("a succession that no live device co-signed")
    try:
        verify_identity(IdentityPublic.unpack(manifest.identity), signed.payload, signed.identity_signature)
        verify_device(entry.ed25519, signed.payload, signed.device_signature)
    except SealBroken as error:
        raise bad_manifest(error.note) from None


def check_heir_leaf(newest: SignedManifest, signed: SignedSuccession, leaf: Leaf) -> None:
    """Whether a succession leaf stands for what the account before signed. Raises as check_succession()."""
    said = signed.succession
    named = (leaf.kind, leaf.hash, leaf.seq, leaf.account, leaf.name_hash)
    if named != (LeafKind.SUCCESSION, said.manifest, said.seq, said.heir, said.name_hash):
        raise bad_manifest("a succession that is not the one in the ledger")
    check_succession(newest, signed)
