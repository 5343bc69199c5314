"""What is kept of conversations: messages, the outbox, positions, and what cannot be opened yet."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    MessageId,
    SessionId,
    StreamId,
)
from coterie.base.quiet import Quiet
from coterie.client.events import ConversationKind, MessageState


class WaitingReason(StrEnum):
    NO_KEY = "no-key"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_PEER = "unknown-peer"
    """An own device gave a key for a conversation with somebody who is not proven here yet."""
    TOO_MANY_FAILURES = "too-many-failures"
    BROKEN = "broken"


class WaitingRow(msgspec.Struct, frozen=True):
    """An entry that cannot be opened yet, as it came. session: b"" for envelopes."""

    stream: StreamId
    seq: int
    account: AccountId
    device: DeviceId
    session: bytes
    entry: bytes
    reason: WaitingReason
    since_ms: int


class DropWaiting(msgspec.Struct, frozen=True):
    stream: StreamId
    seq: int


class ConversationRow(Quiet, frozen=True):
    """peer: the other account of a direct conversation, b"" else. out_n, out_hash, out_message: this device's
    newest sealed message there. read_seq: up to where in the log another own device has read; told_seq: up to
    where the others know that it is read."""

    id: ConversationId
    kind: ConversationKind
    peer: bytes
    read_order: int = 0
    draft: str = ""
    out_n: int = 0
    out_hash: bytes = b""
    out_message: bytes = b""
    read_seq: int = 0
    told_seq: int = 0


class TipRow(msgspec.Struct, frozen=True):
    """The newest message of another device in a conversation: what parents name, and what is missing.

    first_n: the lowest n held, below it is before my time; 0 while none counts. held: how many from first_n
    on. named_n: the highest n that others named as one they had. told: how many missing ones were shown.
    anew_from: as in the position of the log when this count began.
    """

    conversation: ConversationId
    device: DeviceId
    n: int
    hash: bytes
    order: int
    first_n: int = 0
    held: int = 0
    named_n: int = 0
    told: int = 0
    anew_from: int = 0

    @property
    def missing(self) -> int:
        """How many messages of that device there are in my time and not in the store."""
        return max(self.n, self.named_n) - self.first_n + 1 - self.held if self.first_n else 0


class MessageRow(Quiet, frozen=True, gc=False):
    """A message. The fields from n on are empty until it is sealed (own) and complete when received.

    inner: the packed inner message and franking_key, commitment and mac: what a report or a repair needs.
    not_for: packed tuple of (account, device, reason). shown: False for what only devices read.
    """

    order: int
    conversation: ConversationId
    message: MessageId
    account: AccountId
    device: DeviceId
    own: bool
    state: MessageState
    body: bytes
    text: str
    readable: bool
    sent_ms: int
    seq: int = 0
    server_ms: int = 0
    n: int = 0
    hash: bytes = b""
    inner: bytes = b""
    franking_key: bytes = b""
    commitment: bytes = b""
    mac: bytes = b""
    session: bytes = b""
    index: int = 0
    not_for: bytes = b""
    shown: bool = True


class MessageAccepted(msgspec.Struct, frozen=True, gc=False):
    """Change: an own message is on the server's disk. mac b"" until it is seen in the log. state: SENT, or
    DELIVERED where a receipt has come before."""

    order: int
    seq: int
    server_ms: int
    mac: bytes
    state: MessageState = MessageState.SENT


class OutboxState(StrEnum):
    WAITING = "waiting"
    """Not sealed yet."""
    SEALED = "sealed"
    """Sealed; to be sent, with the same bytes, until it is accepted."""
    SENT = "sent"
    """Accepted; kept with its bytes for a restored server."""


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """What a Send says beyond message and conversation. previous: this device's message before there.
    previous and ciphertext are empty until it is sealed."""

    order: int
    conversation: ConversationId
    message: MessageId
    state: OutboxState
    since_ms: int
    previous: bytes = b""
    ciphertext: bytes = b""


class ReceiptRow(msgspec.Struct, frozen=True):
    """A device has every message of this own sending session, from where it got the key up to this index."""

    session: SessionId
    device: DeviceId
    up_to: int


class Delivered(msgspec.Struct, frozen=True):
    """Own messages of the session, from the index of a key that somebody else's device was given up to
    another, are delivered. Never moves back. Rows of such messages read as DELIVERED once they are sent."""

    session: SessionId
    first_index: int
    up_to: int


class DropReceived(msgspec.Struct, frozen=True):
    """Remove messages of these orders, the last one too, from the outbox, where they were accepted: every
    live device that is to have them has them, and nobody will ask for them again."""

    first_order: int
    last_order: int


class ReceiptDue(msgspec.Struct, frozen=True):
    """Messages of this session of somebody's device were opened, and that device is to be told.
    first_index: of the key that this device was given."""

    session: SessionId
    device: DeviceId
    account: AccountId
    conversation: ConversationId
    first_index: int


class DropReceiptDue(msgspec.Struct, frozen=True):
    session: SessionId
    device: DeviceId


class GiveUp(msgspec.Struct, frozen=True):
    """Change: a queued message is not sent any more. One that was sealed becomes UNSURE, for it may have
    arrived; any other goes."""

    order: int


class PruneOutbox(msgspec.Struct, frozen=True):
    """Remove outbox rows in state SENT and kept keys from before the given time; and kept keys of sessions
    that ended and of which nobody is owed anything. Keys of sessions by which something sealed waits to be
    accepted stay, whatever their age (encryption rule 13)."""

    before_ms: int


class ReadUpTo(msgspec.Struct, frozen=True):
    """Change: everything up to this order is read; never goes back."""

    conversation: ConversationId
    order: int


class ReadElsewhere(msgspec.Struct, frozen=True):
    """Change: another own device has read up to this seq of the log, so that nobody is to be told of it;
    never goes back."""

    conversation: ConversationId
    seq: int


class ReadTold(msgspec.Struct, frozen=True):
    """Change: the other own devices are told that everything up to this seq is read; never goes back."""

    conversation: ConversationId
    seq: int


class PutDraft(Quiet, frozen=True):
    conversation: ConversationId
    draft: str


class BecomeDevice(msgspec.Struct, frozen=True):
    """Change: this store is a new device's (encryption rule 28). What the device before alone may use goes;
    messages below order sure_from that were not accepted become UNSURE, others wait for the new device."""

    device: DeviceId
    before: DeviceId
    sure_from: int


class PositionRow(msgspec.Struct, frozen=True):
    """How far a stream is committed here. anew_from: behind this place of a log all counts begin anew, since
    this device was dormant before; 0 where it never was."""

    stream: StreamId
    incarnation: bytes
    seq: int
    anew_from: int = 0
