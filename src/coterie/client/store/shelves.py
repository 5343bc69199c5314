"""Rows at hand: what is asked for by its key again and again is read once, and what is written again and
again in one transaction is written once.

A shelf answers as the transaction under way sees it. Rows of some tables wait on it until somebody asks the
database something else, or until the commit; a rollback forgets everything.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final, Generic

import apsw
import msgspec

from coterie.base.ids import ConversationId, DeviceId, SessionId
from coterie.client.store.records import ShareRow, TipRow
from coterie.client.store.tables import (
    CONVERSATION,
    GROUP_IN,
    GROUP_OUT,
    MESSAGE,
    OUTBOX,
    POSITION,
    SETTING,
    SHARE,
    TIP,
    R,
    Table,
)

ROWS_MAX: Final = 1000
"""Kept of each table; then all that do not wait are read again as needed."""
SESSIONS_MAX: Final = 32

Key = tuple[Any, ...]


class Shelf(Generic[R]):
    """Rows of one table by its key; None for what is known not to be there. waits: a row that is put is not
    written at once. That is for tables of which a row cannot be refused."""

    def __init__(self, database: apsw.Connection, table: Table[R], *, waits: bool = False) -> None:
        self._database = database
        self._table = table
        self._waits = waits
        self._select = table.select + "WHERE " + " AND ".join(f'"{field}" = ?' for field in table.key)
        self._key_of = attrgetter(*table.key)
        self._kept: dict[Key, R | None] = {}
        self._waiting: dict[Key, R] = {}

    def one(self, *key: Any) -> R | None:
        """The row of this key. Raises what apsw raises."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            return waiting
        if key in self._kept:
            return self._kept[key]
        rows = self._database.execute(self._select, key).fetchall()
        return self._keep(key, self._table.record(rows[0]) if rows else None)

    def put(self, record: R) -> None:
        """Insert or replace a row."""
        key = self._key_of(record)
        if len(self._table.key) == 1:
            key = (key,)
        if self._waits:
            self._waiting[key] = record
            return
        self._database.execute(self._table.put, msgspec.structs.astuple(record))
        self._keep(key, record)

    def write_out(self) -> None:
        """Nothing waits any more."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for key, record in waiting.items():
                self._database.execute(self._table.put, msgspec.structs.astuple(record))
                self._keep(key, record)

    def drop(self, *key: Any) -> None:
        """A row was changed in the database."""
        self._kept.pop(key, None)

    def forget(self) -> None:
        self._kept.clear()
        self._waiting.clear()

    def _keep(self, key: Key, row: R | None) -> R | None:
        if len(self._kept) >= ROWS_MAX:
            self._kept.clear()
        self._kept[key] = row
        return row


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
            if len(self._of) >= SESSIONS_MAX:
                self._of.clear()
            known = self._of[session] = {row.device: row for row in rows}
        return known

    def put(self, record: ShareRow) -> None:
        self._database.execute(SHARE.put, msgspec.structs.astuple(record))
        if record.session in self._of:
            self._of[record.session][record.device] = record

    def forget(self) -> None:
        self._of.clear()


class Shelves:
    """All shelves of one database."""

    def __init__(self, database: apsw.Connection) -> None:
        self.database = database
        self.settings = Shelf(database, SETTING)
        self.messages = Shelf(database, MESSAGE)
        self.outbox = Shelf(database, OUTBOX)
        self.groups_in = Shelf(database, GROUP_IN)
        self.groups_out = Shelf(database, GROUP_OUT, waits=True)
        self.conversations = Shelf(database, CONVERSATION, waits=True)
        self.positions = Shelf(database, POSITION, waits=True)
        self.tips = Shelf(database, TIP, waits=True)
        self.shares = Shares(database)
        self.newest_tips: dict[tuple[ConversationId, int], list[TipRow]] = {}
        """(conversation, how many) -> the newest tips there."""
        self._waiting = (self.conversations, self.groups_out, self.tips, self.positions)
        self._all = (*self._waiting, self.settings, self.messages, self.outbox, self.groups_in, self.shares)

    def put_tip(self, record: TipRow) -> None:
        self.tips.put(record)
        self.newest_tips.clear()

    def write_out(self) -> None:
        """What waits goes into the database, which is about to be asked. Raises what apsw raises."""
        for shelf in self._waiting:
            shelf.write_out()

    def forget(self) -> None:
        """What the database holds is all there is: it was changed past the shelves, or rolled back."""
        for shelf in self._all:
            shelf.forget()
        self.newest_tips.clear()
