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
    """Up to where the sending sessions in use are delivered."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._of: dict[bytes, dict[int, int]] = {}

    def put(self, record: Delivered) -> None:
        """Raises what apsw raises."""
        self._database.execute(_PUT, msgspec.structs.astuple(record))
        self._of.pop(record.session, None)

    def told(self, row: MessageRow) -> MessageRow:
        """A message as it reads from the store (tables.py). Raises what apsw raises."""
        if row.state is not MessageState.SENT or not row.own:
            return row
        ranges = self._of.get(row.session)
        if ranges is None:
            if len(self._of) >= SESSIONS_MAX:
                self._of.clear()
            rows = msgspec.convert(
                self._database.execute(_OF, (row.session,)).fetchall(), list[tuple[int, int]]
            )
            ranges = self._of[row.session] = dict(rows)
        if any(first <= row.index <= up_to for first, up_to in ranges.items()):
            return msgspec.structs.replace(row, state=MessageState.DELIVERED)
        return row

    def forget(self) -> None:
        self._of.clear()


class ByIndex:
    """Messages of sessions, by their index."""

    def __init__(self) -> None:
        self._whole: dict[Session, tuple[int, int]] = {}
        """Of others' sessions: from where up to where every message is here. None has a higher index."""
        self._orders: dict[tuple[Session, int], int] = {}
        """Of own messages: their orders."""

    def opened_up_to(self, session: Session, first_index: int) -> int | None:
        """Up to where all are here, from an index on; None where the store is to be asked."""
        first, last = self._whole.get(session, (0, -1))
        return last if first <= first_index <= last else None

    def orders(self, session: Session, after: int, up_to: int) -> list[int]:
        """Of own messages above one index and up to another, by index; empty where one is not known."""
        if up_to - after > PLACES_MAX:
            return []
        found = [self._orders.get((session, index)) for index in range(after + 1, up_to + 1)]
        known = [order for order in found if order is not None]
        return known if len(known) == len(found) else []

    def saved(self, row: MessageRow, highest: int | None) -> None:
        """A message that was not in the store, or had no session there, is in it. highest: of its session
        until now, -1 for none, None where that is not known."""
        session = row.session, row.device
        if row.own:
            if len(self._orders) >= PLACES_MAX:
                self._orders.clear()
            self._orders[session, row.index] = row.order
        first, last = self._whole.get(session, (row.index, row.index - 1 if highest == -1 else NOWHERE))
        if row.own or row.index != last + 1:
            self._whole.pop(session, None)
            return
        if len(self._whole) >= PLACES_MAX:
            self._whole.clear()
        self._whole[session] = first, row.index

    def forget(self) -> None:
        self._whole.clear()
        self._orders.clear()
