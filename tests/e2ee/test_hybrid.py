"""X-Wing under HPKE: published vectors, order of the parts, and what must not open."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError, SealBroken
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from tests.e2ee.pair import forgeries
from tests.e2ee.test_vodo import LOW_ORDER
from tests.examples import examples

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "x_wing.json").read_text())["vectors"]
INFO = b"who seals to whom"
SUITE_ID = b"HPKE\x64\x7a\x00\x01\x00\x02"
"""KEM X-Wing, KDF HKDF-SHA256, AEAD AES-256-GCM (RFC 9180 5.1)."""


def _extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + SUITE_ID + label + ikm, "sha256")


def _expand(secret: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + SUITE_ID + label + info
    return hmac.digest(secret, labeled + b"\x01", "sha256")[:size]


def _sealed_by_hand(shared_secret: bytes, encapsulated: bytes, info: bytes, plaintext: bytes) -> bytes:
    """HPKE base mode over a shared secret given by the vector: the key schedule of RFC 9180 5.1."""
    context = b"\x00" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared_secret, b"secret", b"")
    key, nonce = _expand(secret, b"key", context, 32), _expand(secret, b"base_nonce", context, 12)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, b"")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["seed"][:8])
def test_the_published_vectors(vector: dict[str, str]) -> None:
    """Seed to public key (expansion and order of the parts), and decapsulation, shown by what then opens."""
    key = XWingKey.from_private(hashlib.shake_256(bytes.fromhex(vector["seed"])).digest(96))
    assert key.public.hex() == vector["pk"]
    sealed = _sealed_by_hand(bytes.fromhex(vector["ss"]), bytes.fromhex(vector["ct"]), INFO, b"hello")
    assert hybrid.open(key.private, INFO, sealed) == b"hello"
    other = _sealed_by_hand(bytes(32), bytes.fromhex(vector["ct"]), INFO, b"hello")
    with pytest.raises(SealBroken):
        hybrid.open(key.private, INFO, other)


def test_what_was_sealed_opens_with_key_and_info_alone() -> None:
    key, other = XWingKey.generate(), XWingKey.generate()
    sealed = hybrid.seal(key.public, INFO, b"plaintext")
    assert len(sealed) == len(b"plaintext") + hybrid.OVERHEAD_BYTES
    assert hybrid.open(key.private, INFO, sealed) == b"plaintext"
    assert hybrid.open(key.private, b"", hybrid.seal(key.public, b"", b"")) == b""
    for private, info in ((other.private, INFO), (key.private, b""), (key.private, INFO + b"x")):
        with pytest.raises(SealBroken):
            hybrid.open(private, info, sealed)


def test_both_halves_are_needed() -> None:
    key, other = XWingKey.generate(), XWingKey.generate()
    sealed = hybrid.seal(key.public, INFO, b"plaintext")
    for mixed in (key.private[:64] + other.private[64:], other.private[:64] + key.private[64:]):
        with pytest.raises(SealBroken):
            hybrid.open(mixed, INFO, sealed)


def test_sizes_and_the_way_back_from_a_private_key() -> None:
    key = XWingKey.generate()
    assert (len(key.public), len(key.private)) == (1216, 96)
    assert XWingKey.from_private(key.private).public == key.public
    assert XWingKey.generate().public != key.public
    for size in (0, 32, 95, 97):
        with pytest.raises(LocalError):
            XWingKey.from_private(bytes(size))


def test_every_forgery_is_refused() -> None:
    key = XWingKey.generate()
    sealed = hybrid.seal(key.public, INFO, b"plaintext")
    for wrong in forgeries(sealed, 100):
        with pytest.raises(SealBroken):
            hybrid.open(key.private, INFO, wrong)
    assert hybrid.open(key.private, INFO, sealed) == b"plaintext"


@pytest.mark.parametrize("low", LOW_ORDER, ids=bytes.hex)
def test_points_of_low_order_are_refused(low: bytes) -> None:
    key = XWingKey.generate()
    with pytest.raises(SealBroken):
        hybrid.seal(key.public[:1184] + low, INFO, b"x")
    sealed = hybrid.seal(key.public, INFO, b"x")
    with pytest.raises(SealBroken):
        hybrid.open(key.private, INFO, sealed[:1088] + low + sealed[1120:])


def test_ml_kem_keys_out_of_range_are_refused() -> None:
    key = XWingKey.generate()
    for public in (b"\xff" * 1184 + key.public[1184:], key.public[:-1], key.public + b"\x00", b""):
        with pytest.raises(SealBroken):
            hybrid.seal(public, INFO, b"x")


def test_a_key_does_not_show_itself() -> None:
    assert repr(XWingKey.generate()) == "<XWingKey>"


_key = XWingKey.generate()


@settings(max_examples=examples(100), deadline=None)
@given(garbage=st.one_of(st.binary(max_size=50), st.binary(min_size=1100, max_size=1300)))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(SealBroken):
        hybrid.open(_key.private, INFO, garbage)
    with pytest.raises(SealBroken):
        hybrid.seal(garbage, INFO, b"x")
