"""What the core may ask about messages that are not here yet, and about those that were given again."""

from __future__ import annotations

from coterie.base.ids import AccountId, ConversationId, DeviceId, StreamId
from coterie.client.store.reads import Rows
from coterie.client.store.records import AwaitedRow, DeviceSince, MessageRow, WaitingRow
from coterie.client.store.tables import AWAITED, DEVICE_SINCE, MESSAGE, WAITING

_DUE = 'WHERE "next_ms" <= ? ORDER BY "next_ms", rowid LIMIT ?'
_ENTRY = (
    'WHERE "conversation" = ? AND "device" = ? AND "message" = ? AND "message" <> x\'\' ORDER BY "first_n"'
)
_OF_DEVICE = 'WHERE "conversation" = ? AND "device" = ? AND "message" = x\'\' ORDER BY "first_n"'
_HIGHEST = 'SELECT coalesce(max("order" + "last_n" - "first_n"), 0) FROM awaited'
_UNREADABLE = """SELECT coalesce(sum(max(most, 0)), 0) FROM (SELECT max(count) AS most FROM (
    SELECT "conversation", "device", sum("last_n" - "first_n" + 1) AS count FROM awaited
        GROUP BY "conversation", "device", "message" = x'') GROUP BY "conversation", "device")"""


class RepairReads(Rows):
    """Awaited messages, what was given, since when devices are known."""

    def awaited(self, conversation: ConversationId | None = None) -> list[AwaitedRow]:
        """All, or those of one conversation, by order."""
        if conversation is None:
            return self._all_beside(AWAITED, 'ORDER BY "order", rowid')
        return self._all_beside(AWAITED, 'WHERE "conversation" = ? ORDER BY "order", rowid', conversation)

    def awaited_entry(
        self, conversation: ConversationId, device: DeviceId, message: bytes
    ) -> AwaitedRow | None:
        return next(iter(self._all_beside(AWAITED, _ENTRY, conversation, device, message)), None)

    def awaited_runs(self, conversation: ConversationId, device: DeviceId) -> list[AwaitedRow]:
        """Numbers of a device that never came, lowest first."""
        return self._all_beside(AWAITED, _OF_DEVICE, conversation, device)

    def awaited_due(self, now_ms: int, limit: int) -> list[AwaitedRow]:
        """What is to be asked for now, longest due first."""
        return self._all_beside(AWAITED, _DUE, now_ms, limit)

    def next_asking_ms(self) -> int | None:
        rows = self._beside('SELECT min("next_ms") FROM awaited')
        return None if rows[0][0] is None else int(rows[0][0])

    def last_kept_order(self) -> int:
        """The highest order that is kept for something; 0 where nothing is awaited."""
        return int(self._beside(_HIGHEST)[0][0])

    def undecryptable_now(self) -> int:
        """How many messages there are that cannot be read here: entries that wait, and numbers that never
        came. Of one device in one conversation the larger of both counts: they are the same messages."""
        return int(self._beside(_UNREADABLE)[0][0])

    def waiting_at(self, stream: StreamId, seq: int) -> WaitingRow | None:
        """What waits at a place of a stream."""
        return next(iter(self._all_beside(WAITING, 'WHERE "stream" = ? AND "seq" = ?', stream, seq)), None)

    def message_by_n(self, conversation: ConversationId, device: DeviceId, n: int) -> MessageRow | None:
        where = 'WHERE "conversation" = ? AND "device" = ? AND "n" = ? AND "n" > 0'
        return self._one(MESSAGE, where, conversation, device, n)

    def given_times(self, device: DeviceId, order: int) -> int:
        """How often a device was given a message again."""
        sql = 'SELECT count(*) FROM repair_given WHERE "device" = ? AND "order" = ?'
        return int(self._beside(sql, device, order)[0][0])

    def given_since(self, device: DeviceId, since_ms: int) -> int:
        """How many messages a device was given after a time."""
        sql = 'SELECT count(*) FROM repair_given WHERE "device" = ? AND "at_ms" > ?'
        return int(self._beside(sql, device, since_ms)[0][0])

    def device_since(self, account: AccountId, device: DeviceId) -> tuple[DeviceSince, ...]:
        """By which leaves a device was first seen here, one of each ledger in which it was."""
        rows: list[DeviceSince] = self._all_beside(
            DEVICE_SINCE, 'WHERE "account" = ? AND "device" = ? ORDER BY "ledger"', account, device
        )
        return tuple(rows)
