"""Messages by session and index, where the store need not be asked: what was said and heard a moment ago."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from coterie.base.ids import DeviceId
from coterie.client.events import MessageState
from coterie.client.store.records import Delivered, MessageRow

NOWHERE: Final = -2
PLACES_MAX: Final = 1000
SESSIONS_MAX: Final = 32
Session = tuple[bytes, DeviceId]
"""A session, and the device that sends with it."""
_PUT = """INSERT INTO delivered ("session", "first_index", "up_to") VALUES (?, ?, ?)
    ON CONFLICT ("session", "first_index") DO UPDATE SET "up_to" = max("up_to", excluded."up_to")"""
_OF = 'SELECT "first_index", "up_to" FROM delivered WHERE "session" = ?'


class DeliveredKept:
    """Up to where the sending sessions in use are delivered. Rows wait: a receipt is about several."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._of: dict[bytes, dict[int, int]] = {}
        self._waiting: list[tuple[bytes, int, int]] = []

    def put(self, record: Delivered) -> None:
        self._waiting.append((record.session, record.first_index, record.up_to))
        known = self._of.get(record.session)
        if known is not None:
            known[record.first_index] = max(record.up_to, known.get(record.first_index, -1))

    def told(self, row: MessageRow) -> MessageRow:
        """A message as it reads from the store (tables.py). Raises what apsw raises."""
        if row.state is not MessageState.SENT or not row.own:
            return row
        for first, up_to in self._ranges(row.session).items():
            if first <= row.index <= up_to:
                return msgspec.structs.replace(row, state=MessageState.DELIVERED)
        return row

    def all_told(self, session: bytes, rows: list[MessageRow]) -> list[MessageRow]:
        """The same of several of one session, by index."""
        if rows and any(up_to >= rows[0].index for up_to in self._ranges(session).values()):
            return [self.told(row) for row in rows]
        return rows

    def write_out(self) -> None:
        """Nothing waits any more. Raises what apsw raises."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._database.executemany(_PUT, waiting)

    def begun(self, session: bytes) -> None:
        """Nothing of a session that is new is delivered."""
        self._keep(session, {})

    def _ranges(self, session: bytes) -> dict[int, int]:
        ranges = self._of.get(session)
        if ranges is None:
            self.write_out()
            found = self._database.execute(_OF, (session,)).fetchall()
            ranges = self._keep(session, dict(msgspec.convert(found, list[tuple[int, int]])))
        return ranges

    def _keep(self, session: bytes, ranges: dict[int, int]) -> dict[int, int]:
        if len(self._of) >= SESSIONS_MAX:
            del self._of[next(iter(self._of))]
        self._of[session] = ranges
        return ranges

    def forget(self) -> None:
        self._of.clear()
        self._waiting.clear()


class ByIndex:
    """Messages of sessions, by their index."""

    def __init__(self) -> None:
        self._whole: dict[Session, tuple[int, int]] = {}
        """Of others' sessions: from where up to where every message is here. None has a higher index."""
        self._orders: dict[Session, dict[int, int]] = {}
        """Of own messages: their orders by index."""

    def opened_up_to(self, session: Session, first_index: int) -> int | None:
        """Up to where all are here, from an index on; None where the store is to be asked."""
        first, last = self._whole.get(session, (0, -1))
        return last if first <= first_index <= last else None

    def orders(self, session: Session, after: int, up_to: int) -> list[int]:
        """Of own messages above one index and up to another, by index; empty where one is not known."""
        if up_to - after > PLACES_MAX:
            return []
        orders = self._orders.get(session)
        if orders is None:
            return []
        try:
            return [orders[index] for index in range(after + 1, up_to + 1)]
        except KeyError:
            return []

    def saved(self, row: MessageRow, highest: int | None) -> None:
        """A message that was not in the store, or had no session there, is in it. highest: of its session
        until now, -1 for none, None where that is not known."""
        session = row.session, row.device
        if row.own:
            self._said(session, row)
            if not self._whole:
                return
        first, last = self._whole.get(session, (row.index, row.index - 1 if highest == -1 else NOWHERE))
        if row.own or row.index != last + 1:
            self._whole.pop(session, None)
            return
        if len(self._whole) >= PLACES_MAX:
            self._whole.clear()
        self._whole[session] = first, row.index

    def _said(self, session: Session, row: MessageRow) -> None:
        orders = self._orders.get(session)
        if orders is None:
            if len(self._orders) >= SESSIONS_MAX:
                del self._orders[next(iter(self._orders))]
            orders = self._orders[session] = {}
        elif len(orders) >= PLACES_MAX:
            orders.clear()
        orders[row.index] = row.order

    def forget(self) -> None:
        self._whole.clear()
        self._orders.clear()
