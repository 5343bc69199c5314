"""Implements Board for the servers of one database, in tables that are not logged."""

from __future__ import annotations

from collections.abc import Callable, Collection

from coterie.base import limits
from coterie.base.ids import UserName
from coterie.server.store.approval_board import Asked, News, Word
from coterie.server.store.postgres.connection import Connection, changed
from coterie.server.store.postgres.line import THERE, Said

ASKING_LOCK = 0x636F_7465_7269_6504
"""Advisory: one request after the other comes, so that they are as many as they may be, and their numbers
grow in the order in which they are seen."""
_LOCK = f"SET LOCAL lock_timeout = '1s'; SELECT pg_advisory_xact_lock({ASKING_LOCK})"
"""Not for long: a turn waits, and who holds it may be a server that stands still."""
_REPLACE = "UPDATE approvals SET over = true WHERE rendezvous = $1 AND NOT over"
_MAKE_ROOM = (
    "UPDATE approvals SET over = true WHERE number IN (SELECT number FROM approvals WHERE NOT over"
    " ORDER BY answering <> 0, number LIMIT greatest(0,"
    " (SELECT count(*) FROM approvals WHERE NOT over) + 1 - $1::bigint))"
)
_ASK = "INSERT INTO approvals (name, rendezvous, request, asking) VALUES ($1, $2, $3, $4) RETURNING number"
_WAITING = (
    "SELECT number, name, rendezvous FROM approvals WHERE name = ANY($1::text[]) AND number > $2"
    " AND answering = 0 AND NOT over ORDER BY number"
)
_REQUESTS = "SELECT number, request FROM approvals WHERE number = ANY($1::bigint[])"
_ANSWER = "UPDATE approvals SET answering = $2 WHERE number = $1 AND answering = 0 AND NOT over"
_SAY = (
    "INSERT INTO approval_words (number, to_newcomer, message)"
    " SELECT number, $2, $3 FROM approvals WHERE number = $1 AND answering <> 0 AND NOT over"
)
_OVER = (
    "SELECT n.number FROM unnest($1::bigint[]) AS n (number) LEFT JOIN approvals a ON a.number = n.number"  # noqa: S608 - a constant
    f" WHERE a.number IS NULL OR a.over OR a.asking NOT IN ({THERE})"
    f" OR (a.answering <> 0 AND a.answering NOT IN ({THERE}))"
)
_WORDS = (
    "DELETE FROM approval_words WHERE (to_newcomer AND number = ANY($1::bigint[]))"
    " OR (NOT to_newcomer AND number = ANY($2::bigint[])) RETURNING no, number, to_newcomer, message"
)
_NEWCOMER_LEFT = "UPDATE approvals SET over = true, asking = 0 WHERE number = $1"
_DEVICE_LEFT = "UPDATE approvals SET over = true, answering = 0 WHERE number = $1"
_DROP = "DELETE FROM approvals WHERE number = $1 AND asking = 0 AND answering = 0"


class PgBoard:
    """server: the number of this one. A side is where its server is: with that one it is gone."""

    def __init__(self, said: Said, server: Callable[[], int]) -> None:
        self._said = said
        self._server = server

    async def ask(self, name: UserName, rendezvous: bytes, request: bytes) -> int:
        async def words(line: Connection) -> int:
            async with line.transaction():
                await line.execute(_LOCK)
                await line.execute(_REPLACE, rendezvous)
                await line.execute(_MAKE_ROOM, limits.APPROVALS_WAITING)
                return int(await line.fetchval(_ASK, name, rendezvous, request, self._server()))

        return await self._said(words)

    async def waiting(self, names: Collection[UserName], after: int) -> list[Asked]:
        rows = await self._said(lambda line: line.fetch(_WAITING, list(names), after))
        return [Asked(row[0], UserName(row[1]), row[2]) for row in rows]

    async def requests(self, numbers: Collection[int]) -> dict[int, bytes]:
        rows = await self._said(lambda line: line.fetch(_REQUESTS, list(numbers)))
        return {row[0]: row[1] for row in rows}

    async def answer(self, number: int) -> bool:
        return bool(changed(await self._said(lambda line: line.execute(_ANSWER, number, self._server()))))

    async def say(self, number: int, message: bytes, *, to_newcomer: bool) -> bool:
        said = await self._said(lambda line: line.execute(_SAY, number, to_newcomer, message))
        return bool(changed(said))

    async def news(self, newcomers: Collection[int], devices: Collection[int]) -> News:
        """What is over is asked for first: what was said before that is there then."""
        sides = list({*newcomers, *devices})
        over = await self._said(lambda line: line.fetch(_OVER, sides))
        rows = await self._said(lambda line: line.fetch(_WORDS, list(newcomers), list(devices)))
        words = tuple(Word(*row[1:]) for row in sorted(tuple(row) for row in rows))
        return News(words, frozenset(row[0] for row in over))

    async def leave(self, number: int, *, newcomer: bool) -> None:
        left = _NEWCOMER_LEFT if newcomer else _DEVICE_LEFT
        await self._said(lambda line: line.execute(left, number))
        await self._said(lambda line: line.execute(_DROP, number))
