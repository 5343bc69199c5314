"""The SQL of both stores, run by SQLite: at once, so that nothing here ever waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from coterie.server.store.database import Database
from coterie.server.store.statements import Row, Value, Values


class SqliteStatements:
    """Implements Statements."""

    skip_locked = ""
    """There is one writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, sql: str, values: Values = ()) -> int:
        return self._database.run(sql, values)

    async def run_many(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> int:
        return self._database.run_many(sql, rows)

    async def insert(self, sql: str, values: tuple[Value, ...]) -> int:
        self._database.run(sql, values)
        return self._database.last_no

    async def one(self, sql: str, values: Values = ()) -> Row | None:
        return self._database.one(sql, values)

    async def all(self, sql: str, values: Values = ()) -> list[Row]:
        return self._database.all(sql, values)

    async def number(self, sql: str, values: Values = ()) -> int:
        return self._database.number(sql, values)

    async def known_envelopes(self, sender_no: int, envelopes: Sequence[bytes]) -> set[bytes]:
        known = "SELECT 1 FROM envelope_ids WHERE sender_no = ? AND envelope = ?"
        return {each for each in envelopes if self._database.one(known, (sender_no, each)) is not None}

    async def entry_numbers(self) -> Iterable[int]:
        """As SQLite would number them: from the highest in the table on."""
        return count(self._database.number("SELECT max(no) FROM log_entries") + 1)
