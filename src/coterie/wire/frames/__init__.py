"""Every frame of the protocol, a module per topic, and the two unions (docs/protocol.md, Frames).

Frames travel as msgpack arrays whose first element is the frame's number. Objects that somebody signed
travel inside them as opaque bytes: the bytes signed are the bytes sent.
"""

from __future__ import annotations

from coterie.wire.frames.accounts import (
    Accounts,
    AddDevice,
    Claim,
    Claimed,
    DeleteAccount,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Leaves,
    LedgerGrew,
    LoginProve,
    LoginStart,
    PrekeysLow,
    PublishManifest,
    PublishPrekeys,
    Salt,
    SignUp,
    Succeed,
    VaultGiven,
    VaultOpened,
)
from coterie.wire.frames.approval import (
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
    WatchApprovals,
)
from coterie.wire.frames.connection import (
    Hello,
    Ping,
    Pong,
    ProveDevice,
    Ready,
    ShowHead,
    Sync,
    TellHealth,
    Welcome,
)
from coterie.wire.frames.messages import Accept, Ack, Envelopes, LogEntries, MailboxEntries, Presence, Send
from coterie.wire.frames.offers import OfferManifests, OfferVault
from coterie.wire.frames.shared import Accepted, Refusal

ClientFrame = (
    Hello
    | SignUp
    | LoginStart
    | LoginProve
    | AddDevice
    | ProveDevice
    | Sync
    | PublishPrekeys
    | PublishManifest
    | DeleteAccount
    | Succeed
    | FetchAccounts
    | FetchLeaves
    | FetchVault
    | Claim
    | Envelopes
    | Send
    | Accept
    | Ack
    | Ping
    | TellHealth
    | AskApproval
    | WatchApprovals
    | RelayApproval
    | EndApproval
    | ShowHead
    | OfferManifests
    | OfferVault
)
"""What a client may send."""

ServerFrame = (
    Welcome
    | Salt
    | VaultOpened
    | Accepted
    | Refusal
    | Ready
    | Accounts
    | Leaves
    | VaultGiven
    | LedgerGrew
    | PrekeysLow
    | Claimed
    | MailboxEntries
    | LogEntries
    | Presence
    | Pong
    | ApprovalAsked
    | ApprovalRelayed
    | ApprovalEnded
)
"""What a server may send."""

Frame = ClientFrame | ServerFrame

__all__ = [
    "Accept",
    "Accepted",
    "Accounts",
    "Ack",
    "AddDevice",
    "ApprovalAsked",
    "ApprovalEnded",
    "ApprovalRelayed",
    "AskApproval",
    "Claim",
    "Claimed",
    "ClientFrame",
    "DeleteAccount",
    "EndApproval",
    "Envelopes",
    "FetchAccounts",
    "FetchLeaves",
    "FetchVault",
    "Frame",
    "Hello",
    "Leaves",
    "LedgerGrew",
    "LogEntries",
    "LoginProve",
    "LoginStart",
    "MailboxEntries",
    "OfferManifests",
    "OfferVault",
    "Ping",
    "Pong",
    "PrekeysLow",
    "Presence",
    "ProveDevice",
    "PublishManifest",
    "PublishPrekeys",
    "Ready",
    "Refusal",
    "RelayApproval",
    "Salt",
    "Send",
    "ServerFrame",
    "ShowHead",
    "SignUp",
    "Succeed",
    "Sync",
    "TellHealth",
    "VaultGiven",
    "VaultOpened",
    "WatchApprovals",
    "Welcome",
]
