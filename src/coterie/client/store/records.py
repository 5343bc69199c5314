"""What a client keeps: one frozen type per row. The same types are read and saved.

A record in Outcome.save is written as it stands (insert or replace by its key); the types that only change
or remove something say so. Everything lies inside the encrypted database.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    EnvelopeId,
    MessageId,
    SessionId,
    StreamId,
    UserName,
)
from coterie.base.quiet import Quiet
from coterie.client.events import ConversationKind, MessageState


class Setting(StrEnum):
    """Keys of the single values of a profile."""

    PROFILE = "profile"
    """Packed client.core.profile.Profile."""
    PICKLE_ROOT = "pickle-root"
    """32 random bytes from which the key of every pickle is derived."""
    DEVICE_PICKLE = "device-pickle"
    NEXT_PREKEY_ID = "next-prekey-id"
    RUN = "run"
    """Number of this start and its nonce, packed (encryption rule 28)."""
    CLEAN_STOP = "clean-stop"
    """b"1" after a close in order; absent while running and after a kill."""
    PENDING_SIGN_UP = "pending-sign-up"
    """The SignUp frame, encoded, until the server has accepted it."""
    PENDING_RECOVERY_KEY = "pending-recovery-key"
    """The recovery words until they were handed to the person once."""
    VAULT = "vault"
    OWN_SECRET = "own-secret"
    """The account's private keys under the password of this machine: a packed Vault with one wrapping."""
    DEVICE_UNCONFIRMED = "device-unconfirmed"
    """b"1" from the making of a further device until it was signed in once: the server may not know it."""
    HEAD = "head"
    """Newest verified SignedHead, packed."""
    IDENTITY = "identity"
    """The server's identity as its newest accepted statement named it, packed: a later one must follow from
    it."""
    INCARNATION = "incarnation"
    BROKEN_COUNT = "broken-count"
    """How many entries could not be opened, ever: 8 bytes big endian."""


class PutSetting(Quiet, frozen=True):
    key: Setting
    value: bytes


class DropSetting(msgspec.Struct, frozen=True):
    key: Setting


class PutLeaves(msgspec.Struct, frozen=True):
    """Leaves covered by a verified head, from index start on, and that head."""

    start: int
    leaves: tuple[bytes, ...]
    head: bytes


class PeerDevice(msgspec.Struct, frozen=True):
    """A device of somebody (or of oneself) as the newest verified manifest lists it."""

    device: DeviceId
    account: AccountId
    name: str
    curve25519: bytes
    ed25519: bytes
    created_ms: int
    revoked_ms: int
    approved_by: bytes
    marked: bool

    @property
    def live(self) -> bool:
        return self.revoked_ms == 0


class AccountRow(msgspec.Struct, frozen=True):
    """An account whose manifest was verified against its leaf. Saving replaces its devices."""

    account: AccountId
    name: UserName
    seq: int
    manifest: bytes
    devices: tuple[PeerDevice, ...]
    verified: bool = False


class PeerKeys(msgspec.Struct, frozen=True):
    """Verified reusable prekeys of a device; key b"" and id 0 where it has none."""

    device: DeviceId
    fallback_id: int
    fallback_key: bytes
    x_wing_id: int
    x_wing_key: bytes
    x_wing_created_ms: int


class OwnXWing(Quiet, frozen=True):
    """A private X-Wing prekey of this device. replaced_ms 0: the current one."""

    id: int
    private: bytes
    created_ms: int
    replaced_ms: int


class OlmRow(Quiet, frozen=True):
    """A session between this device and another; its id stays known for ever."""

    session: bytes
    account: AccountId
    device: DeviceId
    pickle: bytes
    received_ms: int
    """When it last opened something; its creation before that."""


class DropOlm(msgspec.Struct, frozen=True):
    """Forget a session's pickle, never its id."""

    session: bytes


class GroupOutRow(Quiet, frozen=True):
    """This device's current sending session of a conversation."""

    conversation: ConversationId
    session: SessionId
    pickle: bytes
    predecessor: bytes
    messages: int
    created_ms: int


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


class EnvelopeOut(msgspec.Struct, frozen=True):
    """A sealed envelope until the server has accepted it. item: packed wire EnvelopeItem; to: as in the
    Envelopes frame."""

    envelope: EnvelopeId
    session: bytes
    device: DeviceId
    item: bytes
    to: bytes


class DropEnvelopeOut(msgspec.Struct, frozen=True):
    envelope: EnvelopeId


class GroupInRow(Quiet, frozen=True):
    """A session of another device, by which its messages open. Never replaced by another key."""

    conversation: ConversationId
    account: AccountId
    device: DeviceId
    session: SessionId
    pickle: bytes
    first_index: int
    predecessor: bytes
    last_n: int
    last_hash: bytes


class SeenEnvelope(msgspec.Struct, frozen=True):
    device: DeviceId
    envelope: EnvelopeId


class WaitingReason(StrEnum):
    NO_KEY = "no-key"
    UNKNOWN_DEVICE = "unknown-device"
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
    newest sealed message there."""

    id: ConversationId
    kind: ConversationKind
    peer: bytes
    read_order: int = 0
    draft: str = ""
    out_n: int = 0
    out_hash: bytes = b""
    out_message: bytes = b""


class TipRow(msgspec.Struct, frozen=True):
    """The newest message of another device in a conversation: what parents name."""

    conversation: ConversationId
    device: DeviceId
    n: int
    hash: bytes
    order: int


class MessageRow(Quiet, frozen=True):
    """A message. The fields from n on are empty until it is sealed (own) and complete when received.

    inner: the packed inner message and franking_key, commitment and mac: what a report or a repair needs.
    not_for: packed tuple of (account, device, reason).
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


class MessageAccepted(msgspec.Struct, frozen=True):
    """Change: an own message is on the server's disk. mac b"" until it is seen in the log."""

    order: int
    seq: int
    server_ms: int
    mac: bytes


class OutboxState(StrEnum):
    WAITING = "waiting"
    """Not sealed yet."""
    SEALED = "sealed"
    """Sealed; frame holds the Send to be sent until it is accepted."""
    SENT = "sent"
    """Accepted; kept with its bytes for a restored server."""


class OutboxRow(msgspec.Struct, frozen=True):
    """frame: the encoded Send frame with request 0."""

    order: int
    conversation: ConversationId
    message: MessageId
    state: OutboxState
    frame: bytes
    since_ms: int


class PruneOutbox(msgspec.Struct, frozen=True):
    """Remove outbox rows in state SENT and kept keys from before the given time."""

    before_ms: int


class ReadUpTo(msgspec.Struct, frozen=True):
    """Change: everything up to this order is read; never goes back."""

    conversation: ConversationId
    order: int


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
    """How far a stream is committed here."""

    stream: StreamId
    incarnation: bytes
    seq: int


Record = (
    PutSetting
    | DropSetting
    | PutLeaves
    | AccountRow
    | PeerKeys
    | OwnXWing
    | OlmRow
    | DropOlm
    | GroupOutRow
    | DropGroupOut
    | ShareRow
    | KeptKey
    | EnvelopeOut
    | DropEnvelopeOut
    | GroupInRow
    | SeenEnvelope
    | WaitingRow
    | DropWaiting
    | ConversationRow
    | TipRow
    | MessageRow
    | MessageAccepted
    | OutboxRow
    | PruneOutbox
    | ReadUpTo
    | PutDraft
    | PositionRow
    | BecomeDevice
)
