"""The SQLite file: opening it, settings that are asserted, migrations, one transaction after the other."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import apsw

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError, Unavailable
from coterie.server.store.statements import Row, Value, Values
from coterie.server.store.steps import Applied, Step, known_steps, steps_to_come

log = logging.getLogger("coterie.server.store")

FILE_MODE = 0o600
STATEMENTS = 256
BUSY_MS = 5000
"""An operator's tool may read or back up beside the server."""

DAMAGED = "the database of this server is damaged and was left as it is: restore the newest backup of it"

_PRAGMAS = (
    ("locking_mode", "normal", "normal"),
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),
    ("temp_store", "memory", 2),
    ("cache_size", "-65536", -65536),
    ("wal_autocheckpoint", "2000", 2000),
    ("journal_size_limit", str(64 << 20), 64 << 20),
)
"""Name, value to set, value that must then be read back."""
PAGE_BYTES = 8192
"""Of a new file, which keeps it: what a turn writes fills half as many pages as with SQLite's own 4,096, and
each page is two writes into the log (docs/performance.md)."""


def database_fault(error: Exception) -> CoterieError:
    """What apsw raised, in the words of coterie's error tree; its own texts may quote SQL and stay out."""
    kind = type(error).__name__
    match error:
        case apsw.FullError():
            return Unavailable(Code.DISK, "no space is left on the disk of the database: nothing was lost")
        case apsw.NotADBError() | apsw.CorruptError():
            return Unavailable(Code.DAMAGED, DAMAGED)
        case apsw.BindingsError() | apsw.SQLError() | apsw.MisuseError() | apsw.ConstraintError():
            return LocalError(Code.USAGE, f"the store was used wrongly ({kind})")
        case apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.CantOpenError():
            return Unavailable(Code.DISK, "the database is missing, or its disk is write-protected")
        case apsw.IOError():
            return Unavailable(Code.DISK, "the disk of the database does not read or write")
        case _:
            return Unavailable(Code.DISK, f"the database cannot be used ({kind})")


class Database:
    """One connection. Statements run to their end: apsw runs SQL lazily, and a pragma behind the first row
    would be skipped silently."""

    def __init__(self, path: Path, steps: tuple[Step, ...] | None = None) -> None:
        """Raises Unavailable: disk (not usable), damaged, newer-schema."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
            self._connection = apsw.Connection(str(path), statementcachesize=STATEMENTS)
            self._connection.set_busy_timeout(BUSY_MS)
            self._configure()
            self._migrate(path, known_steps() if steps is None else steps)
        except OSError as error:
            raise Unavailable(Code.DISK, f"the database cannot be opened ({type(error).__name__})") from error
        except apsw.Error as error:
            raise database_fault(error) from error
        self.execute = self._connection.execute
        """Runs one statement up to its first row: to its end where it gives none."""

    def run(self, sql: str, values: Values = ()) -> int:
        """Run to the end; the number of rows changed by the last statement."""
        for _ in self._connection.execute(sql, values):
            pass
        return self._connection.changes()

    def run_many(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> int:
        """Run once for each row of values; the number of rows changed by all."""
        before = self._connection.total_changes()
        for _ in self._connection.executemany(sql, rows):
            pass
        return self._connection.total_changes() - before

    def one(self, sql: str, values: Values = ()) -> Row | None:
        """The first row. Raises Unavailable where it cannot be read, as all() and rows() do."""
        try:
            row: Row | None = self._connection.execute(sql, values).fetchone()
        except apsw.Error as error:
            raise database_fault(error) from error
        return row

    def all(self, sql: str, values: Values = ()) -> list[Row]:
        """Every row."""
        return list(self.rows(sql, values))

    def rows(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """One row after the other."""
        try:
            yield from self._connection.execute(sql, values)
        except apsw.Error as error:
            raise database_fault(error) from error

    def number(self, sql: str, values: Values = ()) -> int:
        """The only column of the only row, 0 for NULL or no row."""
        row = self.one(sql, values)
        return int(row[0] or 0) if row else 0

    @property
    def last_no(self) -> int:
        """The number of the row inserted last."""
        return self._connection.last_insert_rowid()

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        """Write the log into the file, and let go of both. What a disk that is full now does not take of it
        stays in the log, for the next opening."""
        try:
            self._connection.close()
        except apsw.Error as error:
            log.warning("the log of the database stays beside it: %s", database_fault(error))

    def _configure(self) -> None:
        self.run(f"PRAGMA page_size = {PAGE_BYTES}")
        for name, wanted, expected in _PRAGMAS:
            self.run(f"PRAGMA {name} = {wanted}")
            row = self.one(f"PRAGMA {name}")
            if row is None or row[0] != expected:
                raise Unavailable(Code.DISK, f"the database does not take {name} = {wanted}")

    def _migrate(self, path: Path, steps: tuple[Step, ...]) -> None:
        self.run("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL)")
        if ("beside",) not in self.all("SELECT name FROM pragma_table_info('migrations')"):
            self.run("ALTER TABLE migrations ADD COLUMN beside INTEGER")
        rows = self.all("SELECT number, checksum, beside FROM migrations")
        applied = [Applied(int(number), checksum, beside) for number, checksum, beside in rows]
        for step in steps_to_come(steps, applied):
            if applied:
                self._snapshot(path, step.number)
            self._apply(step)

    def _snapshot(self, path: Path, number: int) -> None:
        """Copy the database to NAME.before-NNN, whole or not at all; the last such copy stays."""
        target = path.with_name(f"{path.name}.before-{number:03}")
        draft = path.with_name(f"{path.name}.before.new")
        try:
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
            self.run("VACUUM INTO ?", (str(draft),))
            with draft.open("rb+") as copy:
                os.fsync(copy.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        for old in path.parent.glob(f"{path.name}.before-*"):
            if old != target:
                old.unlink()

    def _apply(self, step: Step) -> None:
        self.run("BEGIN IMMEDIATE")
        try:
            self.run(step.sql)
            self.run(
                "INSERT INTO migrations (number, checksum, beside) VALUES (?, ?, ?)",
                (step.number, step.checksum, step.beside),
            )
            self.run("COMMIT")
        except BaseException:
            if self.in_transaction:
                self.run("ROLLBACK")
            raise
