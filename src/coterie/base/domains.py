"""Domain strings and the suite byte that every signed, hashed or sealed object starts with.

A signature made for one purpose can so never pass for another, and an unknown suite is refused
instead of read with weaker rules (docs/protocol.md, Domains; encryption rule 4).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cache

from coterie.base.codes import Code
from coterie.base.errors import RemoteError

SUITE = 1
"""RSA-3072-PSS + ML-DSA-65, Ed25519, Olm/Megolm, X-Wing HPKE, AES-256-GCM, SHA-256, Argon2id."""


class Domain(StrEnum):
    """One per kind of object; the value is what stands on the wire."""

    ACCOUNT_ID = "coterie account id"
    MANIFEST = "coterie manifest"
    PREKEY = "coterie prekey"
    DELETION = "coterie deletion"
    VAULT = "coterie vault"
    SALT = "coterie salt"
    AUTH_KEY = "coterie auth key"
    WRAP_KEY = "coterie wrap key"
    STORE_KEY = "coterie store key"
    PICKLE_KEY = "coterie pickle key"
    RECOVERY_WRAP = "coterie recovery wrap"
    RECOVERY_AUTH = "coterie recovery auth"
    RECOVERY_STORE = "coterie recovery store"
    VERIFIER_ID = "coterie verifier id"
    WRAPPED_SECRET = "coterie wrapped secret"
    ACCOUNT_SECRET = "coterie account secret"
    STORE_WRAP = "coterie store wrap"
    IDENTITY_STATEMENT = "coterie identity statement"
    SERVER_STATEMENT = "coterie server statement"
    BACKUP = "coterie backup"
    RESTORE_STATEMENT = "coterie restore statement"
    PROVE_DEVICE = "coterie prove device"
    PROVE_BLOBS = "coterie prove blobs"
    LEDGER_ID = "coterie ledger id"
    LEAF = "coterie leaf"
    NAME_HASH = "coterie name hash"
    HEAD = "coterie head"
    LEDGER_FILE = "coterie ledger file"
    DIRECT = "coterie direct"
    EVERYONE = "coterie everyone"
    MEMBERSHIP = "coterie membership"
    ENVELOPE = "coterie envelope"
    OLM_PLAINTEXT = "coterie olm plaintext"
    KEY_SHARE = "coterie key share"
    KEY_SHARES = "coterie key shares"
    GROUP_MESSAGE = "coterie group message"
    INNER_MESSAGE = "coterie inner message"
    READ_MARKS = "coterie read marks"
    TRUST_MARKS = "coterie trust marks"
    RECEIPTS = "coterie receipts"
    REPAIR_REQUEST = "coterie repair request"
    REPAIR = "coterie repair"
    NOT_FOR_YOU = "coterie not for you"
    FRANKING = "coterie franking"
    FRANKING_MAC = "coterie franking mac"
    SAFETY_NUMBER = "coterie safety number"
    SAS_COMMITMENT = "coterie sas commitment"
    SAS = "coterie sas"
    APPROVAL = "coterie approval"
    APPROVAL_OFFER = "coterie approval offer"
    APPROVAL_PROOF = "coterie approval proof"
    APPROVAL_CODE = "coterie approval code"
    APPROVAL_GRANT = "coterie approval grant"
    SUCCESSION = "coterie succession"
    HEIR_DEVICE = "coterie heir device"
    TOPIC = "coterie topic"
    TRIES = "coterie tries"


@cache
def prefix(domain: Domain) -> bytes:
    """The bytes that an object of this domain starts with: string, zero byte, suite byte."""
    return domain.value.encode("ascii") + b"\x00" + bytes((SUITE,))


def wrap(domain: Domain, content: bytes) -> bytes:
    """Put the prefix in front."""
    return prefix(domain) + content


def unwrap(domain: Domain, data: bytes) -> bytes:
    """Take the prefix off.

    Raises RemoteError(bad-suite) for another suite, RemoteError(bad-frame) for another domain.
    """
    expected = prefix(domain)
    if data.startswith(expected):
        return data[len(expected) :]
    if data.startswith(expected[:-1]):
        raise RemoteError(Code.BAD_SUITE, domain.value)
    raise RemoteError(Code.BAD_FRAME, f"not a {domain.value}")


def digest(domain: Domain, *parts: bytes) -> bytes:
    """SHA-256 over the prefix and the parts, each part preceded by its length in 4 bytes: 32 bytes."""
    running = hashlib.sha256(prefix(domain))
    for part in parts:
        running.update(len(part).to_bytes(4, "big"))
        running.update(part)
    return running.digest()
