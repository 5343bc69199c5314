"""One transaction after the other on one connection, each to its end.

A commit counts when the database says COMMIT and nothing else: not where it warns (a wait for the standby
that was cancelled), and not where the line breaks, however likely it is that the commit holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.faults import FAULTS, unknown_outcome
from coterie.server.store.postgres.line import Line
from coterie.server.store.postgres.statements import PgStatements
from coterie.server.store.postgres.uncancelled import uncancelled
from coterie.server.store.protocol import StoreLost

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""For a whole transaction; then the line is dropped, and what became of it is not known."""
STRUCTURE_LOCK = 0x636F_7465_7269_6503
"""Advisory: writers of messages share it, whoever changes people, devices or who may what has it alone."""
_BESIDE = f"BEGIN; SELECT pg_advisory_xact_lock_shared({STRUCTURE_LOCK})"
_ALONE = f"BEGIN; SELECT pg_advisory_xact_lock({STRUCTURE_LOCK})"
_COMMIT = "SELECT pg_logical_emit_message(true, 'coterie', ''); COMMIT"
"""A transaction that wrote nothing (a retry) would be confirmed without the standby, which may lack what it
found and would lose it: each writes a mark into the log."""


class Writer:
    """statements: of the transaction under way."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._busy = asyncio.Lock()
        self._current: Connection | None = None
        self.statements = PgStatements(self.connection)

    async def connection(self) -> Connection:
        """Of the transaction under way: it never becomes another one within it."""
        if self._current is None:
            raise LocalError(Code.USAGE, "there is no transaction")
        return self._current

    async def transaction(self, work: Callable[[], Awaitable[T]], *, alone: bool) -> T:
        """All of work, or nothing of it. alone: no other writer is at it meanwhile.

        Raises what work raises, which is rolled back then; Unavailable where it is not known whether it was
        committed.
        """
        async with self._busy:
            return await uncancelled(self._whole(work, alone=alone), PATIENCE_SECONDS, self._line.drop)

    async def _whole(self, work: Callable[[], Awaitable[T]], *, alone: bool) -> T:
        connection = self._current = await self._connected()
        try:
            await connection.execute(_ALONE if alone else _BESIDE)
            result = await work()
        except BaseException:
            await self._roll_back(connection)
            raise
        finally:
            self._current = None
        await self._commit(connection)
        return result

    async def _connected(self) -> Connection:
        try:
            return await self._line.get()
        except Unavailable as error:
            raise StoreLost(error.code, error.note) from error

    async def _commit(self, connection: Connection) -> None:
        self._line.warned = False
        try:
            said = await connection.execute(_COMMIT)
        except BaseException as error:
            self._line.drop()
            if isinstance(error, FAULTS):
                raise unknown_outcome(error) from error
            raise
        if said != "COMMIT" or self._line.warned:
            raise unknown_outcome(None)

    async def _roll_back(self, connection: Connection) -> None:
        try:
            await connection.execute("ROLLBACK")
        except FAULTS:
            self._line.drop()
