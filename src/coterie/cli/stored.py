"""What a server has on its disk, row by row, for people who want to see what is readable there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import apsw

ROWS: Final = 3
"""Shown of each table."""
BYTES: Final = 12
"""Shown of each value that is no text and no number."""
TABLES: Final = ("accounts", "devices", "conversations", "log_entries", "mailbox_entries", "verifiers")
"""What the server knows of people and messages; its own keys stand in other tables."""


def stored_lines(database: Path) -> Iterator[str]:
    """A line per table and per row of the server's SQLite file; the server may be running."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for table in TABLES:
            count = connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0]  # noqa: S608 - above
            yield f"{table}: {count}"
            cursor = connection.execute(f'SELECT * FROM "{table}" LIMIT ?', (ROWS,))  # noqa: S608 - above
            for row in cursor:
                names = [name for name, _ in cursor.getdescription()]
                yield "  " + "  ".join(
                    f"{name}={shown(value)}" for name, value in zip(names, row, strict=True)
                )
    finally:
        connection.close()


def shown(value: object) -> str:
    """A value on one line; bytes as the beginning of their hex."""
    match value:
        case bytes() if len(value) > BYTES:
            return f"{value[:BYTES].hex()}... ({len(value)} bytes)"
        case bytes():
            return value.hex() or "(empty)"
        case None:
            return "-"
        case _:
            return str(value)


def files_holding(folders: Sequence[Path], texts: Sequence[str]) -> tuple[int, list[Path]]:
    """How many bytes were searched, and the files that hold one of the texts."""
    searched_bytes = 0
    found = []
    for file in sorted(file for folder in folders for file in folder.rglob("*") if file.is_file()):
        data = file.read_bytes()
        searched_bytes += len(data)
        if any(text.encode() in data for text in texts):
            found.append(file)
    return searched_bytes, found
