"""Copies of a server's data: made while it runs, put back while it does not (`coterie admin backup` and
`restore`).

A copy is one SQLite file that holds everything: database, private keys, and the certificate with its key
where the server made that itself. Whoever has it can be the server, and sees what an operator sees; it holds
nothing that opens a message (docs/security.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.server.folder import FILE_MODE, DataFolder, database_of
from coterie.server.restoring import mark_copy
from coterie.server.store.database import database_fault
from coterie.server.store.opening import is_elsewhere
from coterie.server.store.sqlite import SqliteStore

MADE_MS = "copy-made-ms"
"""Fact of a copy: when it was made, 8 bytes big endian."""
CERTIFICATE = "copy-certificate"
"""Fact of a copy: tls.pem, where the server had one of its own."""
ELSEWHERE = "the data of this server lies in PostgreSQL: name it with --database"
_FACT = "SELECT value FROM facts WHERE name = ?"
_PUT_FACT = "INSERT OR REPLACE INTO facts VALUES (?, ?)"
_WITH = ("", "-wal", "-shm")
"""Files of a database, by how their names end."""


class Copy(msgspec.Struct, frozen=True):
    """file: where it lies; made_ms: when it was made; people: how many accounts it holds."""

    file: Path
    made_ms: int
    people: int


def make_copy(folder: Path, target: Path, now_ms: int) -> Copy:
    """Copy the data of a server, running or not, as it is at one moment. target: a new file, or a folder in
    which one is named by the time.

    Raises Unavailable(disk), Refused(usage) where the file is there already.
    """
    source = database_of(folder)
    if not source.exists():
        where = ELSEWHERE if is_elsewhere(source) else "there is no server in this folder"
        raise Unavailable(Code.DISK, where)
    file = target / f"coterie-{now_ms // 1000}.backup" if target.is_dir() else target
    if file.exists():
        raise Refused(Code.USAGE, "this file is there already")
    part = file.with_name(file.name + ".part")
    try:
        with _new_file(part), _opened(source) as data, _opened(part) as copy:
            _copy_all(data, copy)
            _put(copy, MADE_MS, now_ms.to_bytes(8, "big"))
            certificate = DataFolder.certificate_of(folder)
            if certificate.exists():
                _put(copy, CERTIFICATE, certificate.read_bytes())
            made = _look(copy, file)
        _keep(part, file)
    except OSError as error:
        raise Unavailable(Code.DISK, f"the copy cannot be written ({type(error).__name__})") from error
    finally:
        part.unlink(missing_ok=True)
    return made


async def put_back(copy: Path, folder: Path, now_ms: int) -> Copy:
    """Make a copy the data of a server that is not running. What lay there is kept beside it. At its next
    start the server begins another life (restoring.py).

    Raises Unavailable(disk) where the server is running or the copy cannot be read, Refused(usage) for a file
    that is none, Refused(too-many-tries) for one that was made within a day of a restore: people's devices
    would take another one for an attack, until that day is over.
    """
    file = max(copy.glob("*.backup"), default=copy) if copy.is_dir() else copy
    if not file.is_file():
        raise Unavailable(Code.DISK, "there is no such copy")
    data = DataFolder.open(folder)
    try:
        if is_elsewhere(data.database):
            raise Unavailable(Code.DISK, ELSEWHERE)
        part = data.path / "server.db.part"
        try:
            with _opened(file) as kept, _new_file(part), _opened(part) as new:
                found = _look(kept, file)
                certificate = _fact(kept, CERTIFICATE)
                _copy_all(kept, new)
            await _marked(part, now_ms)
            _set_aside(data, now_ms)
            if certificate is not None:
                _write(data.certificate, certificate)
            _keep(part, data.database)
        finally:
            for ending in _WITH:
                part.with_name(part.name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(Code.DISK, f"the copy cannot be put back ({type(error).__name__})") from error
    finally:
        data.close()
    return found


async def _marked(database: Path, now_ms: int) -> None:
    """What the next start has to know. All of it is in the one file then."""
    store = SqliteStore(database)
    try:
        await mark_copy(store, now_ms)
    finally:
        await store.close()


def _set_aside(data: DataFolder, now_ms: int) -> None:
    """Keep what is there; nothing of it is read again."""
    for ending in _WITH:
        there = data.database.with_name(data.database.name + ending)
        if there.exists():
            there.rename(there.with_name(f"before-{now_ms // 1000}-{there.name}"))


def _copy_all(source: apsw.Connection, target: apsw.Connection) -> None:
    """Everything as it is at one moment, whatever is written meanwhile."""
    with target.backup("main", source, "main") as backup:
        backup.step(-1)
    target.execute("PRAGMA journal_mode = delete").fetchall()


def _look(database: apsw.Connection, file: Path) -> Copy:
    """What a copy holds. Raises Refused(usage) for a file that is none, or damaged."""
    made, people = None, 0
    with suppress(apsw.Error):
        if database.execute("PRAGMA quick_check").fetchall() == [("ok",)]:
            made = _fact(database, MADE_MS)
            people = sum(1 for _ in database.execute("SELECT 1 FROM accounts WHERE name IS NOT NULL"))
    if made is None:
        raise Refused(Code.USAGE, "not a copy of a server's data, or a damaged one")
    return Copy(file, int.from_bytes(made, "big"), people)


def _fact(database: apsw.Connection, name: str) -> bytes | None:
    row: tuple[bytes] | None = database.execute(_FACT, (name,)).fetchone()
    return row[0] if row else None


def _put(database: apsw.Connection, name: str, value: bytes) -> None:
    database.execute(_PUT_FACT, (name, value)).fetchall()


@contextmanager
def _opened(file: Path) -> Iterator[apsw.Connection]:
    """A database that is there. Raises Unavailable(disk)."""
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(10_000)
        try:
            yield connection
        finally:
            connection.close()
    except apsw.Error as error:
        raise database_fault(error) from error


@contextmanager
def _new_file(file: Path) -> Iterator[None]:
    """Empty, and readable by its owner alone."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, FILE_MODE))
    yield


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _keep(part: Path, file: Path) -> None:
    """The finished file under its name, whatever happens to the machine from now on."""
    for name in (part, part.parent):
        handle = os.open(name, os.O_RDONLY)
        try:
            if name == part.parent:
                part.rename(file)
            os.fsync(handle)
        finally:
            os.close(handle)
