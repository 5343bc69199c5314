"""Messages at hand. Of each that comes it is asked whether it is here already, while those that came with it
still wait to be written."""

from __future__ import annotations

from typing import Any, Final

import apsw

from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.client.store.records import MessageRow
from coterie.client.store.shelf import Shelf
from coterie.client.store.tables import MESSAGE

Name = tuple[MessageId, DeviceId, ConversationId]
"""What a message is called by its sender."""
_ORDER: Final = 'SELECT "order" FROM message WHERE "message" = ? AND "device" = ? AND "conversation" = ?'
_HIGHEST_INDEX: Final = """SELECT coalesce(max("index"), -1) FROM message
    WHERE "session_start" = substr(?1, 1, 8) AND "session" = ?1 AND "session" <> x'' AND "device" = ?2"""
IDS_AT_ONCE: Final = 32
_HERE: Final = f"""SELECT "message" FROM message
    WHERE "message" IN ({", ".join("?" * IDS_AT_ONCE)})"""  # noqa: S608 - nothing but marks


class MessageShelf(Shelf[MessageRow]):
    """Rows of messages; those that wait are found by their names, too, as soon as somebody asks."""

    def __init__(self, database: apsw.Connection) -> None:
        super().__init__(database, MESSAGE, waits=True)
        self._names: dict[Name, int] | None = None
        """The orders of those that wait; None where nobody has asked since they were written."""
        self._absent: set[MessageId] = set()
        """Ids under which nothing is here, of those that are expected."""

    def expect(self, ids: list[MessageId]) -> None:
        """Messages of these ids are about to be asked for: one question for many. Raises what apsw raises."""
        waiting = {row.message for row in self._waiting.values()}
        self._absent = set(ids) - waiting
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            some += some[:1] * (IDS_AT_ONCE - len(some))
            rows: list[Any] = self._database.execute(_HERE, some).fetchall()
            self._absent.difference_update(row[0] for row in rows)

    def order(self, name: Name) -> int | None:
        """Where a message stands, None where it is not here. Raises what apsw raises."""
        if name[0] in self._absent:
            return None
        if self._names is None:
            self._names = {_name(row): row.order for row in self._waiting.values()}
        order = self._names.get(name)
        if order is None:
            order = self._written(name)
        waiting = self._waiting.get((order,))
        if waiting is None or _name(waiting) == name:
            return order
        self.write_out()
        return self._written(name)

    def highest_index(self, session: bytes, device: DeviceId) -> int:
        """No message of a session has a higher one; -1: it has none. What waits goes on waiting: each session
        that begins is asked for. Raises what apsw raises."""
        rows: list[Any] = self._database.execute(_HIGHEST_INDEX, (session, device)).fetchall()
        highest: int = rows[0][0]
        waiting = [
            row.index for row in self._waiting.values() if row.session == session and row.device == device
        ]
        return max([highest, *waiting])

    def put(self, record: MessageRow) -> None:
        self._waiting[record.order,] = record
        self._absent.discard(record.message)
        if self._names is not None:
            self._names[_name(record)] = record.order

    def write_out(self) -> None:
        self._names = None
        super().write_out()

    def forget(self) -> None:
        self._names = None
        self._absent.clear()
        super().forget()

    def _written(self, name: Name) -> int | None:
        rows: list[Any] = self._database.execute(_ORDER, name).fetchall()
        return rows[0][0] if rows else None


def _name(row: MessageRow) -> Name:
    return row.message, row.device, row.conversation
