"""Messages that every device has, before their rows in the outbox go (docs/decisions/0048).

Deleting them would make each page of them dirty, once more for nothing but that. So a mark says that they are
gone, and they go when the outbox is written next: what is new then takes their pages.
"""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from coterie.base.ids import ConversationId
from coterie.client.store.records import DropReceived, OutboxRow, OutboxState
from coterie.client.store.shelf import Shelf
from coterie.client.store.tables import OUTBOX

_READ: Final = 'SELECT "first_order", "last_order" FROM let_go ORDER BY "first_order"'
_NOTE: Final = """INSERT INTO let_go ("first_order", "last_order") VALUES (?, ?)
    ON CONFLICT ("first_order") DO UPDATE SET "last_order" = max("last_order", excluded."last_order")"""
_DELETE: Final = """DELETE FROM outbox WHERE "state" = 'sent' AND "order" BETWEEN ? AND ?"""
_DONE: Final = "DELETE FROM let_go"


class OutboxShelf(Shelf[OutboxRow]):
    """Rows of the outbox. Those that were let go read as gone."""

    def __init__(self, database: apsw.Connection) -> None:
        super().__init__(database, OUTBOX, waits=True)
        self._runs: list[tuple[int, int]] | None = None
        """First and last order of what the mark says; None where it is to be read."""
        self._new = 0
        """How many of the last of these the mark does not say yet."""
        self.all_sent = False
        """Whether every row in the database is known to be sent."""
        self.nothing: set[tuple[ConversationId, OutboxState]] = set()
        """Of which conversations no row of a state stands in the database, where that was asked for."""

    def one(self, *key: int) -> OutboxRow | None:
        """The row of this order. Raises what apsw raises."""
        row = super().one(*key)
        if row is None or row.state is not OutboxState.SENT or key in self._waiting:
            return row
        return None if any(first <= row.order <= last for first, last in self._marked()) else row

    def let_go(self, record: DropReceived) -> None:
        """These are gone, as far as they were accepted before this. The mark is written with what waits.
        Raises what apsw raises."""
        if self._waiting:
            self.write_out()
        first, last = record.first_order, record.last_order
        runs = self._marked()
        if self._new and runs[-1][1] + 1 == first:
            first = runs.pop()[0]
            self._new -= 1
        runs.append((first, last))
        self._new += 1

    def delete(self) -> None:
        """What was let go is deleted. Whatever becomes accepted from here on is not meant. Raises what apsw
        raises."""
        runs = self._marked()
        if runs:
            self._database.executemany(_DELETE, runs)
            self._database.execute(_DONE)
            self._runs, self._new = [], 0
            self._kept.clear()

    def write_out(self) -> None:
        if self._waiting:
            self.delete()
            self.all_sent = False
            self.nothing.difference_update({(row.conversation, row.state) for row in self._waiting.values()})
            super().write_out()
        elif self._new:
            self._database.executemany(_NOTE, self._marked()[-self._new :])
            self._new = 0

    def forget(self) -> None:
        super().forget()
        self._runs, self._new = None, 0
        self.all_sent = False
        self.nothing.clear()

    def _marked(self) -> list[tuple[int, int]]:
        if self._runs is None:
            rows = self._database.execute(_READ).fetchall()
            self._runs = msgspec.convert(rows, list[tuple[int, int]])
        return self._runs
