"""Who was there before a restore of the server, came back to it late, and is given what it took meanwhile
(encryption rule 24; docs/decisions/0062)."""

from __future__ import annotations

from coterie.base import limits
from coterie.client.core.ledgers_seen import LedgersSeen
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.store.records import MessageRow, PeerDevice, Setting
from coterie.content.repair import Stood


class LateBack:
    """Speaks of messages that this device has sealed."""

    def __init__(self, reads: Reads, people: People, seen: LedgersSeen) -> None:
        self._reads = reads
        self._people = people
        self._seen = seen

    def __call__(self, row: MessageRow, asker: PeerDevice, stood: Stood | None) -> bool:
        """Whether a device missed a message only because it was not back: no server had taken it before the
        restore, this one did soon after, and the device had stood in a ledger before. Those that were known
        here by then were waited for: what they have no share of is not for them."""
        if not self._was_taken_soon(row):
            return False
        known = self._seen.of_device(asker)
        if known is not None and known.life < self._seen.now:
            return False
        account = self._people.rows.get(asker.account)
        return stood is not None and account is not None and self._seen.proves(stood, asker, account)

    def _was_taken_soon(self, row: MessageRow) -> bool:
        """What waits no more for receipts is taken by when it was typed."""
        restored = self._reads.setting(Setting.RESTORED_MS)
        if restored is None or row.seq <= 0:
            return False
        queued = self._reads.outbox_row(row.order)
        taken_ms = queued.since_ms if queued is not None else row.sent_ms
        return 0 <= taken_ms - int.from_bytes(restored, "big") < limits.LATE_BACK_MS
