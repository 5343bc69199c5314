"""The encrypted database file: opening, settings that are asserted, migrations (encryption rule 27)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.base.write_ahead_log import synced_frames
from coterie.client.store.faults import WHAT_HELPS, DatabaseError, database_fault, file_fault
from coterie.client.store.profiles import FILE_MODE, sync_folder

KEY_BYTES = 32
STATEMENTS = 1000
"""Prepared statements kept. All SQL of the store is less than a fifth, but apsw puts each one back behind the
one used before it and lets go of what lies there: what so many runs did not use is prepared anew."""
JOURNAL_BYTES = 16 << 20
"""The write-ahead log shrinks to this after a large batch."""
CACHE_KIB = 8192

_PRAGMAS = (
    ("locking_mode", "exclusive", "exclusive"),
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),
    ("temp_store", "memory", 2),
    ("secure_delete", "on", 1),
    ("journal_size_limit", str(JOURNAL_BYTES), JOURNAL_BYTES),
    ("cache_size", str(-CACHE_KIB), -CACHE_KIB),
)
"""Name, value to set, value that must then be read back. Exclusive comes first: the index of the write-ahead
log then lies in this process's memory and in no file. Temporary tables never touch the disk, and what is
deleted is overwritten: a dropped key leaves no copy in free pages."""

_STEPS_TABLE = (
    'CREATE TABLE IF NOT EXISTS schema_step ("number" INTEGER PRIMARY KEY, "checksum" BLOB NOT NULL) STRICT'
)


class Step(msgspec.Struct, frozen=True):
    """One numbered migration: schema/NNN.sql."""

    number: int
    sql: str

    @property
    def checksum(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


@cache
def known_steps() -> tuple[Step, ...]:
    """All migrations that this version carries, in order."""
    folder = files("coterie.client.store") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(
        Step(int(name.removesuffix(".sql")), (folder / name).read_text("utf-8").replace("\r\n", "\n"))
        for name in names
    )


def open_database(path: Path, key: bytes, steps: Iterable[Step], *, new: bool = False) -> apsw.Connection:
    """The database at path, on the newest schema, held by this process alone.

    key: 32 bytes. new: it is made here; else it must be there: no empty one takes the place of a lost one.
    Raises Unavailable: profile-in-use, newer-schema, disk, or damaged (also for a wrong key: it looks so).
    What is damaged stays as it is, its log too.
    """
    if len(key) != KEY_BYTES:
        raise LocalError(Code.USAGE, "a database key is 32 bytes")
    try:
        if new:
            make_private(path)
        synced = 0 if new else _synced_frames(path)
        connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
    except OSError as error:
        raise file_fault(error, "the database") from error
    except apsw.Error as error:
        raise database_fault(error) from error
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _unlock(connection, key)
        _require_log(connection, synced)
        if not (new or connection.table_exists("main", "schema_step")):
            raise Unavailable(Code.DAMAGED, f"the database is empty: {WHAT_HELPS}")
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        _migrate(connection, path, tuple(steps))
    except BaseException as error:
        connection.close(True)
        if isinstance(error, OSError):
            raise file_fault(error, "the snapshot before a migration") from error
        if isinstance(error, DatabaseError):
            raise database_fault(error) from error
        raise
    return connection


def open_unchecked(path: Path, key: bytes) -> apsw.Connection:
    """A database as far as it can be read, whatever is wrong with it: nothing of it is changed. Raises
    Unavailable: damaged, disk."""
    try:
        connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _unlock(connection, key)
    except apsw.Error as error:
        raise database_fault(error) from error
    return connection


def _synced_frames(path: Path) -> int:
    """How many frames the log beside a database must give."""
    try:
        with path.with_name(f"{path.name}-wal").open("rb") as log:
            return synced_frames(log)
    except FileNotFoundError:
        return 0


def _require_log(connection: apsw.Connection, synced: int) -> None:
    """SQLite leaves out what follows a spoiled frame without a word: sessions would go back to where they
    were before, and what was acknowledged would be gone."""
    if not synced:
        return
    ((_, found, _),) = msgspec.convert(
        run(connection, "PRAGMA wal_checkpoint(noop)"), list[tuple[int, int, int]]
    )
    if found < synced:
        raise Unavailable(Code.DAMAGED, f"the log of the database is damaged: {WHAT_HELPS}")


def discard_database(path: Path) -> None:
    """Delete a database that nobody has open, with its log and its snapshots. Raises Unavailable(disk)."""
    try:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
    except OSError as error:
        raise file_fault(error, "the database") from error


def make_private(path: Path) -> None:
    """Make an empty file that only its owner may read, where there is none.

    One that is there stays untouched: closing any handle of a database file takes away the locks that SQLite
    holds on it in this process.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))


def run(
    connection: apsw.Connection, sql: str, values: tuple[apsw.SQLiteValue, ...] = ()
) -> list[apsw.SQLiteValues]:
    """Execute every statement of sql to its end: apsw runs what follows the first row only when asked for
    more rows."""
    return connection.execute(sql, values or None).fetchall()


def _unlock(connection: apsw.Connection, key: bytes) -> None:
    """Give the key, set and assert every pragma, read once."""
    run(connection, "PRAGMA cipher = 'chacha20'")
    run(connection, f"PRAGMA key = 'raw:{key.hex()}'")
    if run(connection, "PRAGMA cipher") != [("chacha20",)]:
        raise Unavailable(Code.MISSING_PART, "this SQLite cannot encrypt: apsw-sqlite3mc is needed")
    for name, value, expected in _PRAGMAS:
        run(connection, f"PRAGMA {name} = {value}")
        if run(connection, f"PRAGMA {name}") != [(expected,)]:
            raise Unavailable(Code.DISK, f"the database does not accept {name} {value}")
    run(connection, "SELECT count(*) FROM sqlite_schema")


def _migrate(connection: apsw.Connection, path: Path, steps: tuple[Step, ...]) -> None:
    """Bring the schema to the newest step: one transaction per step, a snapshot before each where data is.

    The last snapshot goes at the next opening, when the new schema has served for one run: it holds old keys.
    """
    done = _steps_done(connection)
    for (number, checksum), step in zip(done, steps, strict=False):
        if number != step.number or checksum != step.checksum:
            raise Unavailable(Code.NEWER_SCHEMA, f"step {number} of the database is of another version")
    if len(done) > len(steps):
        raise Unavailable(Code.NEWER_SCHEMA, "the database was written by a newer version")
    for old in path.parent.glob(f"{path.name}.before-*"):
        old.unlink()
    for step in steps[len(done) :]:
        if done:
            _snapshot(connection, path, step.number)
        run(connection, "BEGIN IMMEDIATE")
        run(connection, _STEPS_TABLE)
        run(connection, step.sql)
        run(connection, "INSERT INTO schema_step VALUES (?, ?)", (step.number, step.checksum))
        run(connection, "COMMIT")


def _steps_done(connection: apsw.Connection) -> list[tuple[int, bytes]]:
    if not connection.table_exists("main", "schema_step"):
        return []
    rows = run(connection, "SELECT number, checksum FROM schema_step ORDER BY number")
    return msgspec.convert(rows, list[tuple[int, bytes]])


def _snapshot(connection: apsw.Connection, path: Path, number: int) -> None:
    """Copy the database, under the same key, to NAME.before-NNN."""
    target = path.with_name(f"{path.name}.before-{number:03}")
    make_private(target)
    run(connection, "VACUUM INTO ?", (str(target),))
    with target.open("rb+") as copy:
        os.fsync(copy.fileno())
    sync_folder(target.parent)
