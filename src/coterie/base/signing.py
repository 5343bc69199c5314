"""Identity, ledger and device signatures: made, packed and verified here alone, for both programs.

An identity is RSA-3072 (e 65537, PSS with SHA-256 and a salt of 32 bytes, RFC 8017 8.1) and ML-DSA-65
(FIPS 204); a signature counts only if both verify. A ledger key is Ed25519 and ML-DSA-65; a device key is
Ed25519 (RFC 8032). Everything signed starts with a domain (base.domains). docs/protocol.md, Keys.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from coterie.base.codes import Code
from coterie.base.curves import ed25519_is_low_order
from coterie.base.domains import Domain, digest
from coterie.base.errors import RemoteError, SealBroken, Unavailable
from coterie.base.ids import AccountId
from coterie.base.quiet import Quiet

MISSING = "this installation's 'cryptography' has no {}: install cryptography 48 or newer from its own wheel"

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    raise Unavailable(Code.MISSING_PART, MISSING.format("ML-DSA")) from None

RSA_BITS = 3072
RSA_BYTES = RSA_BITS // 8
RSA_EXPONENT = 65537
SALT_BYTES = 32
MLDSA_PUBLIC_BYTES = 1952
MLDSA_SEED_BYTES = 32
MLDSA_SIGNATURE_BYTES = 3309
ED25519_BYTES = 32
ED25519_SIGNATURE_BYTES = 64
IDENTITY_BYTES = RSA_BYTES + MLDSA_PUBLIC_BYTES
IDENTITY_SIGNATURE_BYTES = RSA_BYTES + MLDSA_SIGNATURE_BYTES
LEDGER_PUBLIC_BYTES = ED25519_BYTES + MLDSA_PUBLIC_BYTES

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=SALT_BYTES)


def require_primitives() -> None:
    """Raises Unavailable(missing-part), with a sentence for the person, where ML-DSA or X-Wing is missing."""
    try:
        mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(MLDSA_SEED_BYTES))
    except UnsupportedAlgorithm:
        raise Unavailable(Code.MISSING_PART, MISSING.format("ML-DSA")) from None
    try:
        from cryptography.hazmat.primitives import hpke

        hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    except (ImportError, AttributeError, UnsupportedAlgorithm):
        raise Unavailable(Code.MISSING_PART, MISSING.format("X-Wing")) from None


class IdentityPublic(msgspec.Struct, frozen=True):
    """The public identity of an account or of a server.

    rsa_modulus: 384 bytes big endian, exactly 3072 bits and odd; mldsa: 1952 bytes. Nothing else can be made
    (RemoteError).
    """

    rsa_modulus: bytes
    mldsa: bytes

    def __post_init__(self) -> None:
        if len(self.rsa_modulus) != RSA_BYTES or len(self.mldsa) != MLDSA_PUBLIC_BYTES:
            raise RemoteError(Code.BAD_FRAME, "an identity of the wrong size")
        if self.rsa_modulus[0] < 0x80 or self.rsa_modulus[-1] % 2 == 0:
            raise RemoteError(Code.BAD_FRAME, "an RSA modulus that is even or shorter than 3072 bits")

    def pack(self) -> bytes:
        """2336 bytes: modulus, then ML-DSA key."""
        return self.rsa_modulus + self.mldsa

    @classmethod
    def unpack(cls, data: bytes) -> IdentityPublic:
        """Raises RemoteError."""
        return cls(bytes(data[:RSA_BYTES]), bytes(data[RSA_BYTES:]))


def account_id(public: IdentityPublic) -> AccountId:
    """The id of an account, or of a server: the fingerprint of its identity."""
    return AccountId(digest(Domain.ACCOUNT_ID, public.pack()))


class _PackedIdentity(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    rsa: bytes
    mldsa_seed: bytes


_identity_decoder = msgspec.msgpack.Decoder(_PackedIdentity)


class IdentityKeys:
    """The private identity of an account or of a server; lives in memory for one signature at a time."""

    def __init__(self, rsa_key: rsa.RSAPrivateKey, mldsa_key: mldsa.MLDSA65PrivateKey) -> None:
        self._rsa = rsa_key
        self._mldsa = mldsa_key
        modulus = rsa_key.public_key().public_numbers().n.to_bytes(RSA_BYTES, "big")
        self.public = IdentityPublic(modulus, mldsa_key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> IdentityKeys:
        """New keys (about 130 ms)."""
        return cls(
            rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS),
            mldsa.MLDSA65PrivateKey.generate(),
        )

    def sign(self, message: bytes) -> bytes:
        """Both signatures, 384 + 3309 bytes."""
        return self._rsa.sign(message, _PSS, hashes.SHA256()) + self._mldsa.sign(message)

    def pack(self) -> bytes:
        """Both private keys in the clear: msgpack [PKCS8 DER of RSA, 32-byte seed of ML-DSA]."""
        der = self._rsa.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return msgspec.msgpack.encode(_PackedIdentity(der, self._mldsa.private_bytes_raw()))

    @classmethod
    def unpack(cls, data: bytes) -> IdentityKeys:
        """Raises RemoteError for anything but what pack() gives."""
        try:
            packed = _identity_decoder.decode(data)
            rsa_key = serialization.load_der_private_key(packed.rsa, password=None)
            mldsa_key = mldsa.MLDSA65PrivateKey.from_seed_bytes(packed.mldsa_seed)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, UnsupportedAlgorithm):
            raise RemoteError(Code.BAD_FRAME, "not packed identity keys") from None
        if (
            not isinstance(rsa_key, rsa.RSAPrivateKey)
            or rsa_key.key_size != RSA_BITS
            or rsa_key.public_key().public_numbers().e != RSA_EXPONENT
        ):
            raise RemoteError(Code.BAD_FRAME, "not an RSA-3072 key")
        return cls(rsa_key, mldsa_key)


def verify_identity(public: IdentityPublic, message: bytes, signature: bytes) -> None:
    """Both halves of the signature must verify; raises SealBroken."""
    if len(signature) != IDENTITY_SIGNATURE_BYTES:
        raise SealBroken("an identity signature of the wrong size")
    modulus = int.from_bytes(public.rsa_modulus, "big")
    try:
        rsa_key = rsa.RSAPublicNumbers(RSA_EXPONENT, modulus).public_key()
        rsa_key.verify(signature[:RSA_BYTES], message, _PSS, hashes.SHA256())
    except (InvalidSignature, ValueError):
        raise SealBroken("the identity's RSA signature does not verify") from None
    _verify_mldsa(public.mldsa, message, signature[RSA_BYTES:])


def _verify_mldsa(key: bytes, message: bytes, signature: bytes) -> None:
    try:
        mldsa.MLDSA65PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SealBroken("the ML-DSA signature does not verify") from None


class DeviceSigner(Protocol):
    """Whatever holds a device's Ed25519 key."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


