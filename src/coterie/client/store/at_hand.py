"""All rows of one session, or of the sessions with one device, at hand as long as they are in use."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import apsw
import msgspec

from coterie.base.ids import DeviceId, SessionId
from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.records import OlmRow, OwnFreshKey, ReceiptRow, ShareRow
from coterie.client.store.tables import OLM, OWN_FRESH_KEY, RECEIPT, SHARE, Table

SESSIONS_MAX: Final = 32
DEVICES_MAX: Final = 1000
_OLM_OF = OLM.select + 'WHERE "device" = ? AND "pickle" <> x\'\' ORDER BY rowid DESC'
_STEP = """UPDATE olm SET "pickle" = ?, "received_ms" = ?, "unanswered_ms" = ?, "former" = ?
    WHERE "session" = ? AND "account" = ? AND "device" = ?"""
"""A session that is there already stays with its device, so the index by device is not written."""
R = TypeVar("R", ShareRow, ReceiptRow)


class _OfSessions(Generic[R]):
    """All rows of the sending sessions in use, by device."""

    def __init__(self, database: apsw.Connection, table: Table[R], order: str) -> None:
        self._database = database
        self._table: Table[R] = table
        self._select = table.select + f'WHERE "session" = ? ORDER BY {order}'
        self._of: dict[SessionId, dict[DeviceId, R]] = {}

    def of(self, session: SessionId) -> dict[DeviceId, R]:
        """Not to be changed. Faults come out as coterie's own errors."""
        known = self._of.get(session)
        return known if known is not None else self._keep(session, self._read(session))

    def _read(self, session: SessionId) -> dict[DeviceId, R]:
        try:
            rows = map(self._table.record, self._database.execute(self._select, (session,)).fetchall())
            return {row.device: row for row in rows}
        except DatabaseError as error:
            raise database_fault(error) from error

    def begun(self, session: SessionId) -> None:
        """Nothing is there of a session that is new."""
        self._keep(session, {})

    def forget(self) -> None:
        self._of.clear()

    def _write(self, record: R) -> dict[DeviceId, R] | None:
        """Into the database; the rows of its session, where they are at hand."""
        self._database.execute(self._table.put, msgspec.structs.astuple(record))
        return self._of.get(record.session)

    def _keep(self, session: SessionId, rows: dict[DeviceId, R]) -> dict[DeviceId, R]:
        if len(self._of) >= SESSIONS_MAX:
            del self._of[next(iter(self._of))]
        self._of[session] = rows
        return rows


class Shares(_OfSessions[ShareRow]):
    """Who has the keys of these sessions, in the order in which they were given."""

    def __init__(self, database: apsw.Connection) -> None:
        super().__init__(database, SHARE, "rowid")

    def put(self, record: ShareRow) -> None:
        known = self._write(record)
        if known is not None:
            known[record.device] = record


class ReceiptsKept(_OfSessions[ReceiptRow]):
    """What devices have of these sessions, in the order of their ids. Rows wait: what is told is about
    several sessions."""

    def __init__(self, database: apsw.Connection) -> None:
        super().__init__(database, RECEIPT, '"device"')
        self._waiting: list[ReceiptRow] = []

    def of(self, session: SessionId) -> dict[DeviceId, ReceiptRow]:
        if session not in self._of:
            self.write_out()
        return super().of(session)

    def put(self, record: ReceiptRow) -> None:
        self._waiting.append(record)
        known = self._of.get(record.session)
        if known is None:
            return
        if record.device in known:
            known[record.device] = record
        else:
            rows = {**known, record.device: record}
            self._of[record.session] = {device: rows[device] for device in sorted(rows)}

    def write_out(self) -> None:
        """Nothing waits any more. Raises what apsw raises."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._table.write(self._database, waiting)

    def forget(self) -> None:
        super().forget()
        self._waiting.clear()


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
            sessions = [OLM.record(row) for row in rows]
            known = self._of[device] = sorted(sessions, key=lambda each: each.received_ms, reverse=True)
        return known

    def put(self, record: OlmRow) -> None:
        """A session that steps keeps its place; one that receives, as the newest of all, comes first.
        Whatever else changes is read again."""
        session, account, device, *steps = msgspec.structs.astuple(record)
        self._database.execute(_STEP, (*steps, session, account, device))
        if not self._database.changes():
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
        """The highest id."""
        self.unpassed: dict[DeviceId, tuple[int, int]] = {}
        """Device -> to how many it may still seal, and when the newest was made."""

    def put(self, record: OwnFreshKey) -> None:
        """Raises what apsw raises."""
        self._database.execute(OWN_FRESH_KEY.put, msgspec.structs.astuple(record))
        if self.newest is None or record.id <= self.newest or record.passed_ms:
            self.unpassed.clear()
        elif record.device in self.unpassed:
            count, newest_ms = self.unpassed[record.device]
            self.unpassed[record.device] = count + 1, max(newest_ms, record.made_ms)
        if self.newest is not None:
            self.newest = max(self.newest, record.id)

    def forget(self) -> None:
        self.newest = None
        self.unpassed.clear()
