"""Carrying all that a SQLite file holds over into an empty PostgreSQL, and seeing that it is all there.

In one transaction: what is seen is what is committed, and until then nothing is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.database import Database
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.statements import NUMBERS_PER_BLOCK
from coterie.server.store.statements import Row

KEYS: Final = {
    "facts": "name",
    "statements": "seq",
    "leaves": "idx",
    "newest_leaves": "name_hash",
    "heads": "size",
    "tokens": "mac",
    "accounts": "no",
    "verifiers": "account_no, id",
    "manifests": "account_no, seq",
    "deletions": "account_no",
    "resets": "account_no",
    "successions": "account_no",
    "reset_tokens": "account_no",
    "devices": "no",
    "one_time_keys": "device_no, id",
    "spent_keys": "device_no, id",
    "standing_keys": "device_no, kind",
    "accepts": "account_no, other_no",
    "speakers": "account_no",
    "conversations": "no",
    "entitled": "conversation_no, device_no",
    "sessions": "no",
    "shares": "session_no, device_no",
    "log_entries": "no",
    "mailbox_entries": "no",
    "envelope_ids": "no",
    "blobs": "no",
    "blob_use": "account_no",
}
"""Every table, and the columns that put its rows into one order."""
NUMBERED: Final = (
    "accounts",
    "devices",
    "conversations",
    "sessions",
    "mailbox_entries",
    "envelope_ids",
    "blobs",
)
"""Tables that number their rows: the next number is behind the highest."""
ROWS_AT_ONCE = 500


async def carry(source: Database, target: Connection) -> int:
    """How many rows were carried over; where they all are there already, they are only looked at.

    Raises Unavailable(disk) where the target holds anything else.
    """
    async with target.transaction():
        if await _is_empty(target):
            for table, key in KEYS.items():
                await target.copy_records_to_table(table, records=_rows_of(source, table, key))
            await _number_on(target)
        return await _compared(source, target)


async def _is_empty(target: Connection) -> bool:
    held = [await target.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table})") for table in KEYS]  # noqa: S608 - above
    return not any(held)


def _rows_of(source: Database, table: str, key: str) -> Iterator[Row]:
    return source.rows(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608 - above


async def _number_on(target: Connection) -> None:
    for table in NUMBERED:
        highest = f"(SELECT coalesce(max(no), 0) + 1 FROM {table})"  # noqa: S608 - above
        await target.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'no'), {highest}, false)")
    highest = f"(SELECT coalesce(max(no), 0) / {NUMBERS_PER_BLOCK} + 1 FROM log_entries)"  # noqa: S608 - no input
    await target.execute(f"SELECT setval('entry_blocks', {highest}, false)")


async def _compared(source: Database, target: Connection) -> int:
    count = 0
    for table, key in KEYS.items():
        there = _rows_there(target, table, key)
        for row in _rows_of(source, table, key):
            if row != await anext(there, None):
                raise _not_the_same(table)
            count += 1
        if await anext(there, None) is not None:
            raise _not_the_same(table)
    return count


async def _rows_there(target: Connection, table: str, key: str) -> AsyncIterator[Row]:
    order = 'name COLLATE "C"' if key == "name" else key
    rows = target.cursor(f"SELECT * FROM {table} ORDER BY {order}", prefetch=ROWS_AT_ONCE)  # noqa: S608 - above
    async for row in rows:
        yield tuple(row)


def _not_the_same(table: str) -> Unavailable:
    return Unavailable(Code.DISK, f"the database is not empty, or does not hold the same: see its {table}")
