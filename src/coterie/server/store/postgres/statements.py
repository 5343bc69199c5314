"""The SQL of both stores, run by PostgreSQL. What asyncpg raises goes up as it is: the store knows what it
means where it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from coterie.server.store.postgres.connection import Connection, changed
from coterie.server.store.postgres.placeholders import bound, translated
from coterie.server.store.statements import Row, Value, Values

NUMBERS_PER_BLOCK = 4096
"""Of log entries: as many as a batch has at most, nearly always."""


class PgStatements:
    """Implements Statements on the connection that it is given for each."""

    skip_locked = " FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Callable[[], Awaitable[Connection]]) -> None:
        self._connection = connection

    async def run(self, sql: str, values: Values = ()) -> int:
        text, arguments = bound(sql, values)
        status = await (await self._connection()).execute(text, *arguments)
        return changed(status) if status[-1].isdigit() else 0

    async def run_many(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> int:
        """The number of rows given; what is counted stands in a statement of its own (appending.py)."""
        arguments = list(rows)
        if arguments:
            await (await self._connection()).executemany(translated(sql)[0], arguments)
        return len(arguments)

    async def insert(self, sql: str, values: tuple[Value, ...]) -> int:
        return await self.number(f"{sql} RETURNING no", values)

    async def one(self, sql: str, values: Values = ()) -> Row | None:
        text, arguments = bound(sql, values)
        row = await (await self._connection()).fetchrow(text, *arguments)
        return None if row is None else tuple(row)

    async def all(self, sql: str, values: Values = ()) -> list[Row]:
        text, arguments = bound(sql, values)
        return [tuple(row) for row in await (await self._connection()).fetch(text, *arguments)]

    async def number(self, sql: str, values: Values = ()) -> int:
        row = await self.one(sql, values)
        return int(row[0] or 0) if row else 0

    async def known_envelopes(self, sender_no: int, envelopes: Sequence[bytes]) -> set[bytes]:
        known = "SELECT envelope FROM envelope_ids WHERE sender_no = $1 AND envelope = ANY($2::bytea[])"
        rows = await (await self._connection()).fetch(known, sender_no, list(envelopes))
        return {row[0] for row in rows}

    async def entry_numbers(self) -> Iterable[int]:
        """A block of its own for each transaction: drawn after the logs are locked, it is higher than what
        these logs have had."""
        return numbers_of(await self.number("SELECT nextval('entry_blocks')"))


def numbers_of(block: int) -> range:
    """The numbers of entries in it."""
    return range(block * NUMBERS_PER_BLOCK, (block + 1) * NUMBERS_PER_BLOCK)
