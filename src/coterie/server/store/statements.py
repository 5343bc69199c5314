"""The SQL that both stores speak: statements that SQLite and PostgreSQL read alike, asked of either.

What they do not say alike stands here as a method. On SQLite nothing in it ever waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]
"""Columns as the database gives them; the queries say what they are."""
Value = bytes | int | str | None
Values = tuple[Value, ...] | dict[str, Value]
"""For `?`, or by name for `:name`."""


class Statements(Protocol):
    """One transaction after the other. All raise Unavailable where the database cannot be used now."""

    skip_locked: str
    """SQL behind a subquery: rows that another transaction has taken are not waited for."""

    async def run(self, sql: str, values: Values = ()) -> int:
        """The number of rows changed."""
        ...

    async def run_many(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> int:
        """Run once for each row of values; the number of rows changed by all."""
        ...

    async def insert(self, sql: str, values: tuple[Value, ...]) -> int:
        """Insert one row into a table that numbers its rows (no); its number."""
        ...

    async def one(self, sql: str, values: Values = ()) -> Row | None:
        """The first row."""
        ...

    async def all(self, sql: str, values: Values = ()) -> list[Row]:
        """Every row."""
        ...

    async def number(self, sql: str, values: Values = ()) -> int:
        """The only column of the only row, 0 for NULL or no row."""
        ...

    async def known_envelopes(self, sender_no: int, envelopes: Sequence[bytes]) -> set[bytes]:
        """Which of these ids a device has used before."""
        ...

    async def entry_numbers(self) -> Iterable[int]:
        """Growing numbers that no entry of a log has had, higher than all of the logs that this transaction
        appends to; good until it is rolled back."""
        ...
