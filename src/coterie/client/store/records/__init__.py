"""What a client keeps: one frozen type per row. The same types are read and saved.

A record in Outcome.save is written as it stands (insert or replace by its key); the types that only change
or remove something say so. Everything lies inside the encrypted database.
"""

from __future__ import annotations

from coterie.client.store.records.lives import BeginLife, PastSigned
from coterie.client.store.records.people import (
    NEVER_MS,
    AccountRow,
    DropOlm,
    DropPeerFreshKey,
    OlmRow,
    OwnFreshKey,
    OwnXWing,
    PassFreshKeys,
    PeerDevice,
    PeerFreshKey,
    PeerKeys,
    PruneFreshKeys,
    PruneXWing,
    PutLeaves,
    Standing,
)
from coterie.client.store.records.repairs import (
    AwaitedRow,
    DeviceSince,
    DropAwaited,
    RepairGiven,
)
from coterie.client.store.records.sessions import (
    DropEnvelopeOut,
    DropGroupOut,
    EnvelopeOut,
    GroupInRow,
    GroupOutRow,
    KeptKey,
    PruneGroupIn,
    SeenEnvelope,
    ShareRow,
    ShareState,
)
from coterie.client.store.records.settings import (
    DropSetting,
    PutSetting,
    Setting,
)
from coterie.client.store.records.talk import (
    BecomeDevice,
    ConversationRow,
    Delivered,
    DropReceiptDue,
    DropReceived,
    DropWaiting,
    GiveUp,
    MessageAccepted,
    MessageRow,
    OutboxRow,
    OutboxState,
    PositionRow,
    PruneOutbox,
    PutDraft,
    ReadElsewhere,
    ReadTold,
    ReadUpTo,
    ReceiptDue,
    ReceiptRow,
    TipRow,
    WaitingReason,
    WaitingRow,
)

Record = (
    PutSetting
    | DropSetting
    | PutLeaves
    | AccountRow
    | PeerKeys
    | OwnXWing
    | PruneXWing
    | OwnFreshKey
    | PassFreshKeys
    | PruneFreshKeys
    | PeerFreshKey
    | DropPeerFreshKey
    | OlmRow
    | DropOlm
    | GroupOutRow
    | DropGroupOut
    | ShareRow
    | KeptKey
    | EnvelopeOut
    | DropEnvelopeOut
    | GroupInRow
    | PruneGroupIn
    | SeenEnvelope
    | WaitingRow
    | DropWaiting
    | AwaitedRow
    | DropAwaited
    | RepairGiven
    | DeviceSince
    | ConversationRow
    | TipRow
    | MessageRow
    | MessageAccepted
    | OutboxRow
    | PruneOutbox
    | GiveUp
    | ReceiptRow
    | Delivered
    | ReceiptDue
    | DropReceiptDue
    | DropReceived
    | ReadUpTo
    | ReadElsewhere
    | ReadTold
    | PutDraft
    | PositionRow
    | BecomeDevice
    | BeginLife
    | PastSigned
)

__all__ = [
    "NEVER_MS",
    "AccountRow",
    "AwaitedRow",
    "BecomeDevice",
    "BeginLife",
    "ConversationRow",
    "Delivered",
    "DeviceSince",
    "DropAwaited",
    "DropEnvelopeOut",
    "DropGroupOut",
    "DropOlm",
    "DropPeerFreshKey",
    "DropReceiptDue",
    "DropReceived",
    "DropSetting",
    "DropWaiting",
    "EnvelopeOut",
    "GiveUp",
    "GroupInRow",
    "GroupOutRow",
    "KeptKey",
    "MessageAccepted",
    "MessageRow",
    "OlmRow",
    "OutboxRow",
    "OutboxState",
    "OwnFreshKey",
    "OwnXWing",
    "PassFreshKeys",
    "PastSigned",
    "PeerDevice",
    "PeerFreshKey",
    "PeerKeys",
    "PositionRow",
    "PruneFreshKeys",
    "PruneGroupIn",
    "PruneOutbox",
    "PruneXWing",
    "PutDraft",
    "PutLeaves",
    "PutSetting",
    "ReadElsewhere",
    "ReadTold",
    "ReadUpTo",
    "ReceiptDue",
    "ReceiptRow",
    "Record",
    "RepairGiven",
    "SeenEnvelope",
    "Setting",
    "ShareRow",
    "ShareState",
    "Standing",
    "TipRow",
    "WaitingReason",
    "WaitingRow",
]
