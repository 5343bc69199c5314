"""What every device has that is to have it: the outbox keeps it no longer (decision 36)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coterie.base.ids import SessionId
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.store.records import DropReceived, MessageRow, ReceiptRow

SESSIONS_MAX: Final = 32


class Received:
    """Reads alone."""

    def __init__(self, reads: Reads, people: People) -> None:
        self._reads = reads
        self._people = people
        self._gone: dict[SessionId, int] = {}
        """Up to which index a session's messages were let go since this process began."""

    def forget(self) -> None:
        """After a failed commit: what was let go in it is still there."""
        self._gone.clear()

    def more(self, session: SessionId, told: ReceiptRow, rows: Sequence[MessageRow]) -> list[DropReceived]:
        """What may go once this is told too. rows: what it says is new, by index."""
        up_to = had_by_all(self._reads, self._people, session, told)
        gone = self._gone.get(session, -1)
        if up_to <= gone:
            return []
        if rows[0].index > gone + 1:
            rows = self._reads.written(session, self._people.device, gone, up_to)
        if len(self._gone) >= SESSIONS_MAX:
            self._gone.clear()
        self._gone[session] = up_to
        return _runs([row.order for row in rows if row.index <= up_to])


def had_by_all(reads: Reads, people: People, session: SessionId, told: ReceiptRow | None = None) -> int:
    """Up to which index every live device that is to have an own session has told it has it; -1 for nothing.
    told: as if this were in the store."""
    had = {each.device: each.up_to for each in reads.receipts(session)}
    if told is not None:
        had[told.device] = told.up_to
    if not had:
        return -1
    lowest: int | None = None
    for share in reads.shares(session):
        device = people.device_of(share.account, share.device)
        if device is not None and device.live:
            up_to = had.get(share.device, -1)
            lowest = up_to if lowest is None else min(lowest, up_to)
    return -1 if lowest is None else lowest


def _runs(orders: Sequence[int]) -> list[DropReceived]:
    """Orders that follow each other, as one record. orders: rising."""
    if orders and orders[-1] - orders[0] == len(orders) - 1:
        return [DropReceived(orders[0], orders[-1])]
    runs: list[list[int]] = []
    for order in orders:
        if runs and order == runs[-1][1] + 1:
            runs[-1][1] = order
        else:
            runs.append([order, order])
    return [DropReceived(first, last) for first, last in runs]
