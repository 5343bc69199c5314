"""Implements SharedTries' table for the servers of one database: token buckets, each as one moment.

A bucket of `burst` at `per_second` is known by when it is full again: a try puts that off by the time of one.
The clock is the database's.
"""

from __future__ import annotations

from coterie.server.policy import Allowance
from coterie.server.store.postgres.connection import Connection, changed
from coterie.server.store.postgres.line import Said

_NOW = "extract(epoch FROM clock_timestamp())::float8"
_FROM = f"least(greatest(t.full_at, {_NOW}), {_NOW} + $3)"
"""From when the bucket fills; a clock that was set back shuts nobody out for longer than that takes."""
_TAKE = (
    f"INSERT INTO tries AS t (who, full_at) VALUES ($1, {_NOW} + $2)"  # noqa: S608 - constants
    f" ON CONFLICT (who) DO UPDATE SET full_at = {_FROM} + $2 WHERE {_FROM} + $2 <= {_NOW} + $3 + 0.001"
)
_WAIT = f"SELECT {_FROM} + $2 - {_NOW} - $3 FROM tries t WHERE who = $1"  # noqa: S608 - constants
_GIVE_BACK = "UPDATE tries SET full_at = full_at - $2 WHERE who = $1"
_DROP_FULL = f"DELETE FROM tries WHERE full_at < {_NOW}"  # noqa: S608 - a constant
_DROP_MANY = (
    "DELETE FROM tries WHERE full_at <= (SELECT full_at FROM tries ORDER BY full_at DESC OFFSET $1 LIMIT 1)"
)
LEAST_WAIT_SECONDS = 0.1


class PgTries:
    """Implements TryTable."""

    def __init__(self, said: Said) -> None:
        self._said = said

    async def take(self, who: bytes, allowance: Allowance) -> float:
        each, whole = 1 / allowance.per_second, allowance.burst / allowance.per_second

        async def words(line: Connection) -> float:
            if changed(await line.execute(_TAKE, who, each, whole)):
                return 0.0
            return max(float(await line.fetchval(_WAIT, who, each, whole) or 0.0), LEAST_WAIT_SECONDS)

        return await self._said(words)

    async def give_back(self, who: bytes, allowance: Allowance) -> None:
        await self._said(lambda line: line.execute(_GIVE_BACK, who, 1 / allowance.per_second))

    async def prune(self, most: int) -> None:
        await self._said(lambda line: line.execute(_DROP_FULL))
        await self._said(lambda line: line.execute(_DROP_MANY, most))
