"""The questions of client.core.repair_ports, answered from dictionaries."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

import msgspec

from coterie.base.ids import AccountId, ConversationId, DeviceId, StreamId
from coterie.client.store import records as r

R = TypeVar("R", bound=msgspec.Struct)


class ModelRepairs:
    """Part of the model of the store."""

    @abstractmethod
    def _of(self, kind: type[R], **fields: object) -> list[R]: ...

    def awaited(self, conversation: ConversationId | None = None) -> list[r.AwaitedRow]:
        rows = self._of(r.AwaitedRow)
        found = (row for row in rows if conversation is None or row.conversation == conversation)
        return sorted(found, key=lambda row: row.order)

    def awaited_entry(
        self, conversation: ConversationId, device: DeviceId, message: bytes
    ) -> r.AwaitedRow | None:
        rows = self._of(r.AwaitedRow, conversation=conversation, device=device, message=message)
        return min((row for row in rows if row.message), key=lambda row: row.first_n, default=None)

    def awaited_runs(self, conversation: ConversationId, device: DeviceId) -> list[r.AwaitedRow]:
        rows = self._of(r.AwaitedRow, conversation=conversation, device=device, message=b"")
        return sorted(rows, key=lambda row: row.first_n)

    def awaited_due(self, now_ms: int, limit: int) -> list[r.AwaitedRow]:
        due = [row for row in self._of(r.AwaitedRow) if row.next_ms <= now_ms]
        return sorted(due, key=lambda row: row.next_ms)[:limit]

    def next_asking_ms(self) -> int | None:
        return min((row.next_ms for row in self._of(r.AwaitedRow)), default=None)

    def last_kept_order(self) -> int:
        return max((row.last_order for row in self._of(r.AwaitedRow)), default=0)

    def undecryptable_now(self) -> int:
        counts: dict[tuple[bytes, bytes], list[int]] = {}
        for row in self._of(r.AwaitedRow):
            both = counts.setdefault((row.conversation, row.device), [0, 0])
            both[not row.message] += row.count
        return sum(max(both) for both in counts.values())

    def waiting_at(self, stream: StreamId, seq: int) -> r.WaitingRow | None:
        return next(iter(self._of(r.WaitingRow, stream=stream, seq=seq)), None)

    def message_by_n(self, conversation: ConversationId, device: DeviceId, n: int) -> r.MessageRow | None:
        rows = self._of(r.MessageRow, conversation=conversation, device=device, n=n)
        return next((row for row in rows if n > 0), None)

    def given_times(self, device: DeviceId, order: int) -> int:
        return len(self._of(r.RepairGiven, device=device, order=order))

    def given_since(self, device: DeviceId, since_ms: int) -> int:
        return sum(row.at_ms > since_ms for row in self._of(r.RepairGiven, device=device))

    def device_since(self, account: AccountId, device: DeviceId) -> tuple[r.DeviceSince, ...]:
        found = self._of(r.DeviceSince, account=account, device=device)
        return tuple(sorted(found, key=lambda row: row.ledger))
