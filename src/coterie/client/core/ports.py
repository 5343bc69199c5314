"""What the core may ask of the store: synchronous reads, nothing else (the core never writes).

The store answers from the transaction under way, so a step sees what the steps before it saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

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
from coterie.client.core.repair_ports import RepairQuestions
from coterie.client.store.records import (
    AccountRow,
    ConversationRow,
    EnvelopeOut,
    GroupInRow,
    GroupOutRow,
    KeptKey,
    MessageRow,
    OlmRow,
    OutboxRow,
    OutboxState,
    OwnFreshKey,
    OwnXWing,
    PastSigned,
    PeerDevice,
    PeerFreshKey,
    PeerKeys,
    PositionRow,
    ReceiptDue,
    ReceiptRow,
    Setting,
    ShareRow,
    TipRow,
    WaitingRow,
)


class Reads(RepairQuestions, Protocol):
    """Every question the core asks."""

    def setting(self, key: Setting) -> bytes | None: ...
    def leaves(self) -> Iterator[bytes]:
        """All leaves in order."""
        ...

    def old_leaves(self) -> list[bytes]:
        """All leaves of the ledger before, in order; none where the server was never restored."""
        ...

    def past(self, account: AccountId) -> list[PastSigned]:
        """What an account signed before its newest manifest, as far as it is kept, in order; and its end."""
        ...

    def account(self, account: AccountId) -> AccountRow | None: ...
    def account_named(self, name: UserName) -> AccountRow | None: ...
    def accounts(self) -> list[AccountRow]:
        """All, by name."""
        ...

    def device(self, device: DeviceId) -> PeerDevice | None: ...
    def live_devices(self) -> list[PeerDevice]:
        """Of every account, own ones included."""
        ...

    def peer_keys(self, device: DeviceId) -> PeerKeys | None: ...
    def aged_accounts(self, before_ms: int) -> list[AccountId]:
        """Accounts with a live device whose X-Wing prekey, as known here, was made before; by account."""
        ...

    def own_x_wing(self, id: int) -> OwnXWing | None: ...
    def own_x_wings(self) -> list[OwnXWing]:
        """All that are kept, the newest first."""
        ...

    def current_x_wing(self) -> OwnXWing | None: ...
    def own_fresh_key(self, id: int) -> OwnFreshKey | None: ...
    def newest_fresh_id(self) -> int:
        """The highest id of an own fresh key; 0 where there is none."""
        ...

    def fresh_keys_unpassed(self, device: DeviceId) -> tuple[int, int]:
        """To how many own fresh keys this device may still seal, and when the newest was made (0: none)."""
        ...

    def peer_fresh_key(self, device: DeviceId) -> PeerFreshKey | None: ...
    def olm_sessions(self, device: DeviceId) -> list[OlmRow]:
        """With a pickle; the one that last received first."""
        ...

    def olm_known(self, session: bytes) -> bool:
        """Whether this session id was ever seen."""
        ...

    def group_out(self, conversation: ConversationId) -> GroupOutRow | None: ...
    def kept_key(self, session: SessionId) -> KeptKey | None:
        """The one with the lowest index."""
        ...

    def kept_key_at(self, session: SessionId, index: int) -> KeptKey | None:
        """The one of exactly this index."""
        ...

    def owed(self) -> list[ShareRow]:
        """Shares that were left out of a message, and whose key is still kept, oldest first."""
        ...

    def shares(self, session: SessionId) -> list[ShareRow]: ...
    def share_of(self, session: SessionId, device: DeviceId) -> ShareRow | None: ...
    def envelopes_out(self) -> list[EnvelopeOut]:
        """In the order in which they were sealed."""
        ...

    def group_in(
        self, conversation: ConversationId, account: AccountId, device: DeviceId, session: SessionId
    ) -> GroupInRow | None: ...
    def index_used(self, device: DeviceId, session: SessionId, index: int) -> bool:
        """Whether a message of that session with that index is in the store."""
        ...

    def envelope_seen(self, device: DeviceId, envelope: EnvelopeId) -> bool: ...
    def waiting_for_session(self, stream: StreamId, device: DeviceId, session: SessionId) -> list[WaitingRow]:
        """With reason no-key, in order."""
        ...

    def waiting_for_account(self, account: AccountId) -> list[WaitingRow]:
        """With reason unknown-device, in order, mailbox first."""
        ...

    def waiting(self) -> list[WaitingRow]:
        """All, oldest first."""
        ...

    def waiting_count(self, stream: StreamId, device: DeviceId) -> int:
        """How many entries of a device in a stream cannot be opened yet."""
        ...

    def first_waiting_seq(self, stream: StreamId, since_ms: int) -> int:
        """The lowest seq of an entry that cannot be opened yet, and came since then; 0: there is none."""
        ...

    def conversation(self, conversation: ConversationId) -> ConversationRow | None: ...
    def conversations(self) -> list[ConversationRow]: ...
    def tip(self, conversation: ConversationId, device: DeviceId) -> TipRow | None: ...
    def tips(self, conversation: ConversationId, limit: int) -> list[TipRow]:
        """Newest by order first."""
        ...

    def gaps(self) -> list[TipRow]:
        """Tips of which more or fewer messages are missing than was told."""
        ...

    def n_used(self, conversation: ConversationId, device: DeviceId, n: int) -> bool:
        """Whether a message of this device with this n is in the store."""
        ...

    def message(self, order: int) -> MessageRow | None: ...
    def message_order(
        self, conversation: ConversationId, device: DeviceId, message: MessageId
    ) -> int | None: ...
    def expect_messages(self, messages: list[MessageId]) -> None:
        """message_order is about to be asked for these: nothing else of it changes."""
        ...

    def last_order(self) -> int:
        """The highest order ever used; 0 in an empty store."""
        ...

    def last_message(self, conversation: ConversationId) -> MessageRow | None: ...
    def history(self, conversation: ConversationId, limit: int, before: int | None) -> list[MessageRow]:
        """The newest `limit` messages below order `before`, oldest first."""
        ...

    def unread(self, conversation: ConversationId) -> tuple[int, int]:
        """How many messages of others are read on no own device, and the order of the first (0: none)."""
        ...

    def first_unread_seq(self, conversation: ConversationId) -> int:
        """The lowest seq of such a message; 0: none."""
        ...

    def search(self, words: str, limit: int) -> list[MessageRow]:
        """Messages that hold all words (prefix of the last one), newest first; never raises on odd input."""
        ...

    def outbox(self, conversation: ConversationId, state: OutboxState, limit: int) -> list[OutboxRow]:
        """In order. state: one that is not SENT."""
        ...

    def sealed_sessions(self) -> list[SessionId]:
        """Sessions of which a message is sealed and not yet accepted, the one waiting longest first."""
        ...

    def sealed(self, conversation: ConversationId) -> bool:
        """Whether a message there is sealed and not accepted yet."""
        ...

    def receipts(self, session: SessionId) -> list[ReceiptRow]:
        """What devices have of an own sending session."""
        ...

    def receipt(self, session: SessionId, device: DeviceId) -> ReceiptRow | None: ...
    def receipts_due(self) -> list[ReceiptDue]:
        """Whom this device has to tell what it has."""
        ...

    def opened_up_to(self, session: SessionId, device: DeviceId, first_index: int) -> int | None:
        """Up to which index every message of another device's session is here, from first_index on; None
        where that one is missing itself."""
        ...

    def written(self, session: SessionId, device: DeviceId, after: int, up_to: int) -> list[MessageRow]:
        """Own messages of a session of this device, by index: those above one and up to another."""
        ...

    def has_spoken(self, conversation: ConversationId) -> bool:
        """Whether this account has said something there, on whatever device."""
        ...

    def outbox_row(self, order: int) -> OutboxRow | None: ...
    def outbox_conversations(self) -> list[ConversationId]:
        """Those with rows not yet accepted."""
        ...

    def position(self, stream: StreamId) -> PositionRow | None: ...
    def positions(self) -> list[PositionRow]: ...
