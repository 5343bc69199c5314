"""What an account's identity signs together with one of its devices: manifests, and an account's end."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from coterie.base.quiet import Quiet
from coterie.base.signing import IDENTITY_SIGNATURE_BYTES
from coterie.ledger.packing import Device, Ed25519Signature, pack_plain

IdentitySignature = Annotated[
    bytes, msgspec.Meta(min_length=IDENTITY_SIGNATURE_BYTES, max_length=IDENTITY_SIGNATURE_BYTES)
]


class CoSigned(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Something packed, signed by the identity and by the device `cosigner`."""

    payload: bytes
    identity_signature: IdentitySignature
    cosigner: Device
    device_signature: Ed25519Signature

    @property
    def hash(self) -> bytes:
        """What leaves and successors name it by: SHA-256 of the payload."""
        return hashlib.sha256(self.payload).digest()

    def pack(self) -> bytes:
        return pack_plain(self)
