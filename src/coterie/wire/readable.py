"""Every field of what a client says, and why the server gets it: what a person can look at.

A test fails where a field is not named here, so nothing new leaves unnoticed. What the server keeps of it
stands in server/store/readable.py; what it adds up to in docs/security.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from coterie.wire.frames import (
    Accept,
    Ack,
    AddDevice,
    AskApproval,
    Claim,
    ClientFrame,
    DeleteAccount,
    EndApproval,
    Envelopes,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Hello,
    LoginProve,
    LoginStart,
    OfferManifests,
    OfferVault,
    Ping,
    ProveDevice,
    PublishManifest,
    PublishPrekeys,
    RelayApproval,
    Send,
    ShowHead,
    SignUp,
    Succeed,
    Sync,
    TellHealth,
    WatchApprovals,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.messages import EnvelopeItem, LeftOutDevice, Share
from coterie.wire.frames.offers import OfferedManifests
from coterie.wire.frames.shared import DeviceRef, Position

SHOWN_EACH: Final = 3
"""Of many things of one kind in a frame, so many are spelled out."""


class Kind(StrEnum):
    """What the server can make of a field."""

    OPEN = "open"
    """It reads it."""
    PROOF = "proof"
    """A signature, a hash or a random number: says nothing by itself."""
    SEALED = "sealed"
    """It sees how long it is, and cannot open it."""
    SECRET = "secret"
    """Proves who somebody is: read by the server, shown and kept nowhere."""


class Field(msgspec.Struct, frozen=True):
    """kind: what the server can make of it. why: the reason why it is sent."""

    kind: Kind
    why: str


def _open(why: str) -> Field:
    return Field(Kind.OPEN, why)


def _proof(why: str) -> Field:
    return Field(Kind.PROOF, why)


def _sealed(why: str) -> Field:
    return Field(Kind.SEALED, why)


def _secret(why: str) -> Field:
    return Field(Kind.SECRET, why)


_REQUEST = _open("counts the requests of a connection, so that the answer finds its question")
_MANIFEST = _open("the signed list of your devices, with their names and public keys: it goes to everybody")
_VAULT = _sealed("your private keys, wrapped by what the server does not have")
_AUTH_KEY = _secret("made from what you typed, with no way back: a login is checked against it")
_RECOVERY_AUTH_KEY = _secret("made from the recovery key: a login by it is checked against this")
_PREKEYS = _open("public keys, signed by this device: given to whoever writes to it")
_ACCOUNT = _open("whose: the hash of the account's public keys")
_DEVICE = _open("for which device")
_CONVERSATION = _open("into which conversation: a hash of who is in it")
_SESSION = _open("which sending session, so that whoever lacks its key is noticed")
_SEQ = _open("how far this device has come")
_STREAM = _open("of this device's mailbox or of a conversation")
_RENDEZVOUS = _proof("random: where the new device and the one that agrees meet")
_INCARNATION = _proof("which life of the server's data is meant: a restored server begins another")

FIELDS: Final[dict[type[msgspec.Struct], dict[str, Field]]] = {
    Hello: {"versions": _open("which versions of the protocol this program speaks")},
    SignUp: {
        "request": _REQUEST,
        "name": _open("what others find you by"),
        "manifest": _MANIFEST,
        "vault": _VAULT,
        "auth_key": _AUTH_KEY,
        "recovery_auth_key": _RECOVERY_AUTH_KEY,
        "prekeys": _PREKEYS,
        "token": _secret("out of the invitation, where sign-up needs one"),
    },
    LoginStart: {"request": _REQUEST, "name": _open("who wants to log in")},
    LoginProve: {"request": _REQUEST, "name": _open("who wants to log in"), "auth_key": _AUTH_KEY},
    AddDevice: {"request": _REQUEST, "manifest": _MANIFEST, "prekeys": _PREKEYS},
    ProveDevice: {
        "request": _REQUEST,
        "account": _ACCOUNT,
        "device": _open("which device signs in"),
        "run": _open("how often it was started: a copied profile is noticed by it"),
        "run_nonce": _proof("tells two starts of the same number apart"),
        "signature": _proof("shows that the device is the one it says"),
    },
    Sync: {"positions": _open("where to go on delivering")},
    PublishPrekeys: {"request": _REQUEST, "prekeys": _PREKEYS},
    PublishManifest: {
        "request": _REQUEST,
        "manifest": _MANIFEST,
        "vault": _VAULT,
        "auth_key": _AUTH_KEY,
        "recovery_auth_key": _RECOVERY_AUTH_KEY,
    },
    DeleteAccount: {
        "request": _REQUEST,
        "deletion": _open("says that this account ends, signed by it; others check that"),
    },
    Succeed: {
        "request": _REQUEST,
        "succession": _open("says as which account this one goes on, signed by it; others check that"),
        "manifest": _MANIFEST,
        "vault": _VAULT,
        "auth_key": _AUTH_KEY,
        "recovery_auth_key": _RECOVERY_AUTH_KEY,
    },
    FetchVault: {"request": _REQUEST},
    FetchAccounts: {"request": _REQUEST, "accounts": _open("whose devices and keys are asked for")},
    KnownAccount: {"account": _ACCOUNT, "seq": _open("which of its manifests is here already")},
    FetchLeaves: {"request": _REQUEST, "start": _open("how much of the ledger is here already")},
    Claim: {"request": _REQUEST, "devices": _open("whose one-time keys are asked for, to write to them")},
    DeviceRef: {"account": _ACCOUNT, "device": _DEVICE},
    Envelopes: {
        "request": _REQUEST,
        "items": _open("one sealed envelope for each device"),
        "left_out": _open("which devices get none, and why"),
        "to": _open("the other person, where the conversation may be new"),
    },
    EnvelopeItem: {
        "account": _ACCOUNT,
        "device": _DEVICE,
        "envelope": _proof("random: the same envelope given twice is kept once"),
        "sealed": _sealed("keys of a conversation, for that device alone"),
        "share": _open("which sessions' keys it carries"),
    },
    Share: {
        "conversation": _CONVERSATION,
        "session": _SESSION,
        "more": _open("sessions behind that one whose keys it carries, too"),
    },
    LeftOutDevice: {
        "conversation": _CONVERSATION,
        "session": _SESSION,
        "device": _open("which device is left out"),
        "reason": _open("why: it has no valid key, say"),
    },
    Send: {
        "request": _REQUEST,
        "conversation": _CONVERSATION,
        "to": _open("the other person; nobody for everyone"),
        "session": _SESSION,
        "message": _proof("random: a message sent twice is kept once"),
        "previous": _proof("this device's message before it: keeps them in order"),
        "ciphertext": _sealed("what you said, with its length rounded up"),
        "commitment": _proof("binds what you said without showing it, so that a report can be proven"),
        "membership": _proof("a hash of who belongs to the conversation"),
        "ledger_size": _open("how much of the ledger this device knows: who came later is told by it"),
    },
    Accept: {"request": _REQUEST, "account": _open("whose messages you want")},
    Ack: {"positions": _open("what has arrived here, so that the server can delete it")},
    Position: {"stream": _STREAM, "incarnation": _INCARNATION, "seq": _SEQ},
    TellHealth: {
        "undecryptable_now": _open("how many messages this device cannot read now: you chose to tell"),
        "undecryptable_ever": _open("and how many others had to be asked for: you chose to tell"),
    },
    Ping: {"nonce": _proof("comes back in the answer"), "positions": _open("what has arrived here")},
    AskApproval: {
        "request": _REQUEST,
        "name": _open("whose devices are asked"),
        "rendezvous": _RENDEZVOUS,
        "message": _open("the public keys and the name of the device that wants to join: for your devices"),
    },
    WatchApprovals: {
        "request": _REQUEST,
        "seconds": _open("for how long you look for a device that wants to join"),
        "rendezvous": _RENDEZVOUS,
    },
    RelayApproval: {
        "rendezvous": _RENDEZVOUS,
        "message": _open("public keys, and, once you have agreed, your account's private keys, sealed"),
    },
    EndApproval: {"rendezvous": _RENDEZVOUS},
    ShowHead: {
        "request": _REQUEST,
        "head": _proof("what the server signed last, as far as this device knows: a restored one learns it"),
    },
    OfferManifests: {
        "request": _REQUEST,
        "accounts": _open("whom this device knows: a restored server may lack them"),
        "head": _proof("under which they stood in the ledger before"),
    },
    OfferedManifests: {
        "manifests": _open("signed lists of devices: everybody has them"),
        "deletion": _open("says that an account ended, signed by it"),
        "leaf": _proof("its place in the ledger before"),
        "index": _proof("where that is"),
        "path": _proof("shows that it stood there"),
    },
    OfferVault: {
        "request": _REQUEST,
        "vault": _VAULT,
        "auth_key": _AUTH_KEY,
        "recovery_auth_key": _RECOVERY_AUTH_KEY,
    },
}


_SECRETS: Final[dict[type[msgspec.Struct], dict[str, bytes]]] = {
    struct: secrets
    for struct, fields in FIELDS.items()
    if (secrets := {name: b"" for name, field in fields.items() if field.kind is Kind.SECRET})
}


class ReadableField(msgspec.Struct, frozen=True):
    """A field of a frame. path: "items[0].device". value: None where it is not shown (SECRET) or not there
    (an absent share); of SEALED its bytes."""

    path: str
    kind: Kind
    value: int | str | bytes | None
    why: str


class More(msgspec.Struct, frozen=True):
    """So many more things of the same kind stand at this path."""

    path: str
    count: int


def fields_of(frame: ClientFrame) -> tuple[ReadableField | More, ...]:
    """Every field of a frame in its order; of many things of one kind the first few."""
    return tuple(_fields(frame, ""))


def blanked(frame: ClientFrame) -> ClientFrame:
    """The frame without what only its server may have."""
    secrets = _SECRETS.get(type(frame))
    return msgspec.structs.replace(frame, **secrets) if secrets else frame


def _fields(struct: msgspec.Struct, path: str) -> Iterator[ReadableField | More]:
    for name, field in FIELDS[type(struct)].items():
        yield from _field(field, f"{path}{name}", getattr(struct, name))


def _field(field: Field, path: str, value: object) -> Iterator[ReadableField | More]:
    match value:
        case _ if field.kind is Kind.SECRET:
            yield ReadableField(path, field.kind, None, field.why)
        case msgspec.Struct():
            yield from _fields(value, f"{path}.")
        case tuple():
            for index, each in enumerate(value[:SHOWN_EACH]):
                yield from _field(field, f"{path}[{index}]", each)
            if len(value) > SHOWN_EACH:
                yield More(path, len(value) - SHOWN_EACH)
        case int() | str() | bytes() | None:
            yield ReadableField(path, field.kind, value, field.why)
        case _:
            raise TypeError(f"{path} has a type that no frame has")
