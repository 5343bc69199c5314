"""Manifests and prekeys: their format. Whether one may be believed is decided in ledger.checks.

docs/protocol.md, Manifests and Prekeys; encryption rules 2 and 3.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import RemoteError
from coterie.base.ids import DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.base.signing import IDENTITY_BYTES, DeviceSigner, IdentityKeys
from coterie.ledger.cosigned import CoSigned
from coterie.ledger.packing import (
    Account,
    Device,
    Ed25519Signature,
    Hash,
    Natural,
    Seq,
    pack,
    pack_plain,
    unpack,
    unpack_plain,
)

FIRST = b"first"
"""approved_by of the device that an account began with."""
RECOVERY = b"recovery"
"""approved_by of a device that came in by passphrase or recovery key."""
KEY_BYTES = 32
X_WING_PUBLIC_BYTES = 1216
"""ML-KEM-768 (1184), then X25519 (32)."""

IdentityBytes = Annotated[bytes, msgspec.Meta(min_length=IDENTITY_BYTES, max_length=IDENTITY_BYTES)]


class DeviceEntry(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device of an account, live or revoked.

    curve25519, ed25519: 32 bytes. approved_by: the id of the device that co-signed its addition, FIRST or
    RECOVERY. marked: it, or who approved it, came in by RECOVERY. revoked_ms 0: live; a revoked entry has
    name "" and curve25519 b"" and never changes again.
    """

    id: Device
    name: Annotated[str, msgspec.Meta(max_length=limits.DEVICE_NAME_BYTES)]
    curve25519: Annotated[bytes, msgspec.Meta(max_length=KEY_BYTES)]
    ed25519: Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    created_ms: Natural
    revoked_ms: Natural
    approved_by: Annotated[bytes, msgspec.Meta(min_length=len(FIRST), max_length=16)]
    marked: bool

    @property
    def live(self) -> bool:
        return self.revoked_ms == 0

    def revoked(self, at_ms: int) -> DeviceEntry:
        """This entry as it stands in a manifest that revokes it."""
        return msgspec.structs.replace(self, name="", curve25519=b"", revoked_ms=at_ms)


class Manifest(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What an account is: its name, identity and devices at one moment.

    seq: from 1, without gaps; previous: hash of manifest seq - 1 (NO_HASH before the first); devices: in the
    order in which they were added, none ever leaves; vault_hash: SHA-256 of the packed vault; identity:
    packed IdentityPublic.
    """

    account: Account
    name: Annotated[UserName, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS)]
    seq: Seq
    previous: Hash
    devices: Annotated[tuple[DeviceEntry, ...], msgspec.Meta(min_length=1)]
    vault_hash: Hash
    time_ms: Natural
    identity: IdentityBytes

    def pack(self) -> bytes:
        """The bytes that are signed, hashed and sent."""
        return pack(Domain.MANIFEST, self)

    @classmethod
    def unpack(cls, payload: bytes) -> Manifest:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_manifest_decoder, Domain.MANIFEST, payload)

    def entry(self, device: DeviceId) -> DeviceEntry | None:
        """The entry of a device, revoked ones too."""
        return next((entry for entry in self.devices if entry.id == device), None)

    @property
    def live_devices(self) -> tuple[DeviceEntry, ...]:
        return tuple(entry for entry in self.devices if entry.live)


_manifest_decoder = msgspec.msgpack.Decoder(Manifest)


class SignedManifest(CoSigned, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed manifest, signed by the identity and by the device `cosigner`."""

    @property
    def manifest(self) -> Manifest:
        """The payload decoded; RemoteError where it is malformed (never after unpack())."""
        return Manifest.unpack(self.payload)

    @classmethod
    def unpack(cls, data: bytes) -> SignedManifest:
        """Raises RemoteError, also for a malformed payload and for more than limits.MANIFEST_BYTES."""
        if len(data) > limits.MANIFEST_BYTES:
            raise RemoteError(Code.TOO_LARGE, "a manifest")
        signed = unpack_plain(_signed_manifest_decoder, data)
        Manifest.unpack(signed.payload)
        return signed


_signed_manifest_decoder = msgspec.msgpack.Decoder(SignedManifest)


def sign_manifest(
    manifest: Manifest, identity: IdentityKeys, cosigner: DeviceId, device: DeviceSigner
) -> SignedManifest:
    """device: holds the Ed25519 key of the entry `cosigner`."""
    payload = manifest.pack()
    return SignedManifest(payload, identity.sign(payload), cosigner, device.sign(payload))


class PrekeyKind(IntEnum):
    """What a prekey is for."""

    ONE_TIME = 1
    FALLBACK = 2
    X_WING = 3


class Prekey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A public key with which others begin or seal to a device.

    id: drawn by the device, unique there. key: 32 bytes of Curve25519, for X_WING 1216 bytes.
    """

    kind: PrekeyKind
    id: Natural
    created_ms: Natural
    account: Account
    device: Device
    key: Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=X_WING_PUBLIC_BYTES)]

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.PREKEY, self)

    @classmethod
    def unpack(cls, payload: bytes) -> Prekey:
        """Raises RemoteError; accepts exactly what pack() gives."""
        prekey = unpack(_prekey_decoder, Domain.PREKEY, payload)
        if len(prekey.key) != (X_WING_PUBLIC_BYTES if prekey.kind is PrekeyKind.X_WING else KEY_BYTES):
            raise RemoteError(Code.BAD_FRAME, "a prekey of the wrong size")
        return prekey


_prekey_decoder = msgspec.msgpack.Decoder(Prekey)


class SignedPrekey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed prekey, signed by its device."""

    payload: bytes
    signature: Ed25519Signature

    @property
    def prekey(self) -> Prekey:
        """The payload decoded; RemoteError where it is malformed (never after unpack())."""
        return Prekey.unpack(self.payload)

    def pack(self) -> bytes:
        return pack_plain(self)

    @classmethod
    def unpack(cls, data: bytes) -> SignedPrekey:
        """Raises RemoteError, also for a malformed payload."""
        signed = unpack_plain(_signed_prekey_decoder, data)
        Prekey.unpack(signed.payload)
        return signed


_signed_prekey_decoder = msgspec.msgpack.Decoder(SignedPrekey)


def sign_prekey(prekey: Prekey, device: DeviceSigner) -> SignedPrekey:
    """device: the one that the prekey names."""
    payload = prekey.pack()
    return SignedPrekey(payload, device.sign(payload))
