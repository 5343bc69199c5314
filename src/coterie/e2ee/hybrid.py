"""HPKE (RFC 9180, base mode) with X-Wing: ML-KEM-768 and X25519 in one, HKDF-SHA256, AES-256-GCM.

Whoever breaks only one of the two cannot read (draft-connolly-cfrg-xwing-kem; HPKE KEM id 0x647a). Sealing
says nothing about who sealed: the Olm message inside does. It holds the interpreter for 0.1 to 0.2 ms, so a
fan-out to many devices goes in slices.
"""

from __future__ import annotations

import secrets
from functools import cache, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from coterie.base.codes import Code
from coterie.base.errors import LocalError, SealBroken

MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
X25519_BYTES = 32
PRIVATE_BYTES = MLKEM_SEED_BYTES + X25519_BYTES
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + X25519_BYTES
ENCAPSULATED_BYTES = 1120
TAG_BYTES = 16
OVERHEAD_BYTES = ENCAPSULATED_BYTES + TAG_BYTES
"""How much longer the sealed form is than its plaintext."""
PUBLIC_KEYS = 64
"""Kept of those sealed to last: reading one is a fifth of sealing to it."""


class XWingKey:
    """An X-Wing key pair. public: 1216 bytes, ML-KEM-768 then X25519; private: 96 bytes, ML-KEM seed then
    X25519 scalar."""

    def __init__(self, private: bytes) -> None:
        mlkem_key, x25519_key = _components(private)
        self.private = private
        self.ready = MLKEM768X25519PrivateKey(mlkem_key, x25519_key)
        """The same, as HPKE takes it: to make it is as much as to open with it."""
        self.public = mlkem_key.public_key().public_bytes_raw() + x25519_key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> XWingKey:
        return cls(secrets.token_bytes(PRIVATE_BYTES))

    @classmethod
    def from_private(cls, private: bytes) -> XWingKey:
        return cls(private)

    def __repr__(self) -> str:
        return "<XWingKey>"


def seal(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Encapsulated key (1120 bytes), ciphertext and tag. info is bound, not carried.

    Raises SealBroken for a public key of the wrong size, an ML-KEM part out of range or an X25519 part of low
    order.
    """
    try:
        return _suite().encrypt(plaintext, _read(public), info)
    except ValueError:
        raise SealBroken("not a usable X-Wing key") from None


def check_public(public: bytes) -> None:
    """Raises SealBroken for a key that `seal` would refuse."""
    seal(public, b"", b"")


def open(private: bytes | XWingKey, info: bytes, sealed: bytes) -> bytes:
    """The plaintext. private: the 96 bytes, or the key that is ready. Raises SealBroken where key, info or
    bytes are not those of the sealing."""
    if isinstance(private, XWingKey):
        key = private.ready
    else:
        key = MLKEM768X25519PrivateKey(*_components(private))
    try:
        return _suite().decrypt(sealed, key, info)
    except (InvalidTag, ValueError):
        raise SealBroken("an envelope that does not open") from None


def _components(private: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    if len(private) != PRIVATE_BYTES:
        raise LocalError(Code.USAGE, "a private X-Wing key has 96 bytes")
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(private[:MLKEM_SEED_BYTES]),
        x25519.X25519PrivateKey.from_private_bytes(private[MLKEM_SEED_BYTES:]),
    )


@cache
def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@lru_cache(PUBLIC_KEYS)
def _read(public: bytes) -> MLKEM768X25519PublicKey:
    """A public key, ready to be sealed to. Raises ValueError, and keeps nothing then."""
    return MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]),
        x25519.X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]),
    )
