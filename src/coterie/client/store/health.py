"""Questions about the store itself, for whoever wants to know whether all is well."""

from __future__ import annotations

from coterie.client.store.reads import Rows
from coterie.client.store.records import WaitingReason


class HealthReads(Rows):
    """Slow ones: none of them is asked while messages come."""

    def is_sound(self) -> bool:
        """Whether every page of the database is what it should be."""
        return bool(self._rows("PRAGMA quick_check(1)") == [("ok",)])

    def waiting_by_reason(self) -> dict[WaitingReason, int]:
        """How many entries of all streams wait to be opened, by why."""
        sql = 'SELECT "reason", count(*) FROM waiting GROUP BY "reason" ORDER BY "reason"'
        return {WaitingReason(reason): count for reason, count in self._beside(sql)}

    def queued(self) -> int:
        """Own messages that the server has not accepted."""
        return int(self._rows("SELECT count(*) FROM outbox WHERE \"state\" <> 'sent'")[0][0])
