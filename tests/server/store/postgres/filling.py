"""Some rows of anything in every table."""

from __future__ import annotations

import secrets
from pathlib import Path

from coterie.server.store.database import Database
from coterie.server.store.postgres.carrying import KEYS
from coterie.server.store.postgres.store import PostgresStore

ROWS = 7


def file_of_anything(folder: Path) -> Database:
    """A SQLite file, opened."""
    database = Database(folder / "server.db")
    for table in KEYS:
        columns = database.all('SELECT type, "notnull" FROM pragma_table_info(?) ORDER BY cid', (table,))
        for number in range(ROWS):
            values = tuple(_any_value(kind, number, may_be_null=not full) for kind, full in columns)
            database.run(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
    return database


async def fill(url: str, folder: Path) -> None:
    """The same in a PostgreSQL, which gets its tables where it has none."""
    source = file_of_anything(folder)
    store = await PostgresStore.open(url)
    await store.take_over(source)
    await store.close()
    source.close()


def _any_value(kind: str, number: int, *, may_be_null: bool) -> int | str | bytes | None:
    match kind:
        case "INTEGER":
            return 1000 * number + secrets.randbelow(1000)
        case "TEXT":
            return f"{'aZ_ä'[number % 4]}{number}{secrets.token_hex(4)}"
        case _:
            return None if may_be_null and number == 2 else secrets.token_bytes(1 + secrets.randbelow(40))
