"""What events are about: messages, people, conversations, devices, as the SDK gives them out."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, UserName
from coterie.base.quiet import Quiet
from coterie.wire.frames import ClientFrame


class ConversationKind(StrEnum):
    DIRECT = "direct"
    EVERYONE = "everyone"


class MessageState(StrEnum):
    """How far a message has come, as this device knows it."""

    QUEUED = "queued"
    """In this device's outbox; goes with the next connection."""
    SENT = "sent"
    """On the server's disk."""
    DELIVERED = "delivered"
    """Opened and stored on a device of the other person."""
    UNSURE = "unsure"
    """Was in the outbox when this folder was copied: whether it was sent since is not known here."""
    RECEIVED = "received"
    """Came from another device."""


class Unreadable(msgspec.Struct, frozen=True):
    """Messages that are known of and cannot be read on this device. now: they are asked for again; ever: for
    how many others had to be asked; told: whether the server is told of both."""

    now: int
    ever: int
    told: bool


class LinkState(StrEnum):
    OFFLINE = "offline"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    LIVE = "live"
    STOPPED = "stopped"
    """A refusal that no retry mends (revoked, copied profile) or a security stop."""


class NotFor(msgspec.Struct, frozen=True):
    """A device that a message could not be sealed for when it was sent, and why."""

    name: UserName
    device_name: str
    reason: Code


class Message(Quiet, frozen=True, gc=False):
    """One line of a conversation, as it stands in this device's store."""

    order: int
    """Position in this device's store: rising, never re-used; what history pages by."""
    id: MessageId
    conversation: ConversationId
    target: str
    """How a person writes the conversation: "@alice" or "everyone"."""
    sender: UserName
    sender_account: AccountId
    sender_device: DeviceId
    own: bool
    """Written by this account, on this or another of its devices."""
    text: str
    readable: bool
    """False: a kind of body that needs a newer version of coterie; text is empty then."""
    sent_at_ms: int
    """By the sender's clock."""
    seq: int
    """Position in the conversation's log; 0 while queued."""
    state: MessageState
    not_for: tuple[NotFor, ...] = ()


class DeliveryState(StrEnum):
    """Whether a device has a message."""

    RECEIVED = "received"
    """Opened and stored there."""
    UNDERWAY = "underway"
    """It can open it, and has not said yet that it did."""
    LEFT_OUT = "left-out"
    """It was given no key, and is owed one."""


class Delivery(msgspec.Struct, frozen=True):
    """What became of an own message on one device."""

    name: UserName
    device: DeviceId
    device_name: str
    state: DeliveryState


class Person(msgspec.Struct, frozen=True):
    name: UserName
    account: AccountId
    online: bool
    verified: bool
    me: bool
    changed: bool = False
    """Another identity had this name before: nothing goes to this one alone until the person has looked."""
    deleted: bool = False
    """The account was ended by its owner: nothing can be said to it any more."""


class Conversation(msgspec.Struct, frozen=True):
    """One row of the conversation list."""

    id: ConversationId
    kind: ConversationKind
    target: str
    peer: Person | None
    """The other person of a direct conversation (oneself for notes)."""
    last: Message | None
    unread: int
    first_unread_order: int
    """Message.order of the first unread message; 0 where there is none."""


class Device(msgspec.Struct, frozen=True):
    """marked: it came in by passphrase or recovery key, or was approved by one that did, and no unmarked
    device has ended that since."""

    id: DeviceId
    name: str
    this: bool
    created_ms: int
    revoked: bool
    approved_by_recovery: bool
    marked: bool = False


class Sent(msgspec.Struct, frozen=True):
    """What became of a message given to send()."""

    id: MessageId
    conversation: ConversationId
    target: str
    state: MessageState


class FramesSent(Quiet, frozen=True):
    """Frames that left for the server together. size_bytes: of all of them, before TLS."""

    at_ms: int
    frames: tuple[ClientFrame, ...]
    size_bytes: int


class Emoji(msgspec.Struct, frozen=True):
    """One emoji, and what it is called."""

    sign: str
    name: str


class ComparisonStep(StrEnum):
    """How far comparing emoji with somebody is, as this device knows it."""

    ASKED = "asked"
    """This person asked: for a device of the other to answer."""
    INVITED = "invited"
    """The other person asked: for this one to want it too."""
    ANSWERED = "answered"
    """The key here has gone out: for the one that was committed to."""
    COMPARING = "comparing"
    """Emoji are shown: for this person's word."""
    SAID_YES = "said-yes"
    """This person said that they match: for the other to say so."""


class Comparison(msgspec.Struct, frozen=True):
    """One that is under way. emoji: empty until both sides are there."""

    step: ComparisonStep
    emoji: tuple[Emoji, ...]
