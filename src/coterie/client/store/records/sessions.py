"""What is kept of sending sessions, own and others', and of envelopes."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    EnvelopeId,
    SessionId,
)
from coterie.base.quiet import Quiet


class GroupOutRow(Quiet, frozen=True):
    """This device's current sending session of a conversation. since_order: the highest order when it began,
    so that a later message of another device shows a change of speaker."""

    conversation: ConversationId
    session: SessionId
    pickle: bytes
    predecessor: bytes
    messages: int
    created_ms: int
    since_order: int = 0


class DropGroupOut(msgspec.Struct, frozen=True):
    """End a sending session: the next message begins another. b"" for all conversations."""

    conversation: bytes


class ShareState(StrEnum):
    PENDING = "pending"
    SHARED = "shared"
    LEFT_OUT = "left-out"


class ShareRow(msgspec.Struct, frozen=True):
    """Whether a device has the key of a sending session, from which index, or why not (then it is owed)."""

    session: SessionId
    device: DeviceId
    account: AccountId
    state: ShareState
    reason: str
    index: int


class KeptKey(Quiet, frozen=True):
    """A session key as it was at an index: at 0, and at each at which a device was left out.

    predecessor, last_n, last_hash: what a share of this key says (docs/protocol.md, Key shares).
    """

    session: SessionId
    index: int
    key: bytes
    predecessor: bytes
    last_n: int
    last_hash: bytes
    since_ms: int
    conversation: ConversationId


class EnvelopeOut(msgspec.Struct, frozen=True):
    """A sealed envelope until the server has accepted it. session: the first whose key it carries, b"" for
    none; item: packed wire EnvelopeItem; to: as in the Envelopes frame; since_ms: when it was sealed."""

    envelope: EnvelopeId
    session: bytes
    device: DeviceId
    item: bytes
    to: bytes
    since_ms: int


class DropEnvelopeOut(msgspec.Struct, frozen=True):
    envelope: EnvelopeId


class GroupInRow(Quiet, frozen=True):
    """A session of another device, by which its messages open. Never replaced by another key.

    pickle: b"" once it is pruned; its id stays known. begun_seq, begun_ms: place in the log of the first
    message that was opened with it, and when that was; 0 before (encryption rule 16).
    """

    conversation: ConversationId
    account: AccountId
    device: DeviceId
    session: SessionId
    pickle: bytes
    first_index: int
    predecessor: bytes
    last_n: int
    last_hash: bytes
    begun_seq: int = 0
    begun_ms: int = 0


class PruneGroupIn(msgspec.Struct, frozen=True):
    """Drop the keys of other devices' sessions that a later session of the same device in the same
    conversation followed: one whose first message was opened here at before_ms or earlier, while no entry
    waits for the older one."""

    before_ms: int


class SeenEnvelope(msgspec.Struct, frozen=True):
    device: DeviceId
    envelope: EnvelopeId
