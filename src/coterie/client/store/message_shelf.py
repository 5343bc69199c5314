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


class MessageShelf(Shelf[MessageRow]):
    """Rows of messages; those that wait are found by their names, too, as soon as somebody asks."""

    def __init__(self, database: apsw.Connection) -> None:
        super().__init__(database, MESSAGE, waits=True)
        self._names: dict[Name, int] | None = None
        """The orders of those that wait; None where nobody has asked since they were written."""

    def order(self, name: Name) -> int | None:
        """Where a message stands, None where it is not here. Raises what apsw raises."""
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

    def put(self, record: MessageRow) -> None:
        super().put(record)
        if self._names is not None:
            self._names[_name(record)] = record.order

    def write_out(self) -> None:
        self._names = None
        super().write_out()

    def forget(self) -> None:
        self._names = None
        super().forget()

    def _written(self, name: Name) -> int | None:
        rows: list[Any] = self._database.execute(_ORDER, name).fetchall()
        return rows[0][0] if rows else None


def _name(row: MessageRow) -> Name:
    return row.message, row.device, row.conversation
