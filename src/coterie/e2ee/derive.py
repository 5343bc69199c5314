"""One way to make keys from a key: HKDF-SHA256 (RFC 5869) with the purpose in its info."""

from __future__ import annotations

from typing import Final

from coterie.base.domains import Domain, digest
from coterie.e2ee.hashing import hmac_sha256

_NO_SALT: Final = bytes(32)
_ONLY_BLOCK: Final = b"\x01"


def derive_key(secret: bytes, purpose: Domain, *context: bytes) -> bytes:
    """32 bytes from a secret that is already uniformly random or stretched.

    info = digest(purpose, *context): domain, suite and every part with its length are bound.
    """
    info = digest(purpose, *context)
    return hmac_sha256(hmac_sha256(_NO_SALT, secret), info + _ONLY_BLOCK)
