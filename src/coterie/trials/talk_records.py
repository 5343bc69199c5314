"""What a ledger of talk keeps, what a closed store holds, and what can be wrong: one frozen type each."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId


class Participant(msgspec.Struct, frozen=True):
    """A device. moment: when it is known to be there; what is typed later has to reach it.

    label: how a person finds it in what is printed."""

    device: DeviceId
    account: AccountId
    label: str
    moment: int


class TypedMessage(msgspec.Struct, frozen=True):
    """A message in somebody's outbox. moment: not later than when it was typed. place: its number among what
    this device typed in this conversation, from 1. between: the accounts of a direct
    conversation; None: everyone's."""

    message: MessageId
    conversation: ConversationId
    device: DeviceId
    digest: bytes
    moment: int
    place: int
    between: tuple[AccountId, AccountId] | None


class HeldMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message as it stands in a store. sent: an own one that the server has, or one of somebody else."""

    conversation: bytes
    message: bytes
    device: bytes
    order: int
    seq: int
    own: bool
    readable: bool
    sent: bool
    digest: bytes


class FoundMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message that a client shows when it is opened. digest: of what this very device wrote, else empty."""

    conversation: bytes
    message: bytes
    device: bytes
    seq: int
    sent: bool
    digest: bytes


class Unread(msgspec.Struct, frozen=True, array_like=True):
    """counted: by the store. shown: by the newest event, -1 for none. read_order: what was marked as read;
    read_seq: what another own device said it has read."""

    conversation: bytes
    counted: int
    shown: int
    read_order: int
    read_seq: int = 0


class HeldStore(msgspec.Struct, frozen=True, array_like=True):
    """A closed store of one device. waiting: entries that could not be opened yet; broken: entries that did
    not open, ever; unsent: what stands in the outbox, in words."""

    device: bytes
    messages: tuple[HeldMessage, ...]
    unread: tuple[Unread, ...]
    waiting: tuple[str, ...]
    broken: int
    unsent: tuple[str, ...]


class FaultKind(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    UNREADABLE = "unreadable"
    ALTERED = "altered"
    """In a store, but not as it was typed, or typed by nobody."""
    UNSENT = "unsent"
    """Typed, and not acknowledged although there was time."""
    MISSTATED = "misstated"
    """Told as delivered, and not in the store it was delivered to."""
    MISCOUNTED = "miscounted"
    """A count of unread messages is wrong."""


class Fault(msgspec.Struct, frozen=True):
    """where: which device it is about; what: in words, with ids and without texts."""

    kind: FaultKind
    where: str
    what: str
