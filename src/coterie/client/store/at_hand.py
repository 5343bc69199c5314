"""All rows of one session, or of the sessions with one device, at hand as long as they are in use."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from coterie.base.ids import DeviceId, SessionId
from coterie.client.store.records import OlmRow, OwnFreshKey, ReceiptRow, ShareRow
from coterie.client.store.tables import OLM, OWN_FRESH_KEY, RECEIPT, SHARE

SESSIONS_MAX: Final = 32
DEVICES_MAX: Final = 1000
_OLM_OF = OLM.select + 'WHERE "device" = ? AND "pickle" <> x\'\' ORDER BY "received_ms" DESC, rowid DESC'


class Shares:
    """Who has the keys of the sending sessions in use: all rows of a session, in order."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._of: dict[SessionId, dict[DeviceId, ShareRow]] = {}

    def of(self, session: SessionId) -> dict[DeviceId, ShareRow]:
        """Not to be changed. Raises what apsw raises."""
        known = self._of.get(session)
        if known is None:
            sql = SHARE.select + 'WHERE "session" = ? ORDER BY rowid'
            rows = [SHARE.record(row) for row in self._database.execute(sql, (session,)).fetchall()]
            known = self._keep(session, {row.device: row for row in rows})
        return known

    def begun(self, session: SessionId) -> None:
        """Nobody has the key of a session that is new."""
        self._keep(session, {})

    def put(self, record: ShareRow) -> None:
        self._database.execute(SHARE.put, msgspec.structs.astuple(record))
        if record.session in self._of:
            self._of[record.session][record.device] = record

    def forget(self) -> None:
        self._of.clear()

    def _keep(self, session: SessionId, rows: dict[DeviceId, ShareRow]) -> dict[DeviceId, ShareRow]:
        if len(self._of) >= SESSIONS_MAX:
            self._of.clear()
        self._of[session] = rows
        return rows


class ReceiptsKept:
    """What devices have of the sending sessions in use: all rows of a session, by device."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._of: dict[SessionId, dict[DeviceId, ReceiptRow]] = {}

    def of(self, session: SessionId) -> dict[DeviceId, ReceiptRow]:
        """Not to be changed. Raises what apsw raises."""
        known = self._of.get(session)
        if known is None:
            rows = self._database.execute(
                RECEIPT.select + 'WHERE "session" = ? ORDER BY "device" ', (session,)
            ).fetchall()
            known = self._keep(session, {row.device: row for row in map(RECEIPT.record, rows)})
        return known

    def begun(self, session: SessionId) -> None:
        """Nobody has anything of a session that is new."""
        self._keep(session, {})

    def put(self, record: ReceiptRow) -> None:
        self._database.execute(RECEIPT.put, msgspec.structs.astuple(record))
        known = self._of.get(record.session)
        if known is None:
            return
        if record.device in known:
            known[record.device] = record
        else:
            rows = {**known, record.device: record}
            self._of[record.session] = {device: rows[device] for device in sorted(rows)}

    def forget(self) -> None:
        self._of.clear()

    def _keep(self, session: SessionId, rows: dict[DeviceId, ReceiptRow]) -> dict[DeviceId, ReceiptRow]:
        if len(self._of) >= SESSIONS_MAX:
            self._of.clear()
        self._of[session] = rows
        return rows


class OlmKept:
    """The sessions with other devices that have a pickle; of each, the one that last received first."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._of: dict[DeviceId, list[OlmRow]] = {}

    def of(self, device: DeviceId) -> list[OlmRow]:
        """Not to be changed. Raises what apsw raises."""
        known = self._of.get(device)
        if known is None:
            if len(self._of) >= DEVICES_MAX:
                self._of.clear()
            rows = self._database.execute(_OLM_OF, (device,)).fetchall()
            known = self._of[device] = [OLM.record(row) for row in rows]
        return known

    def put(self, record: OlmRow) -> None:
        """A session that steps keeps its place; one that receives, as the newest of all, comes first.
        Whatever else changes is read again."""
        self._database.execute(OLM.put, msgspec.structs.astuple(record))
        rows = self._of.get(record.device, [])
        others = [row for row in rows if row.session != record.session]
        if not record.pickle or len(others) == len(rows):
            self._of.clear()
        elif any(row.session == record.session and row.received_ms == record.received_ms for row in rows):
            self._of[record.device] = [record if row.session == record.session else row for row in rows]
        elif all(row.received_ms < record.received_ms for row in others):
            self._of[record.device] = [record, *others]
        else:
            self._of.clear()

    def forget(self) -> None:
        self._of.clear()


class FreshKept:
    """What is asked of own fresh keys before each new one."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self.newest: int | None = None
        """The highest id; it only grows, as the highest is never removed."""
        self.unpassed: dict[DeviceId, tuple[int, int]] = {}
        """Device -> to how many it may still seal, and when the newest was made."""

    def put(self, record: OwnFreshKey) -> None:
        """Raises what apsw raises."""
        self._database.execute(OWN_FRESH_KEY.put, msgspec.structs.astuple(record))
        self.unpassed.clear()
        if self.newest is not None:
            self.newest = max(self.newest, record.id)

    def forget(self) -> None:
        self.newest = None
        self.unpassed.clear()
