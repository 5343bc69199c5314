"""Hashes made by hand are those of the standard library, and a key made from a key is that of HKDF."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.domains import Domain, digest
from coterie.base.errors import LocalError
from coterie.e2ee.derive import derive_key
from coterie.e2ee.hashing import hmac_sha256, sha256

TEXTS = st.binary(max_size=2000)


@given(TEXTS)
def test_a_hash_is_that_of_the_standard_library(data: bytes) -> None:
    assert sha256(data) == hashlib.sha256(data).digest()


@given(st.binary(max_size=64), TEXTS)
def test_a_mac_is_that_of_the_standard_library(key: bytes, data: bytes) -> None:
    assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")


def test_a_mac_is_that_of_its_rfc() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_a_longer_key_is_refused() -> None:
    with pytest.raises(LocalError):
        hmac_sha256(bytes(65), b"")


@given(st.binary(min_size=32, max_size=64), st.lists(st.binary(max_size=40), max_size=3))
def test_a_key_from_a_key_is_that_of_hkdf(secret: bytes, context: list[bytes]) -> None:
    info = digest(Domain.PICKLE_KEY, *context)
    expected = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
    assert derive_key(secret, Domain.PICKLE_KEY, *context) == expected
