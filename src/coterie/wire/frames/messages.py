"""Envelopes, messages, their delivery and acknowledgement, presence."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.shared import Id16, Id32, MessageIdOrNone, NameText, Natural, Position, StreamBytes

Ciphertext = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.CIPHERTEXT_BYTES)]
SealedEnvelope = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.REPAIR_ENVELOPE_BYTES)]
ReasonText = Annotated[str, msgspec.Meta(max_length=32)]


class Share(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """This envelope carries the key of that session, and of those that follow it in the same conversation."""

    conversation: Id16
    session: Id32
    more: Annotated[tuple[Id32, ...], msgspec.Meta(max_length=limits.KEYS_PER_ENVELOPE - 1)] = ()

    @property
    def sessions(self) -> tuple[bytes, ...]:
        return (self.session, *self.more)


class EnvelopeItem(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One envelope for one device; share: none where it carries no session key."""

    account: Id32
    device: Id16
    envelope: Id16
    sealed: SealedEnvelope
    share: Share | None


class LeftOutDevice(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device that this session's key did not go to, and why (bad-key, no-prekey, mailbox-full, unproven,
    unconfirmed)."""

    conversation: Id16
    session: Id32
    device: Id16
    reason: ReasonText


class Envelopes(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=14, forbid_unknown_fields=True
):
    """Keys first. Idempotent by (sending device, envelope id). to: the other account where the shares are for
    a direct conversation that may not exist yet, else b"". A share row is set once per session and device."""

    request: Natural
    items: Annotated[tuple[EnvelopeItem, ...], msgspec.Meta(max_length=limits.ENVELOPES_PER_FRAME)]
    left_out: Annotated[tuple[LeftOutDevice, ...], msgspec.Meta(max_length=1000)] = ()
    to: Annotated[bytes, msgspec.Meta(max_length=32)] = b""


class Send(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="t", tag=15, forbid_unknown_fields=True
):
    """A sealed message for a conversation's log. to: the other account of a direct conversation (its id is
    the hash of both), b"" for everyone. previous: this device's last message id in this conversation.
    commitment: HMAC(franking key, inner message)."""

    request: Natural
    conversation: Id16
    to: Annotated[bytes, msgspec.Meta(max_length=32)]
    session: Id32
    message: Id16
    previous: MessageIdOrNone
    ciphertext: Ciphertext
    commitment: Id32
    membership: Id32
    ledger_size: Natural


class Accept(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=16, forbid_unknown_fields=True):
    """This account wants messages of that account (mailbox share of accepted people)."""

    request: Natural
    account: Id32


class Ack(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="t", tag=17, forbid_unknown_fields=True
):
    """Everything up to these positions is committed on this device."""

    positions: Annotated[tuple[Position, ...], msgspec.Meta(min_length=1, max_length=10_000)]


class MailboxEntry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An envelope as stored."""

    seq: Natural
    account: Id32
    device: Id16
    envelope: Id16
    sealed: SealedEnvelope
    server_time_ms: Natural


class MailboxEntries(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=43, forbid_unknown_fields=True
):
    """Entries of the device's mailbox, in order."""

    stream: StreamBytes
    incarnation: Id16
    entries: Annotated[tuple[MailboxEntry, ...], msgspec.Meta(max_length=limits.WINDOW_ENTRIES)]


class LogEntry(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """A message as stored. mac: the server's, over {commitment, sender, conversation, time}."""

    seq: Natural
    account: Id32
    device: Id16
    session: Id32
    message: Id16
    ciphertext: Ciphertext
    commitment: Id32
    server_time_ms: Natural
    mac: Id32


class LogEntries(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="t", tag=44, forbid_unknown_fields=True
):
    """Entries of a conversation's log, in order; mailbox_end: the end of this device's mailbox, read after
    them (their keys stand at or before it)."""

    stream: StreamBytes
    incarnation: Id16
    entries: Annotated[tuple[LogEntry, ...], msgspec.Meta(max_length=limits.WINDOW_ENTRIES)]
    mailbox_end: Natural


class OnlinePerson(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    account: Id32
    name: NameText
    online: bool


class Presence(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=45, forbid_unknown_fields=True
):
    """Who is connected. initial: a part of the whole list, after Ready; else changes, one batch a second at
    most."""

    people: Annotated[tuple[OnlinePerson, ...], msgspec.Meta(max_length=100_000)]
    initial: bool
