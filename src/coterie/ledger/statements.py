"""Statements of identities: a change of identity, what a server says it is, and that it was restored from a
copy (encryption rules 7 and 19).

docs/protocol.md, Statements. ledger.checks decides whether a chain of them may be believed.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from coterie.base.domains import Domain, digest
from coterie.base.ids import SHORT_ID_BYTES, AccountId, LedgerId
from coterie.base.signing import LEDGER_PUBLIC_BYTES, IdentityKeys
from coterie.ledger.cosigned import IdentitySignature
from coterie.ledger.manifest import IdentityBytes
from coterie.ledger.packing import (
    Account,
    Bytes16,
    Hash,
    Ledger,
    Natural,
    Seq,
    pack,
    pack_plain,
    unpack,
    unpack_plain,
)


def ledger_id(founding: AccountId, nonce: bytes) -> LedgerId:
    """The id of a ledger of the server with this founding identity; nonce: 16 random bytes."""
    return LedgerId(digest(Domain.LEDGER_ID, founding, nonce)[:SHORT_ID_BYTES])


class IdentityStatement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Signed by the identity `old`: from now on I am `new` (packed IdentityPublic). seq: 1 for the first."""

    old: Account
    new: IdentityBytes
    seq: Seq
    time_ms: Natural

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.IDENTITY_STATEMENT, self)

    @classmethod
    def unpack(cls, payload: bytes) -> IdentityStatement:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_identity_decoder, Domain.IDENTITY_STATEMENT, payload)


_identity_decoder = msgspec.msgpack.Decoder(IdentityStatement)


class ServerStatement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Signed by a server's current identity: this is my TLS key, my ledger, my incarnation.

    server: id of the founding identity; identity: the current one, packed; seq: 1 for the first, previous:
    SHA-256 of the packed statement before (NO_HASH); tls_key: SHA-256 of the certificate's public key
    (SubjectPublicKeyInfo, DER); ledger: ledger_id(server, ledger_nonce); founding_ledger: the server's first
    one; ledger_key: packed LedgerPublic; valid from issued_ms until before expires_ms.
    """

    server: Account
    identity: IdentityBytes
    seq: Seq
    tls_key: Hash
    ledger: Ledger
    ledger_nonce: Bytes16
    founding_ledger: Ledger
    ledger_key: Annotated[bytes, msgspec.Meta(min_length=LEDGER_PUBLIC_BYTES, max_length=LEDGER_PUBLIC_BYTES)]
    incarnation: Bytes16
    issued_ms: Natural
    expires_ms: Natural
    previous: Hash

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.SERVER_STATEMENT, self)

    @classmethod
    def unpack(cls, payload: bytes) -> ServerStatement:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_server_decoder, Domain.SERVER_STATEMENT, payload)


_server_decoder = msgspec.msgpack.Decoder(ServerStatement)


class RestoreStatement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Signed by a server's identity: my data was restored from a copy, and goes on in another ledger.

    server: id of the founding identity; identity: id of the one that signs; seq: its place among the
    restores, from 1; old_ledger, old_size, old_root: the ledger before, as the copy has it under its newest
    head; ledger, incarnation: the new ones; copied_ms: time of that head, so of the copy within an hour.
    """

    server: Account
    identity: Account
    seq: Seq
    old_ledger: Ledger
    old_size: Seq
    old_root: Hash
    ledger: Ledger
    incarnation: Bytes16
    copied_ms: Natural
    time_ms: Natural

    def pack(self) -> bytes:
        """The bytes that are signed and sent."""
        return pack(Domain.RESTORE_STATEMENT, self)

    @classmethod
    def unpack(cls, payload: bytes) -> RestoreStatement:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_restore_decoder, Domain.RESTORE_STATEMENT, payload)


_restore_decoder = msgspec.msgpack.Decoder(RestoreStatement)


class SignedStatement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A packed IdentityStatement, ServerStatement or RestoreStatement with the identity's signature."""

    payload: bytes
    signature: IdentitySignature

    @property
    def hash(self) -> bytes:
        """What the next statement and a leaf name it by: SHA-256 of the payload."""
        return hashlib.sha256(self.payload).digest()

    def pack(self) -> bytes:
        return pack_plain(self)

    @classmethod
    def unpack(cls, data: bytes) -> SignedStatement:
        """Raises RemoteError. The payload is decoded by the statement's own unpack()."""
        return unpack_plain(_signed_decoder, data)


_signed_decoder = msgspec.msgpack.Decoder(SignedStatement)


def sign_statement(
    statement: IdentityStatement | ServerStatement | RestoreStatement, identity: IdentityKeys
) -> SignedStatement:
    """identity: the old one of an IdentityStatement, the current one of the others."""
    payload = statement.pack()
    return SignedStatement(payload, identity.sign(payload))
