"""The questions of client.core.ports, answered from dictionaries.

A dictionary keeps a replaced entry at its place, as the store does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, TypeVar, cast

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
    is_mailbox,
)
from coterie.client.store import records as r
from tests.client.store.model_repairs import ModelRepairs

KEYS: dict[type[msgspec.Struct], tuple[str, ...]] = {
    r.PutSetting: ("key",),
    r.AccountRow: ("account",),
    r.PeerKeys: ("device",),
    r.OwnXWing: ("id",),
    r.OwnFreshKey: ("id",),
    r.PeerFreshKey: ("device",),
    r.OlmRow: ("session",),
    r.GroupOutRow: ("conversation",),
    r.ShareRow: ("session", "device"),
    r.KeptKey: ("session", "index"),
    r.EnvelopeOut: ("envelope",),
    r.GroupInRow: ("conversation", "account", "device", "session"),
    r.SeenEnvelope: ("device", "envelope"),
    r.WaitingRow: ("stream", "seq"),
    r.ConversationRow: ("id",),
    r.TipRow: ("conversation", "device"),
    r.MessageRow: ("order",),
    r.OutboxRow: ("order",),
    r.PositionRow: ("stream",),
    r.ReceiptRow: ("session", "device"),
    r.Delivered: ("session", "first_index"),
    r.ReceiptDue: ("session", "device"),
    r.AwaitedRow: ("conversation", "device", "message", "first_n"),
    r.RepairGiven: ("device", "order", "times"),
    r.DeviceSince: ("account", "device", "ledger"),
    r.PastSigned: ("account", "seq"),
}
R = TypeVar("R", bound=msgspec.Struct)


class ModelReads(ModelRepairs):
    """Implements client.core.ports.Reads."""

    def __init__(self) -> None:
        self._rows: dict[type[msgspec.Struct], dict[tuple[Any, ...], Any]] = {kind: {} for kind in KEYS}
        self._leaves: list[bytes] = []
        self._last_order = 0

    def copy(self) -> Self:
        other = type(self)()
        other._rows = {kind: dict(rows) for kind, rows in self._rows.items()}
        other._leaves = list(self._leaves)
        other._last_order = self._last_order
        return other

    def _of(self, kind: type[R], **fields: object) -> list[R]:
        rows = cast("dict[tuple[Any, ...], R]", self._rows[kind]).values()
        return [row for row in rows if all(getattr(row, name) == value for name, value in fields.items())]

    def _one(self, kind: type[R], **fields: object) -> R | None:
        return next(iter(self._of(kind, **fields)), None)

    def setting(self, key: r.Setting) -> bytes | None:
        row = self._one(r.PutSetting, key=key)
        return row.value if row else None

    def leaves(self) -> Iterator[bytes]:
        return iter(self._leaves)

    def old_leaves(self) -> list[bytes]:
        return []

    def past(self, account: AccountId) -> list[r.PastSigned]:
        return sorted(self._of(r.PastSigned, account=account), key=lambda row: row.seq)

    def account(self, account: AccountId) -> r.AccountRow | None:
        return self._one(r.AccountRow, account=account)

    def account_named(self, name: UserName) -> r.AccountRow | None:
        named = self._of(r.AccountRow, name=name, from_ms=0)
        return max(named, key=lambda row: (row.seq, row.changed_ms), default=None)

    def accounts(self) -> list[r.AccountRow]:
        return sorted(self._of(r.AccountRow), key=lambda row: (row.name, row.seq))

    def _devices(self) -> list[r.PeerDevice]:
        return [device for account in self._of(r.AccountRow) for device in account.devices]

    def device(self, device: DeviceId) -> r.PeerDevice | None:
        return next((each for each in self._devices() if each.device == device), None)

    def live_devices(self) -> list[r.PeerDevice]:
        return sorted((each for each in self._devices() if each.live), key=lambda each: each.account)

    def peer_keys(self, device: DeviceId) -> r.PeerKeys | None:
        return self._one(r.PeerKeys, device=device)

    def aged_accounts(self, before_ms: int) -> list[AccountId]:
        aged = set()
        for device in (each for row in self._of(r.AccountRow) if row.deleted_ms <= 0 for each in row.devices):
            keys = self.peer_keys(device.device)
            if device.live and (keys.x_wing_created_ms if keys else 0) < before_ms:
                aged.add(device.account)
        return sorted(aged)

    def own_x_wing(self, id: int) -> r.OwnXWing | None:
        return self._one(r.OwnXWing, id=id)

    def own_x_wings(self) -> list[r.OwnXWing]:
        return sorted(self._of(r.OwnXWing), key=lambda row: -row.id)

    def current_x_wing(self) -> r.OwnXWing | None:
        return max(self._of(r.OwnXWing, replaced_ms=0), key=lambda row: row.id, default=None)

    def own_fresh_key(self, id: int) -> r.OwnFreshKey | None:
        return self._one(r.OwnFreshKey, id=id)

    def newest_fresh_id(self) -> int:
        return max((row.id for row in self._of(r.OwnFreshKey)), default=0)

    def fresh_keys_unpassed(self, device: DeviceId) -> tuple[int, int]:
        made = [row.made_ms for row in self._of(r.OwnFreshKey, device=device, passed_ms=0)]
        return len(made), max(made, default=0)

    def peer_fresh_key(self, device: DeviceId) -> r.PeerFreshKey | None:
        return self._one(r.PeerFreshKey, device=device)

    def olm_sessions(self, device: DeviceId) -> list[r.OlmRow]:
        rows = [row for row in self._of(r.OlmRow, device=device)[::-1] if row.pickle]
        return sorted(rows, key=lambda row: -row.received_ms)

    def olm_known(self, session: bytes) -> bool:
        return self._one(r.OlmRow, session=session) is not None

    def group_out(self, conversation: ConversationId) -> r.GroupOutRow | None:
        return self._one(r.GroupOutRow, conversation=conversation)

    def kept_key(self, session: SessionId) -> r.KeptKey | None:
        return min(self._of(r.KeptKey, session=session), key=lambda row: row.index, default=None)

    def kept_key_at(self, session: SessionId, index: int) -> r.KeptKey | None:
        return self._one(r.KeptKey, session=session, index=index)

    def owed(self) -> list[r.ShareRow]:
        rows = self._of(r.ShareRow, state="left-out")
        kept = [row for row in rows if self.kept_key_at(row.session, row.index) is not None]
        return [row for row in kept if self._missed(row)]

    def shares(self, session: SessionId) -> list[r.ShareRow]:
        return self._of(r.ShareRow, session=session)

    def share_of(self, session: SessionId, device: DeviceId) -> r.ShareRow | None:
        return next((row for row in self.shares(session) if row.device == device), None)

    def envelopes_out(self) -> list[r.EnvelopeOut]:
        return self._of(r.EnvelopeOut)

    def group_in(
        self, conversation: ConversationId, account: AccountId, device: DeviceId, session: SessionId
    ) -> r.GroupInRow | None:
        return self._one(
            r.GroupInRow, conversation=conversation, account=account, device=device, session=session
        )

    def index_used(self, device: DeviceId, session: SessionId, index: int) -> bool:
        return self._one(r.MessageRow, device=device, session=session, index=index) is not None

    def envelope_seen(self, device: DeviceId, envelope: EnvelopeId) -> bool:
        return self._one(r.SeenEnvelope, device=device, envelope=envelope) is not None

    def waiting_for_session(
        self, stream: StreamId, device: DeviceId, session: SessionId
    ) -> list[r.WaitingRow]:
        rows = self._of(r.WaitingRow, stream=stream, device=device, session=session, reason="no-key")
        return sorted(rows, key=lambda row: row.seq)

    def waiting_for_account(self, account: AccountId) -> list[r.WaitingRow]:
        rows = self._of(r.WaitingRow, account=account, reason="unknown-device")
        streams = sorted(s for s in {row.stream for row in rows} if is_mailbox(s))
        streams += sorted((s for s in {row.stream for row in rows} if not is_mailbox(s)), reverse=True)
        return sorted(rows, key=lambda row: (streams.index(row.stream), row.seq))

    def waiting(self) -> list[r.WaitingRow]:
        return sorted(self._of(r.WaitingRow), key=lambda row: row.since_ms)

    def waiting_count(self, stream: StreamId, device: DeviceId) -> int:
        return len(self._of(r.WaitingRow, stream=stream, device=device))

    def first_waiting_seq(self, stream: StreamId, since_ms: int) -> int:
        rows = [row for row in self._of(r.WaitingRow, stream=stream) if row.since_ms >= since_ms]
        return min((row.seq for row in rows), default=0)

    def position(self, stream: StreamId) -> r.PositionRow | None:
        return self._one(r.PositionRow, stream=stream)

    def positions(self) -> list[r.PositionRow]:
        return sorted(self._of(r.PositionRow), key=lambda row: row.stream)

    def conversation(self, conversation: ConversationId) -> r.ConversationRow | None:
        return self._one(r.ConversationRow, id=conversation)

    def conversations(self) -> list[r.ConversationRow]:
        return self._of(r.ConversationRow)

    def tip(self, conversation: ConversationId, device: DeviceId) -> r.TipRow | None:
        return self._one(r.TipRow, conversation=conversation, device=device)

    def tips(self, conversation: ConversationId, limit: int) -> list[r.TipRow]:
        rows = reversed(self._of(r.TipRow, conversation=conversation))
        return sorted(rows, key=lambda row: -row.order)[:limit]

    def gaps(self) -> list[r.TipRow]:
        return [row for row in self._of(r.TipRow) if row.first_n and row.missing != row.told]

    def n_used(self, conversation: ConversationId, device: DeviceId, n: int) -> bool:
        return n > 0 and self._one(r.MessageRow, conversation=conversation, device=device, n=n) is not None

    def message(self, order: int) -> r.MessageRow | None:
        return self._one(r.MessageRow, order=order)

    def message_order(self, conversation: ConversationId, device: DeviceId, message: MessageId) -> int | None:
        row = self._one(r.MessageRow, conversation=conversation, device=device, message=message)
        return row.order if row else None

    def expect_messages(self, messages: list[MessageId]) -> None:
        """Changes no answer."""

    def last_order(self) -> int:
        return self._last_order

    def last_message(self, conversation: ConversationId) -> r.MessageRow | None:
        return next(iter(self.history(conversation, 1, None)), None)

    def history(self, conversation: ConversationId, limit: int, before: int | None) -> list[r.MessageRow]:
        rows = self._of(r.MessageRow, conversation=conversation, shown=True)
        below = [row for row in rows if before is None or row.order < before]
        return sorted(below, key=lambda row: row.order)[-limit:]

    def unread(self, conversation: ConversationId) -> tuple[int, int]:
        orders = [row.order for row in self._unread(conversation)]
        return len(orders), min(orders, default=0)

    def first_unread_seq(self, conversation: ConversationId) -> int:
        return min((row.seq for row in self._unread(conversation)), default=0)

    def _unread(self, conversation: ConversationId) -> list[r.MessageRow]:
        known = self.conversation(conversation)
        order, seq = (known.read_order, known.read_seq) if known else (0, 0)
        rows = self._of(r.MessageRow, conversation=conversation, own=False, shown=True)
        return [row for row in rows if row.order > order and (not row.seq or row.seq > seq)]

    def search(self, words: str, limit: int) -> list[r.MessageRow]:
        *whole, last = words.split()
        found = [
            row
            for row in self._of(r.MessageRow)
            if set(whole) <= set(row.text.split()) and any(w.startswith(last) for w in row.text.split())
        ]
        return sorted(found, key=lambda row: -row.order)[:limit]

    def outbox(self, conversation: ConversationId, state: r.OutboxState, limit: int) -> list[r.OutboxRow]:
        rows = self._of(r.OutboxRow, conversation=conversation, state=state)
        return sorted(rows, key=lambda row: row.order)[:limit]

    def sealed(self, conversation: ConversationId) -> bool:
        return bool(self.outbox(conversation, r.OutboxState.SEALED, 1))

    def receipts(self, session: SessionId) -> list[r.ReceiptRow]:
        return sorted(self._of(r.ReceiptRow, session=session), key=lambda row: row.device)

    def receipt(self, session: SessionId, device: DeviceId) -> r.ReceiptRow | None:
        return self._one(r.ReceiptRow, session=session, device=device)

    def receipts_due(self) -> list[r.ReceiptDue]:
        return sorted(self._of(r.ReceiptDue), key=lambda row: (row.session, row.device))

    def opened_up_to(self, session: SessionId, device: DeviceId, first_index: int) -> int | None:
        if not self.index_used(device, session, first_index):
            return None
        up_to = first_index
        while self.index_used(device, session, up_to + 1):
            up_to += 1
        return up_to

    def written(self, session: SessionId, device: DeviceId, after: int, up_to: int) -> list[r.MessageRow]:
        rows = self._of(r.MessageRow, session=session, device=device, own=True)
        return sorted((row for row in rows if after < row.index <= up_to), key=lambda row: row.index)

    def has_spoken(self, conversation: ConversationId) -> bool:
        return self._one(r.MessageRow, conversation=conversation, own=True) is not None

    def outbox_row(self, order: int) -> r.OutboxRow | None:
        return self._one(r.OutboxRow, order=order)

    def sealed_sessions(self) -> list[SessionId]:
        rows = sorted(self._of(r.OutboxRow, state="sealed"), key=lambda row: row.order)
        messages = (self.message(row.order) for row in rows)
        return list(dict.fromkeys(SessionId(each.session) for each in messages if each is not None))

    def outbox_conversations(self) -> list[ConversationId]:
        rows = [row for row in self._of(r.OutboxRow) if row.state != r.OutboxState.SENT]
        ordered = sorted(rows, key=lambda row: row.order)
        return list(dict.fromkeys(row.conversation for row in ordered))

    def _missed(self, share: r.ShareRow) -> bool:
        """Whether there is a message of the session from the index of the share on."""
        return any(row.index >= share.index for row in self._of(r.MessageRow, session=share.session))
