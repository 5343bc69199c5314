"""Whether the server's database is what was written: looked at after an unclean end, or when asked.

A damaged one is never served and never changed: it would contradict what clients have seen.
"""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.write_ahead_log import synced_frames
from coterie.server.store.database import BUSY_MS, DAMAGED, database_fault

MOST_FINDINGS = 20


def require_sound(path: Path) -> None:
    """Before a server opens its database, which nobody else has open: a log that is left there means that
    the last end was no clean one. Raises Unavailable: damaged, disk."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return
    with log.open("rb") as file:
        synced = synced_frames(file)
    found, faults = _look(path, "quick_check")
    if found < synced or faults:
        raise Unavailable(Code.DAMAGED, DAMAGED)


def faults_of(path: Path) -> tuple[str, ...]:
    """What SQLite finds wrong with every page, row and index, a running server beside or not: nothing, if all
    is well. Nothing is changed. Raises Unavailable: disk (no such database), damaged (none at all)."""
    if not path.exists():
        raise Unavailable(Code.DISK, "there is no server in this folder")
    return _look(path, "integrity_check")[1]


def _look(path: Path, pragma: str) -> tuple[int, tuple[str, ...]]:
    """How many frames of the log count, and what is wrong."""
    try:
        connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
        try:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.set_busy_timeout(BUSY_MS)
            faults = _faults(connection, pragma)
            frames = connection.execute("PRAGMA wal_checkpoint(noop)").fetchall()
        finally:
            connection.close(True)
    except apsw.Error as error:
        raise database_fault(error) from error
    ((_, found, _),) = msgspec.convert(frames, list[tuple[int, int, int]])
    return found, faults


def _faults(connection: apsw.Connection, pragma: str) -> tuple[str, ...]:
    found: list[str] = []
    try:
        for row in connection.execute(f"PRAGMA {pragma}({MOST_FINDINGS})"):
            found.append(str(row[0]))  # noqa: PERF401 - what was found before it breaks off counts
    except apsw.CorruptError:
        found.append("a page cannot be read at all")
    return () if found == ["ok"] else tuple(found)
