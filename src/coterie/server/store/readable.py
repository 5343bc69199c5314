"""Every column of the server's database and why it stands there: what an operator can read.

A test fails where a column is not named here, so nothing new comes in unnoticed. docs/security.md says what
it adds up to.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Table(msgspec.Struct, frozen=True):
    """of: SQL that picks a person's rows; :account and :name_hash are filled in. "": the table holds nothing
    about people. columns: each with the reason why the server has it."""

    of: str
    columns: dict[str, str]


_DEVICES = "(SELECT no FROM devices WHERE account_no = :account)"
_SESSIONS = f"(SELECT no FROM sessions WHERE sender_no IN {_DEVICES})"  # noqa: S608 - no input in it
_CONVERSATIONS = "(SELECT no FROM conversations WHERE one_no = :account OR other_no = :account)"
_NUMBER = "its number inside this database"
_SIGNED = "a public key, signed by the device: given to whoever writes to it"

TABLES: Final[dict[str, Table]] = {
    "facts": Table("", {"name": "which fact", "value": "secrets of the server itself"}),
    "statements": Table("", {"seq": "which one", "signed": "the server's own statements"}),
    "heads": Table("", {"size": "how many leaves", "time_ms": "when", "signed": "the signed head"}),
    "tokens": Table(
        "",
        {
            "mac": "HMAC of an invite's token",
            "uses_left": "how many may still sign up by it",
            "expires_ms": "until when",
        },
    ),
    "leaves": Table(
        "idx IN (SELECT leaf FROM manifests WHERE account_no = :account)",
        {
            "idx": "place in the ledger",
            "leaf": "hashes of the name and of a manifest: everybody has it",
        },
    ),
    "newest_leaves": Table(
        "name_hash = :name_hash", {"name_hash": "hash of the name", "idx": "its newest place in the ledger"}
    ),
    "accounts": Table(
        "no = :account",
        {
            "no": _NUMBER,
            "account": "hash of the public keys: what others call the account by",
            "name": "so that it is unique, and others find it; gone once the account is deleted",
            "seq": "number of the newest manifest",
            "hash": "of the newest manifest",
            "first_hash": "of the first one: a sign-up that is repeated is known by it",
            "leaf": "place of the newest manifest in the ledger",
            "salt": "random, for whoever logs in by name",
            "vault": "private keys, wrapped by what the server does not have",
        },
    ),
    "verifiers": Table(
        "account_no = :account",
        {
            "account_no": "whose",
            "id": "names an auth key without giving it away",
            "mac": "HMAC of an auth key: a login is checked against it",
        },
    ),
    "manifests": Table(
        "account_no = :account",
        {
            "account_no": "whose",
            "seq": "its number",
            "hash": "what the ledger names it by",
            "leaf": "its place in the ledger",
            "accepted_ms": "when it came: ten a day are taken",
            "signed": "devices, their names and public keys, when they came and went: all get it",
        },
    ),
    "deletions": Table(
        "account_no = :account OR name_hash = :name_hash",
        {
            "account_no": "whose",
            "name_hash": "hash of the name, as in the ledger",
            "signed": "the deletion, signed by its owner: others check it, and the name is not given again",
        },
    ),
    "resets": Table(
        "account_no = :account OR old_no = :account",
        {
            "account_no": "the account that begins the name anew",
            "old_no": "the one before",
            "from_ms": "when it takes effect",
            "state": "announced, cancelled or in effect",
        },
    ),
    "successions": Table(
        "account_no = :account OR old_no = :account",
        {
            "account_no": "the account that goes on",
            "old_no": "the one before",
            "signed": "who follows whom, signed by the one before: others check it",
        },
    ),
    "reset_tokens": Table(
        "account_no = :account",
        {
            "account_no": "whose name may begin anew",
            "mac": "HMAC of the code that the operator gave",
            "expires_ms": "until when",
        },
    ),
    "devices": Table(
        "account_no = :account",
        {
            "no": _NUMBER,
            "device": "random: envelopes and messages name it",
            "account_no": "whose",
            "ed25519": "public key: the device signs in by it",
            "revoked": "whether it was removed",
            "leaf": "place of the manifest that added it",
            "run": "how often it was started: tells a copy from the original",
            "run_nonce": "of the newest start",
            "x_wing_ms": "age of its newest X-Wing key: too old, and it is dormant",
            "mailbox_end": "how many envelopes came for it",
            "mailbox_acked": "how many of them it has",
        },
    ),
    "one_time_keys": Table(
        f"device_no IN {_DEVICES}",
        {"device_no": "whose", "id": "its number", "created_ms": "when it was made", "signed": _SIGNED},
    ),
    "spent_keys": Table(
        f"device_no IN {_DEVICES}", {"device_no": "whose", "id": "given out: never given again"}
    ),
    "standing_keys": Table(
        f"device_no IN {_DEVICES}",
        {
            "device_no": "whose",
            "kind": "fallback or X-Wing",
            "created_ms": "when it was made",
            "signed": _SIGNED,
        },
    ),
    "accepts": Table(
        "account_no = :account OR other_no = :account",
        {"account_no": "who has written to", "other_no": "whom: more of the mailbox is kept for those"},
    ),
    "speakers": Table("account_no = :account", {"account_no": "may post to everyone when it is large"}),
    "conversations": Table(
        "one_no = :account OR other_no = :account OR one_no IS NULL",
        {
            "no": _NUMBER,
            "conversation": "hash of both account ids",
            "one_no": "who",
            "other_no": "with whom; nobody in everyone",
            "log_end": "how many messages there were",
            "last_no": "where the last one stands",
            "emptied": "up to where everybody has them, or they were too old",
            "life_from": "where it ended in the copy that the server was restored from",
        },
    ),
    "entitled": Table(
        f"device_no IN {_DEVICES}",
        {
            "conversation_no": "which conversation",
            "device_no": "which device gets its messages",
            "from_seq": "from which one on",
            "acked": "up to which one it has them",
            "skip_after": "behind which one it was dormant",
            "skip_to": "and up to which",
            "last_message": "random id of the last one that it sent",
            "last_no": "where that stands",
        },
    ),
    "sessions": Table(
        f"sender_no IN {_DEVICES}",
        {
            "no": _NUMBER,
            "conversation_no": "in which conversation",
            "sender_no": "which device",
            "session": "random name of a key that the server does not have",
            "created_ms": "when its first envelope came",
        },
    ),
    "shares": Table(
        f"device_no IN {_DEVICES} OR session_no IN {_SESSIONS}",
        {"session_no": "which key", "device_no": "went to which device", "reason": "or why it did not"},
    ),
    "log_entries": Table(
        f"device_no IN {_DEVICES} OR conversation_no IN {_CONVERSATIONS}",
        {
            "no": _NUMBER,
            "conversation_no": "in which conversation",
            "seq": "which message there",
            "device_no": "who sent it",
            "behind_no": "the one before it in this conversation",
            "before_no": "the one before it of this device: a retry is known by it",
            "session": "random name of the key",
            "message": "random id: a retry is known by it",
            "commitment": "binds the text without showing it: one message can be proven by its receiver",
            "mac": "the server's, for that proof",
            "time_ms": "when it came",
            "ciphertext": "sealed and padded; gone once everybody has it, after 30 days at most",
        },
    ),
    "mailbox_entries": Table(
        f"device_no IN {_DEVICES} OR sender_no IN {_DEVICES}",
        {
            "no": _NUMBER,
            "device_no": "for whom",
            "seq": "its place in that mailbox",
            "sender_no": "from whom",
            "envelope": "random id: a repeated one is known by it",
            "share": "which part of the mailbox it fills",
            "bytes": "how large it is",
            "time_ms": "when it came",
            "sealed": "keys on their way, sealed to that device; gone once it has them",
        },
    ),
    "envelope_ids": Table(
        f"sender_no IN {_DEVICES}",
        {"no": _NUMBER, "sender_no": "from whom", "envelope": "random id", "time_ms": "when it came"},
    ),
    "blobs": Table(
        "account_no = :account",
        {
            "no": _NUMBER,
            "blob": "random id of a sealed file: whoever was told it is given the file",
            "account_no": "who uploaded it: it counts as theirs",
            "bytes": "how large it is, padded",
            "sha256": "hash of the sealed bytes: what comes has to be what was said",
            "time_ms": "when it came: it goes after 40 days",
            "state": "coming, whole or going",
        },
    ),
    "blob_use": Table(
        "account_no = :account",
        {"account_no": "whose", "files": "how many files are kept", "bytes": "how large they are together"},
    ),
}
