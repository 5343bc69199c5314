"""One way to make keys from a key: HKDF-SHA256 (RFC 5869) with the purpose in its info."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from coterie.base.domains import Domain, digest


def derive_key(secret: bytes, purpose: Domain, *context: bytes) -> bytes:
    """32 bytes from a secret that is already uniformly random or stretched.

    info = digest(purpose, *context): domain, suite and every part with its length are bound.
    """
    info = digest(purpose, *context)
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
