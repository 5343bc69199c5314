"""Rows of one table at hand (shelves.py has them all)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from operator import attrgetter
from typing import Any, Final, Generic, cast

import apsw
import msgspec

from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.tables import R, Table

ROWS_MAX: Final = 1000
"""Kept of each table; then the older half is read again as needed."""
Key = tuple[Any, ...]


class Shelf(Generic[R]):
    """Rows of one table by its key; None for what is known not to be there. waits: a row that is put is not
    written at once. What the database refuses, it refuses when it is written."""

    def __init__(self, database: apsw.Connection, table: Table[R], *, waits: bool = False) -> None:
        self._database = database
        self._table = table
        self._waits = waits
        self._select = table.select + "WHERE " + " AND ".join(f'"{field}" = ?' for field in table.key)
        self._key: Callable[[R], Key] = key_of(table)
        self._kept: dict[Key, R | None] = {}
        self._waiting: dict[Key, R] = {}

    def one(self, *key: Any) -> R | None:
        """The row of this key. Faults come out as coterie's own errors."""
        row = self._waiting.get(key)
        if row is None:
            row = self._kept.get(key)
            if row is None and key not in self._kept:
                row = self._read(key)
        return row

    def _read(self, key: Key) -> R | None:
        try:
            rows = self._database.execute(self._select, key).fetchall()
            return self._keep(key, self._table.record(rows[0]) if rows else None)
        except DatabaseError as error:
            raise database_fault(error) from error

    @property
    def waiting(self) -> Collection[R]:
        """What is put and not written yet."""
        return self._waiting.values()

    def at_hand(self, *key: Any) -> R | None:
        """The row of this key, where it need not be read."""
        return self._waiting.get(key) or self._kept.get(key)

    def all_at_hand(self, keys: Iterable[Key]) -> list[R] | None:
        """The rows of these keys; None where one of them would have to be read."""
        if self._waiting:
            found = [self.at_hand(*key) for key in keys]
        else:
            found = list(map(self._kept.get, keys))
        return cast("list[R]", found) if all(found) else None

    def put(self, record: R) -> None:
        """Insert or replace a row."""
        if self._waits:
            self._waiting[self._key(record)] = record
        else:
            self.write(record)

    def write(self, record: R) -> None:
        """Insert or replace a row at once, after all that waits."""
        self.write_out()
        self._database.execute(self._table.put, msgspec.structs.astuple(record))
        self._keep(self._key(record), record)

    def write_out(self) -> None:
        """Nothing waits any more."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self._table.write(self._database, waiting.values())
            self._make_room(len(waiting))
            self._kept.update(islice(waiting.items(), max(0, len(waiting) - ROWS_MAX), None))

    def drop(self, *key: Any) -> None:
        """A row was changed in the database."""
        self._kept.pop(key, None)

    def changed(self, record: R) -> None:
        """A row was changed in the database, to this; nothing waits."""
        self._keep(self._key(record), record)

    def forget(self) -> None:
        self._kept.clear()
        self._waiting.clear()

    def _keep(self, key: Key, row: R | None) -> R | None:
        self._make_room(1)
        self._kept[key] = row
        return row

    def _make_room(self, count: int) -> None:
        """The older half of what is kept goes, where it is too much."""
        if len(self._kept) + count > ROWS_MAX:
            for key in list(islice(self._kept, max(ROWS_MAX // 2, count))):
                del self._kept[key]


def key_of(table: Table[R]) -> Callable[[R], Key]:
    """The key of a table's record: asked for with each row that is written."""
    get: Callable[[R], Any] = attrgetter(*table.key)
    return get if len(table.key) > 1 else lambda record: (get(record),)
