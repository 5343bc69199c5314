"""The store on SQLite: one writer, one transaction per batch, durable before commit() returns."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import apsw

from coterie.base.errors import Unavailable
from coterie.server.store.appending import Appending
from coterie.server.store.caches import Caches
from coterie.server.store.conversations import Undo
from coterie.server.store.database import Database, database_fault
from coterie.server.store.protocol import ALONE_SECONDS
from coterie.server.store.pruning import Pruning
from coterie.server.store.reads import SqlReads
from coterie.server.store.records import Record
from coterie.server.store.results import Broken, Result
from coterie.server.store.sqlite_statements import SqliteStatements
from coterie.server.store.steps import Step
from coterie.server.store.writing import OF_ONE_RECORD, Writing

log = logging.getLogger("coterie.server.store")


class SqliteStore(SqlReads):
    """Implements Store. Commits inline: grouping makes the fsync cheap, a thread would only add waiting."""

    def __init__(self, path: Path, steps: tuple[Step, ...] | None = None) -> None:
        """Open or make the file. Raises Unavailable: disk, newer-schema."""
        self._file = Database(path, steps)
        statements = SqliteStatements(self._file)
        caches = Caches(statements)
        super().__init__(statements, caches)
        self._writing = Writing(statements, caches, Appending(statements))
        self._pruning = Pruning(statements, caches)

    async def commit(self, batch: Sequence[Record]) -> list[Result]:
        """Nearly always nothing has to be undone: only where something has, all is done again with a
        savepoint for each record."""
        self._caches.trim()
        try:
            return await self._together(batch, self._writing.apply_all)
        except (Undo, *OF_ONE_RECORD):
            return await self._together(batch, self._one_by_one)

    async def _together(
        self, batch: Sequence[Record], save: Callable[[Sequence[Record]], Awaitable[list[Result]]]
    ) -> list[Result]:
        """One transaction; nothing of it is left where something is raised."""
        try:
            self._file.run("BEGIN IMMEDIATE")
            results = await save(batch)
            await self._writing.write_out()
            self._file.run("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, apsw.Error):
                raise database_fault(error) from error
            raise
        return results

    async def prune(self, now_ms: int) -> int:
        try:
            self._file.run("BEGIN IMMEDIATE")
            dropped = await self._pruning.step(now_ms)
            self._file.run("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, apsw.Error):
                raise database_fault(error) from error
            raise
        return dropped

    async def alone(self, patience_seconds: float = ALONE_SECONDS) -> None:
        """Its folder has no other server (folder.py)."""

    async def beside(self) -> None:
        """Nor will it."""

    async def close(self) -> None:
        self._file.close()

    def _roll_back(self) -> None:
        self._writing.forget()
        if self._file.in_transaction:
            self._file.run("ROLLBACK")

    async def _one_by_one(self, batch: Sequence[Record]) -> list[Result]:
        return [await self._savepoint(record) for record in batch]

    async def _savepoint(self, record: Record) -> Result:
        """One record, which touches no other of the batch whatever becomes of it."""
        self._file.execute("SAVEPOINT record")
        try:
            result = await self._writing.apply(record)
            await self._writing.write_out()
        except Undo as undo:
            self._undo()
            return undo.denied
        except apsw.Error as error:
            fault = database_fault(error)
            if isinstance(fault, Unavailable):
                raise
            return self._broken(record, fault)
        except OF_ONE_RECORD as error:
            return self._broken(record, error)
        self._file.execute("RELEASE record")
        return result

    def _broken(self, record: Record, error: Exception) -> Broken:
        self._undo()
        log.error("a %s could not be saved", type(record).__name__, exc_info=error)
        return Broken()

    def _undo(self) -> None:
        self._file.run("ROLLBACK TO record")
        self._file.run("RELEASE record")
        self._writing.forget()
