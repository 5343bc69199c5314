"""Signatures: what is signed verifies, and nothing else does."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.signing import (
    IDENTITY_BYTES,
    IDENTITY_SIGNATURE_BYTES,
    LEDGER_PUBLIC_BYTES,
    IdentityKeys,
    IdentityPublic,
    LedgerKeys,
    LedgerPublic,
    account_id,
    require_primitives,
    verify_device,
    verify_identity,
    verify_ledger,
)
from tests.examples import examples

MESSAGE = b"coterie manifest\x00\x01message"


@pytest.fixture(scope="module")
def keys() -> IdentityKeys:
    return IdentityKeys.generate()


@pytest.fixture(scope="module")
def stranger() -> IdentityKeys:
    return IdentityKeys.generate()


@pytest.fixture(scope="module")
def ledger_keys() -> LedgerKeys:
    return LedgerKeys.generate()


# identities


def test_an_identity_signs_with_both_algorithms(keys: IdentityKeys) -> None:
    signature = keys.sign(MESSAGE)
    assert len(signature) == IDENTITY_SIGNATURE_BYTES == 384 + 3309
    verify_identity(keys.public, MESSAGE, signature)


def test_neither_half_alone_counts(keys: IdentityKeys, stranger: IdentityKeys) -> None:
    mine, foreign = keys.sign(MESSAGE), stranger.sign(MESSAGE)
    for wrong in (
        foreign,
        mine[:384] + foreign[384:],
        foreign[:384] + mine[384:],
        mine[:384] + bytes(3309),
        bytes(384) + mine[384:],
        mine[:384],
        mine[384:],
        mine + b"\x00",
        b"",
    ):
        with pytest.raises(SealBroken):
            verify_identity(keys.public, MESSAGE, wrong)


def test_another_message_or_identity_does_not_verify(keys: IdentityKeys, stranger: IdentityKeys) -> None:
    signature = keys.sign(MESSAGE)
    with pytest.raises(SealBroken):
        verify_identity(keys.public, MESSAGE + b"\x00", signature)
    with pytest.raises(SealBroken):
        verify_identity(stranger.public, MESSAGE, signature)


@given(at=st.integers(0, IDENTITY_SIGNATURE_BYTES - 1), bit=st.integers(0, 7))
@settings(max_examples=examples(60), deadline=None)
def test_one_corrupted_bit_of_a_signature_is_refused(keys: IdentityKeys, at: int, bit: int) -> None:
    signature = bytearray(keys.sign(MESSAGE))
    signature[at] ^= 1 << bit
    with pytest.raises(SealBroken):
        verify_identity(keys.public, MESSAGE, bytes(signature))


def test_rsa_means_pss_with_sha256_and_a_salt_of_32(keys: IdentityKeys) -> None:
    private = msgspec.msgpack.decode(keys.pack())[0]
    rsa_key = serialization.load_der_private_key(private, password=None)
    assert isinstance(rsa_key, rsa.RSAPrivateKey)
    mldsa_half = keys.sign(MESSAGE)[384:]

    def pss(mgf_hash: hashes.HashAlgorithm, salt: int) -> padding.PSS:
        return padding.PSS(mgf=padding.MGF1(mgf_hash), salt_length=salt)

    sha256, sha512 = hashes.SHA256(), hashes.SHA512()
    right = rsa_key.sign(MESSAGE, pss(sha256, 32), sha256)
    verify_identity(keys.public, MESSAGE, right + mldsa_half)
    for wrong in (
        rsa_key.sign(MESSAGE, pss(sha256, 20), sha256),
        rsa_key.sign(MESSAGE, pss(sha256, 0), sha256),
        rsa_key.sign(MESSAGE, pss(sha512, 32), sha256),
        rsa_key.sign(MESSAGE, pss(sha256, 32), sha512),
        rsa_key.sign(MESSAGE, padding.PKCS1v15(), sha256),
    ):
        with pytest.raises(SealBroken):
            verify_identity(keys.public, MESSAGE, wrong + mldsa_half)


def test_a_public_identity_comes_back(keys: IdentityKeys) -> None:
    packed = keys.public.pack()
    assert len(packed) == IDENTITY_BYTES == 2336
    assert IdentityPublic.unpack(packed) == keys.public
    assert keys.public.rsa_modulus + keys.public.mldsa == packed


def test_only_odd_moduli_of_exactly_3072_bits_are_identities(keys: IdentityKeys) -> None:
    good, mldsa_key = keys.public.rsa_modulus, keys.public.mldsa
    short = (1 << 3070) | 1
    for wrong in (
        good[:-1] + bytes([good[-1] & 0xFE]),
        bytes([good[0] & 0x7F]) + good[1:],
        short.to_bytes(384, "big"),
        bytes(384),
        good[1:],
        b"\x00" + good,
        b"",
    ):
        with pytest.raises(RemoteError):
            IdentityPublic(wrong, mldsa_key)
    smallest = (1 << 3071) | 1
    assert IdentityPublic(smallest.to_bytes(384, "big"), mldsa_key).mldsa == mldsa_key
    with pytest.raises(RemoteError):
        IdentityPublic(good, mldsa_key[1:])
    with pytest.raises(RemoteError):
        IdentityPublic.unpack(keys.public.pack() + b"\x00")


@given(data=st.binary(max_size=64) | st.binary(min_size=IDENTITY_BYTES, max_size=IDENTITY_BYTES))
@settings(max_examples=examples(60))
def test_garbage_is_no_identity_or_one_that_nothing_verifies_under(data: bytes) -> None:
    try:
        public = IdentityPublic.unpack(data)
    except RemoteError:
        return
    with pytest.raises(SealBroken):
        verify_identity(public, MESSAGE, bytes(IDENTITY_SIGNATURE_BYTES))


def test_identity_keys_come_back_and_show_nothing(keys: IdentityKeys) -> None:
    again = IdentityKeys.unpack(keys.pack())
    assert again.public == keys.public
    verify_identity(keys.public, MESSAGE, again.sign(MESSAGE))
    assert "IdentityKeys object" in repr(keys)


def der(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_only_rsa_3072_with_the_fixed_exponent_is_unpacked(keys: IdentityKeys) -> None:
    seed = msgspec.msgpack.decode(keys.pack())[1]
    for wrong in (
        der(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        der(rsa.generate_private_key(public_exponent=3, key_size=3072)),
        der(ec.generate_private_key(ec.SECP256R1())),
        b"",
    ):
        with pytest.raises(RemoteError):
            IdentityKeys.unpack(msgspec.msgpack.encode((wrong, seed)))
    rsa_der = msgspec.msgpack.decode(keys.pack())[0]
    for wrong_items in ((rsa_der, seed[1:]), (rsa_der,), (rsa_der, seed, b""), (seed, rsa_der)):
        with pytest.raises(RemoteError):
            IdentityKeys.unpack(msgspec.msgpack.encode(wrong_items))


@given(data=st.binary(max_size=200), rsa_part=st.binary(max_size=100))
@settings(max_examples=examples(80))
def test_garbage_is_no_identity_keys(data: bytes, rsa_part: bytes) -> None:
    for candidate in (data, msgspec.msgpack.encode((rsa_part, bytes(32)))):
        with pytest.raises(RemoteError):
            IdentityKeys.unpack(candidate)


def test_an_account_id_is_the_fingerprint_of_both_keys(keys: IdentityKeys, stranger: IdentityKeys) -> None:
    mixed = (
        keys.public,
        stranger.public,
        IdentityPublic(keys.public.rsa_modulus, stranger.public.mldsa),
        IdentityPublic(stranger.public.rsa_modulus, keys.public.mldsa),
    )
    assert len({account_id(public) for public in mixed}) == 4
    assert {len(account_id(public)) for public in mixed} == {32}


# devices


def test_a_device_signature_verifies_for_its_key_and_message_only() -> None:
    device, other = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    key, signature = device.public_key().public_bytes_raw(), device.sign(MESSAGE)
    verify_device(key, MESSAGE, signature)
    for wrong_key, message, wrong in (
        (other.public_key().public_bytes_raw(), MESSAGE, signature),
        (key, MESSAGE + b"\x00", signature),
        (key, MESSAGE, other.sign(MESSAGE)),
        (key, MESSAGE, signature[:-1]),
        (key, MESSAGE, b""),
        (key[:-1], MESSAGE, signature),
        (b"\x03" * 33, MESSAGE, signature),
    ):
        with pytest.raises(SealBroken):
            verify_device(wrong_key, message, wrong)


def test_a_key_of_low_order_verifies_nothing() -> None:
    """Under the neutral element R = S = 0 is a signature of every message for a plain verifier."""
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(forged, MESSAGE)
    with pytest.raises(SealBroken):
        verify_device(neutral, MESSAGE, forged)


@given(key=st.binary(max_size=40), signature=st.binary(max_size=80), message=st.binary(max_size=40))
@settings(max_examples=examples(100))
def test_garbage_is_no_device_signature(key: bytes, signature: bytes, message: bytes) -> None:
    with pytest.raises(SealBroken):
        verify_device(key, message, signature)
    with pytest.raises(SealBroken):
        verify_device((key + bytes(32))[:32], message, (signature + bytes(64))[:64])


# ledgers


def test_a_ledger_key_signs_with_both_algorithms(ledger_keys: LedgerKeys) -> None:
    short, long = ledger_keys.sign(MESSAGE)
    assert (len(short), len(long)) == (64, 3309)
    verify_ledger(ledger_keys.public, MESSAGE, short, long)
    verify_ledger(ledger_keys.public, MESSAGE, short, None)
    foreign_short, foreign_long = LedgerKeys.generate().sign(MESSAGE)
    for wrong_short, wrong_long in (
        (foreign_short, long),
        (short, foreign_long),
        (foreign_short, None),
        (short, b""),
        (b"", long),
    ):
        with pytest.raises(SealBroken):
            verify_ledger(ledger_keys.public, MESSAGE, wrong_short, wrong_long)


def test_ledger_keys_come_back(ledger_keys: LedgerKeys) -> None:
    assert LedgerKeys.unpack(ledger_keys.pack()).public == ledger_keys.public
    packed = ledger_keys.public.pack()
    assert len(packed) == LEDGER_PUBLIC_BYTES == 1984
    assert LedgerPublic.unpack(packed) == ledger_keys.public
    for wrong in (b"", packed[1:], packed + b"\x00"):
        with pytest.raises(RemoteError):
            LedgerPublic.unpack(wrong)
    for short, long in ((b"", packed[32:]), (packed[:32], b"")):
        with pytest.raises(RemoteError):
            LedgerPublic(short, long)
    for wrong in (b"", bytes(63), bytes(65)):
        with pytest.raises(RemoteError):
            LedgerKeys.unpack(wrong)


# what must be installed


def test_everything_is_there() -> None:
    require_primitives()


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("cryptography.hazmat.primitives.asymmetric.mldsa", "ML-DSA"),
        ("cryptography.hazmat.primitives.hpke", "X-Wing"),
    ],
)
def test_a_missing_part_is_told_in_a_clear_sentence(module: str, missing: str) -> None:
    program = f"""
import sys
sys.modules[{module!r}] = None
from coterie.base.errors import Unavailable
try:
    from coterie.base.signing import require_primitives
    require_primitives()
except Unavailable as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(
        f"{Code.MISSING_PART.value}: this installation's 'cryptography' has no {missing}"
    )


def test_ed25519_known_answer() -> None:
    """RFC 8032 7.1, test 2."""
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    verify_device(key, b"\x72", signature)


def test_mldsa_keys_are_kept_as_seeds(keys: IdentityKeys) -> None:
    seed = msgspec.msgpack.decode(keys.pack())[1]
    assert MLDSA65PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw() == keys.public.mldsa
