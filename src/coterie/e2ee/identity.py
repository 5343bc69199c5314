"""The account secret and the vault in which the server keeps it wrapped (encryption rules 2 and 6).

The vault is opaque to the server but for its first field, the random part of the salt, which it hands to
whoever wants to log in. Its hash stands in the manifest, so an account's devices agree on every byte of it.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import IntEnum
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, digest, prefix
from coterie.base.errors import LocalError, RemoteError, SealBroken
from coterie.base.ids import AccountId
from coterie.base.quiet import Quiet
from coterie.base.signing import IdentityKeys, account_id
from coterie.e2ee.packing import Bytes32, Format, Id16

KEY_BYTES = 32
NONCE_BYTES = 12

_Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
_Kind = Annotated[int, msgspec.Meta(ge=0, le=255)]


class WrapKind(IntEnum):
    """By which key the account secret is wrapped. Numbers are final; unknown ones are passed over."""

    PASSPHRASE = 1
    """wrap_key of a generated passphrase."""
    PASSWORD = 2
    """wrap_key of a password of one's own, where the person chose that."""
    RECOVERY = 3


class _PackedSecret(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    identity: bytes
    archive_key: Bytes32


_secrets = Format(Domain.ACCOUNT_SECRET, _PackedSecret)


class AccountSecret:
    """What makes somebody the account: its private identity keys and the key of its archive, 32 bytes."""

    def __init__(self, identity: IdentityKeys, archive_key: bytes) -> None:
        self.identity = identity
        self.archive_key = archive_key

    @classmethod
    def generate(cls) -> AccountSecret:
        """Takes about 130 ms."""
        return cls(IdentityKeys.generate(), secrets.token_bytes(KEY_BYTES))

    def pack(self) -> bytes:
        return _secrets.pack(_PackedSecret(self.identity.pack(), self.archive_key))

    @classmethod
    def unpack(cls, data: bytes) -> AccountSecret:
        packed = _secrets.unpack(data)
        try:
            return cls(IdentityKeys.unpack(packed.identity), packed.archive_key)
        except RemoteError:
            raise SealBroken("an account secret without an identity") from None

    def __repr__(self) -> str:
        return "<AccountSecret>"


class Wrapped(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The account secret under one key. kind: a WrapKind, or a number of a newer version."""

    kind: _Kind
    nonce: _Nonce
    ciphertext: Annotated[bytes, msgspec.Meta(max_length=16 * 1024)]


class Vault(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """random: the random part of the salt, 16 bytes. verifiers: ids (verifier_id) of the auth keys that the
    server may accept, so that a device sees whether an old password still logs in."""

    random: Id16
    wrapped: Annotated[tuple[Wrapped, ...], msgspec.Meta(max_length=16)]
    verifiers: Annotated[tuple[Id16, ...], msgspec.Meta(max_length=16)]

    def pack(self) -> bytes:
        packed = _vaults.pack(self)
        if len(packed) > limits.VAULT_BYTES:
            raise LocalError(Code.TOO_LARGE, "a vault beyond the limit")
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> Vault:
        return _vaults.unpack(data)


_vaults = Format(Domain.VAULT, Vault)


def vault_hash(packed: bytes) -> bytes:
    """What the manifest names: SHA-256 of the packed vault, 32 bytes."""
    return hashlib.sha256(packed).digest()


def verifier_id(auth_key: bytes) -> bytes:
    """16 bytes that name an auth key without giving it away (auth keys are stretched or random)."""
    return digest(Domain.VERIFIER_ID, auth_key)[:16]


def wrap_secret(
    secret: AccountSecret, key: bytes, kind: WrapKind, account: AccountId, random: bytes
) -> Wrapped:
    """Wrap the account secret under a wrap key. random: of the vault that it goes into."""
    if account_id(secret.identity.public) != account:
        raise LocalError(Code.USAGE, "the secret of another account")
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(key).encrypt(nonce, secret.pack(), _bound_to(kind, account, random))
    return Wrapped(int(kind), nonce, ciphertext)


def open_secret(vault: Vault, kind: WrapKind, key: bytes, account: AccountId) -> AccountSecret:
    """The account secret. account: as pinned or as the verified manifest says.

    Raises SealBroken where the vault has nothing of this kind that this key opens, or the secret in it is not
    that of the account (a server's own vault with a key pair of its making).
    """
    cipher = _cipher(key)
    for wrapped in vault.wrapped:
        if wrapped.kind != kind:
            continue
        try:
            opened = cipher.decrypt(wrapped.nonce, wrapped.ciphertext, _bound_to(kind, account, vault.random))
        except InvalidTag:
            continue
        secret = AccountSecret.unpack(opened)
        if account_id(secret.identity.public) != account:
            raise SealBroken("the secret of another account")
        return secret
    raise SealBroken("nothing in the vault opens with this key")


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise LocalError(Code.USAGE, "a wrap key has 32 bytes")
    return AESGCM(key)


def _bound_to(kind: WrapKind, account: AccountId, random: bytes) -> bytes:
    """Associated data: prefix | kind, 1 byte | account id, 32 | random, 16."""
    return b"".join((prefix(Domain.WRAPPED_SECRET), bytes((kind,)), account, random))
