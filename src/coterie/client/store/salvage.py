"""What a damaged database still gives, row by row, into a new one. No key of the device is among it: what is
saved becomes a device of its own (without_ratchets.py), for nobody knows how old it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, Unavailable
from coterie.client.events import MessageState
from coterie.client.store.database import known_steps, open_database, open_unchecked, run
from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.records import Setting
from coterie.client.store.without_ratchets import OF_ONE_DEVICE, fresh_settings
from coterie.ledger.manifest import SignedManifest

_TABLES: Final = (
    "leaf",
    "account",
    "peer_device",
    "conversation",
    "tip",
    "message",
    "delivered",
    "outbox",
    "let_go",
)
_NOTHING = "nothing of the database can be read: restore a backup"
_MOST_ROWS: Final = 1 << 40
MOST_MISSES: Final = 200_000
"""Rows in a row of tries that a table is given up after."""

_AWAY_FROM_OUTBOX: Final = """UPDATE message SET "state" = ?1 WHERE "state" = ?2
    AND "order" NOT IN (SELECT "order" FROM outbox)"""
_WITHOUT_MESSAGE: Final = 'DELETE FROM outbox WHERE "order" NOT IN (SELECT "order" FROM message)'
_DEVICES: Final = """SELECT "account", "manifest",
    (SELECT count(*) FROM peer_device d WHERE d."account" = a."account") FROM account a"""
_LEAVES: Final = 'SELECT count(*), coalesce(max("position"), -1) + 1 FROM leaf'


def salvage(damaged: Path, key: bytes, into: Path) -> int:
    """Fill a new database at `into`, under the same key; how many rows could not be read, at least.

    Raises Unavailable: damaged, where not even the schema or the profile's own record is left; disk.
    """
    try:
        source = open_unchecked(damaged, key)
    except Unavailable as error:
        raise Unavailable(error.code, _NOTHING if error.code is Code.DAMAGED else error.note) from error
    try:
        target = open_database(into, key, known_steps(), new=True)
        try:
            return _Salvage(source, target).run()
        finally:
            target.close()
    except DatabaseError as error:
        raise database_fault(error) from error
    finally:
        with suppress(apsw.Error):
            source.close(True)


class _Salvage:
    def __init__(self, source: apsw.Connection, target: apsw.Connection) -> None:
        self._source = source
        self._target = target
        self._missed = 0

    def run(self) -> int:
        run(self._target, "BEGIN IMMEDIATE")
        self._settings()
        for table in _TABLES:
            self._table(table)
        self._fit_together()
        run(self._target, "COMMIT")
        return self._missed

    def _settings(self) -> None:
        for key in Setting:
            if key in OF_ONE_DEVICE:
                continue
            with suppress(apsw.Error):
                rows = run(self._source, 'SELECT "value" FROM setting WHERE "key" = ?', (key,))
                for (value,) in rows:
                    self._put_setting(key, value)
        for key, fresh in fresh_settings():
            self._put_setting(key, fresh)
        if not run(self._target, 'SELECT 1 FROM setting WHERE "key" = ?', (Setting.PROFILE,)):
            raise Unavailable(Code.DAMAGED, _NOTHING)

    def _put_setting(self, key: Setting, value: apsw.SQLiteValue) -> None:
        run(self._target, "INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))

    def _table(self, name: str) -> None:
        """Every row that can be read, at its old place."""
        info = run(self._target, "SELECT name, pk FROM pragma_table_info(?)", (name,))
        columns = [f'"{column}"' for column, _ in info]
        if not any(pk for _, pk in info):
            columns.insert(0, "rowid")
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        put = f'INSERT OR IGNORE INTO "{name}" ({names}) VALUES ({marks})'  # noqa: S608 - all names stand in the schema
        for row in self._rows(name, names):
            run(self._target, put, tuple(row))

    def _rows(self, table: str, names: str) -> Iterator[apsw.SQLiteValues]:
        """From below up to where it breaks off, then by halves around what cannot be read."""
        ask = f'SELECT {names} FROM "{table}" WHERE rowid BETWEEN ? AND ? ORDER BY rowid'  # noqa: S608 - as above
        spans = [(0, self._last_row(table))]
        misses = 0
        while spans and misses < MOST_MISSES:
            low, high = spans.pop()
            try:
                # Whole: a row that was given before it broke off would come again.
                rows = self._source.execute(ask, (low, high)).fetchall()
            except apsw.Error:
                misses += 1
                if low == high:
                    self._missed += 1
                else:
                    middle = (low + high) // 2
                    spans += [(middle + 1, high), (low, middle)]
                continue
            yield from rows

    def _last_row(self, table: str) -> int:
        """The highest number, or the highest that an index or the other end still tells."""
        with suppress(apsw.Error):
            ((last,),) = msgspec.convert(
                run(self._source, f'SELECT coalesce(max(rowid), 0) FROM "{table}"'),  # noqa: S608 - as above
                list[tuple[int]],
            )
            return last
        return self._reach(table)

    def _reach(self, table: str) -> int:
        """Where the last page cannot be read: twice as far as what comes in order before it."""
        reached = 0
        with suppress(apsw.Error):
            for row in self._source.execute(f'SELECT rowid FROM "{table}" ORDER BY rowid'):  # noqa: S608 - as above
                reached = int(str(row[0]))
        return min(2 * reached + 1000, _MOST_ROWS)

    def _fit_together(self) -> None:
        """Nothing stands there by halves: a person without a device would be written to on fewer, and a
        ledger with a hole would accuse the server. Both come again from there."""
        for account, manifest, count in run(self._target, _DEVICES):
            if not _is_whole(manifest, count):
                for table in ("account", "peer_device"):
                    run(self._target, f'DELETE FROM {table} WHERE "account" = ?', (account,))  # noqa: S608 - as above
        run(self._target, 'DELETE FROM peer_device WHERE "account" NOT IN (SELECT "account" FROM account)')
        (leaves,) = run(self._target, _LEAVES)
        if leaves[0] != leaves[1]:
            run(self._target, "DELETE FROM leaf")
            run(self._target, 'DELETE FROM setting WHERE "key" = ?', (Setting.HEAD,))
        run(self._target, _WITHOUT_MESSAGE)
        run(self._target, _AWAY_FROM_OUTBOX, (MessageState.UNSURE, MessageState.QUEUED))
        run(self._target, 'UPDATE orders SET "deleted" = (SELECT coalesce(max("order"), 0) FROM message)')


def _is_whole(manifest: apsw.SQLiteValue, devices: apsw.SQLiteValue) -> bool:
    if not isinstance(manifest, bytes):
        return False
    try:
        return len(SignedManifest.unpack(manifest).manifest.devices) == devices
    except RemoteError:
        return False
