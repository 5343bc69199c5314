"""Signed heads: what the server says its ledger is (docs/protocol.md, Heads; encryption rules 14, 19, 20)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.domains import Domain
from coterie.base.errors import SealBroken
from coterie.base.ids import LedgerId
from coterie.base.signing import MLDSA_SIGNATURE_BYTES, LedgerKeys, LedgerPublic, verify_ledger
from coterie.ledger.packing import (
    Ed25519Signature,
    Hash,
    Ledger,
    Natural,
    pack,
    pack_plain,
    unpack,
    unpack_plain,
)


class Head(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The first `size` leaves of `ledger` have this root; said at time_ms."""

    ledger: Ledger
    size: Natural
    root: Hash
    time_ms: Natural

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.HEAD, self)

    @classmethod
    def unpack(cls, payload: bytes) -> Head:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_head_decoder, Domain.HEAD, payload)


_head_decoder = msgspec.msgpack.Decoder(Head)


class LightHead(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A head with its Ed25519 signature alone, as it stands in files and proofs (about 150 bytes)."""

    payload: bytes
    ed25519: Ed25519Signature

    def pack(self) -> bytes:
        return pack_plain(self)

    @classmethod
    def unpack(cls, data: bytes) -> LightHead:
        """Raises RemoteError, also for a malformed payload."""
        light = unpack_plain(_light_decoder, data)
        Head.unpack(light.payload)
        return light


_light_decoder = msgspec.msgpack.Decoder(LightHead)


class BriefHead(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A light head as it travels inside messages, about 110 bytes: whoever hears it knows which ledger it has
    to be of, and makes the signed bytes again."""

    size: Natural
    root: Hash
    time_ms: Natural
    ed25519: Ed25519Signature

    def pack(self) -> bytes:
        return pack_plain(self)

    @classmethod
    def unpack(cls, data: bytes) -> BriefHead:
        """Raises RemoteError."""
        return unpack_plain(_brief_decoder, data)

    def light(self, ledger: LedgerId) -> LightHead:
        """As a head of this ledger: of another one, the signature does not hold."""
        return LightHead(Head(ledger, self.size, self.root, self.time_ms).pack(), self.ed25519)


_brief_decoder = msgspec.msgpack.Decoder(BriefHead)


class SignedHead(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed head with both signatures of the ledger key."""

    payload: bytes
    ed25519: Ed25519Signature
    mldsa: Annotated[bytes, msgspec.Meta(min_length=MLDSA_SIGNATURE_BYTES, max_length=MLDSA_SIGNATURE_BYTES)]

    @property
    def light(self) -> LightHead:
        return LightHead(self.payload, self.ed25519)

    @property
    def brief(self) -> BriefHead:
        head = Head.unpack(self.payload)
        return BriefHead(head.size, head.root, head.time_ms, self.ed25519)

    def pack(self) -> bytes:
        return pack_plain(self)

    @classmethod
    def unpack(cls, data: bytes) -> SignedHead:
        """Raises RemoteError, also for a malformed payload."""
        signed = unpack_plain(_signed_decoder, data)
        Head.unpack(signed.payload)
        return signed


_signed_decoder = msgspec.msgpack.Decoder(SignedHead)


def sign_head(head: Head, keys: LedgerKeys) -> SignedHead:
    """The server's half of check_head."""
    payload = head.pack()
    return SignedHead(payload, *keys.sign(payload))


def check_head(signed: SignedHead, public: LedgerPublic, ledger: LedgerId) -> Head:
    """Both signatures and the ledger's id. Raises SealBroken, RemoteError for a malformed payload."""
    verify_ledger(public, signed.payload, signed.ed25519, signed.mldsa)
    return _of_ledger(signed.payload, ledger)


def check_light_head(light: LightHead, public: LedgerPublic, ledger: LedgerId) -> Head:
    """The Ed25519 signature and the ledger's id. Raises SealBroken, RemoteError for a malformed payload."""
    verify_ledger(public, light.payload, light.ed25519, None)
    return _of_ledger(light.payload, ledger)


def _of_ledger(payload: bytes, ledger: LedgerId) -> Head:
    head = Head.unpack(payload)
    if head.ledger != ledger:
        raise SealBroken("a head of another ledger")
    return head