def verify_device(ed25519_key: bytes, message: bytes, signature: bytes) -> None:
    """Ed25519 with a key of full order; raises SealBroken."""
    if ed25519_is_low_order(ed25519_key):
        raise SealBroken("a device key of low order, under which anything verifies")
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(ed25519_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SealBroken("the Ed25519 signature does not verify") from None


class LedgerPublic(msgspec.Struct, frozen=True):
    """What the heads of a ledger verify with. ed25519: 32 bytes, mldsa: 1952; nothing else (RemoteError)."""

    ed25519: bytes
    mldsa: bytes

    def __post_init__(self) -> None:
        if len(self.ed25519) != ED25519_BYTES or len(self.mldsa) != MLDSA_PUBLIC_BYTES:
            raise RemoteError(Code.BAD_FRAME, "a ledger key of the wrong size")

    def pack(self) -> bytes:
        """1984 bytes: Ed25519, then ML-DSA key."""
        return self.ed25519 + self.mldsa

    @classmethod
    def unpack(cls, data: bytes) -> LedgerPublic:
        """Raises RemoteError."""
        return cls(bytes(data[:ED25519_BYTES]), bytes(data[ED25519_BYTES:]))


class LedgerKeys:
    """The server's private ledger key."""

    def __init__(self, ed25519_key: ed25519.Ed25519PrivateKey, mldsa_key: mldsa.MLDSA65PrivateKey) -> None:
        self._ed25519 = ed25519_key
        self._mldsa = mldsa_key
        self.public = LedgerPublic(
            ed25519_key.public_key().public_bytes_raw(), mldsa_key.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> LedgerKeys:
        return cls(ed25519.Ed25519PrivateKey.generate(), mldsa.MLDSA65PrivateKey.generate())

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """The Ed25519 signature (64 bytes) and the ML-DSA signature (3309)."""
        return self._ed25519.sign(message), self._mldsa.sign(message)

    def pack(self) -> bytes:
        """Both private keys in the clear: 32 bytes of Ed25519, then the 32-byte seed of ML-DSA."""
        return self._ed25519.private_bytes_raw() + self._mldsa.private_bytes_raw()

    @classmethod
    def unpack(cls, data: bytes) -> LedgerKeys:
        """Raises RemoteError for anything but 64 bytes."""
        if len(data) != ED25519_BYTES + MLDSA_SEED_BYTES:
            raise RemoteError(Code.BAD_FRAME, "not packed ledger keys")
        return cls(
            ed25519.Ed25519PrivateKey.from_private_bytes(data[:ED25519_BYTES]),
            mldsa.MLDSA65PrivateKey.from_seed_bytes(data[ED25519_BYTES:]),
        )


def verify_ledger(public: LedgerPublic, message: bytes, ed25519_sig: bytes, mldsa_sig: bytes | None) -> None:
    """Both signatures must verify; without an ML-DSA one (inside messages) Ed25519 alone. SealBroken."""
    verify_device(public.ed25519, message, ed25519_sig)
    if mldsa_sig is not None:
        _verify_mldsa(public.mldsa, message, mldsa_sig)
