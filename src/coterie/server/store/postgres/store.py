"""The store on PostgreSQL: one transaction per batch, confirmed by the database before commit() returns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import NoReturn, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.caches import Caches
from coterie.server.store.conversations import Undo
from coterie.server.store.database import Database
from coterie.server.store.postgres.appending import PgAppending
from coterie.server.store.postgres.carrying import carry
from coterie.server.store.postgres.faults import (
    FAULTS,
    database_fault,
    is_of_one_record,
    is_passing,
    writing_fault,
)
from coterie.server.store.postgres.line import Hold, Line
from coterie.server.store.postgres.locking import BESIDE, Begins, Locks
from coterie.server.store.postgres.migrating import migrate, stand_with
from coterie.server.store.postgres.shared import PgShared
from coterie.server.store.postgres.statements import PgStatements
from coterie.server.store.postgres.writer import Writer
from coterie.server.store.protocol import ALONE_SECONDS, Place
from coterie.server.store.pruning import Pruning
from coterie.server.store.reads import SqlReads
from coterie.server.store.records import Record
from coterie.server.store.results import Broken, Result
from coterie.server.store.statements import Row, Values
from coterie.server.store.steps import Step, known_steps
from coterie.server.store.writing import OF_ONE_RECORD, Writing
from coterie.wire.frames.messages import LogEntry

log = logging.getLogger("coterie.server.store")

T = TypeVar("T")

READ_SECONDS = 30.0
TRIES = 8
"""Of a batch: alone, with savepoints, and wherever the database found two writers in each other's way."""


class PostgresStore(SqlReads):
    """Implements Store. Several may write into one database; who reads, reads what is committed."""

    def __init__(self, url: str, hold: Hold, steps: tuple[Step, ...]) -> None:
        """open() makes one. hold: as of Line."""
        self._reading = Line(url)
        self._read = _ReadingStatements(self._reading)
        super().__init__(self._read, Caches(self._read))
        stand = None if hold is Hold.NOTHING else partial(stand_with, steps=steps)
        self._line = Line(url, hold, stand)
        self.shared = PgShared(url, self._line, self._entries)
        """With the other servers of this database; for who holds BESIDE."""
        self._writer = writer = Writer(self._line)
        self._written = caches = Caches(writer.statements)
        self._appending = PgAppending(writer.statements, writer.connection)
        self._locks = Locks(writer.connection, caches, self._appending.drawn)
        self._writing = Writing(writer.statements, caches, self._appending)
        self._pruning = Pruning(writer.statements, caches)

    @classmethod
    async def open(
        cls, url: str, hold: Hold = Hold.NOTHING, *, steps: tuple[Step, ...] | None = None
    ) -> PostgresStore:
        """Connect, and bring the schema up to date. Raises Unavailable: disk, newer-schema, profile-in-use
        (others serve the database, and one of them or this one has to be alone)."""
        steps = known_steps("pg") if steps is None else steps
        store = cls(url, hold, steps)
        try:
            await migrate(await store._line.get(), steps)
        except BaseException as error:
            await store.close()
            if isinstance(error, FAULTS):
                raise database_fault(error) from error
            raise
        return store

    async def resets_due(self, now_ms: int) -> bool:
        self._caches.resets_changed()
        return await super().resets_due(now_ms)

    async def logs(
        self, places: Collection[Place], entries: int, most_bytes: int
    ) -> dict[Place, tuple[LogEntry, ...]]:
        return (await self.shared.logs(places, (), entries, most_bytes)).entries

    async def commit(self, batch: Sequence[Record]) -> list[Result]:
        self._caches.trim()
        self._written.trim()
        alone = not all(isinstance(record, BESIDE) for record in batch)
        save = self._writing.apply_all
        for _ in range(TRIES):
            try:
                return await self._writer.transaction(partial(self._all, batch, save, alone), alone=alone)
            except BaseException as error:  # noqa: BLE001 - _raise() raises it
                self._writing.forget()
                if isinstance(error, Begins) and not alone:
                    alone = True
                elif _is_wrong(error) and save != self._one_by_one:
                    save = self._one_by_one
                elif not is_passing(error):
                    self._raise(error)
        raise Unavailable(Code.DISK, "other writers stand in the way of this batch")

    async def prune(self, now_ms: int) -> int:
        async def step() -> int:
            await self._locks.structure(await self._writer.connection(), alone=True)
            return await self._pruning.step(now_ms)

        try:
            return await self._writer.transaction(step, alone=True)
        except BaseException as error:  # noqa: BLE001 - as above
            self._writing.forget()
            self._raise(error)

    async def take_over(self, source: Database) -> int:
        """Everything from a SQLite file into this empty database (carrying.py); how many rows."""
        try:
            return await carry(source, await self._line.get())
        except FAULTS as error:
            raise database_fault(error) from error

    async def alone(self, patience_seconds: float = ALONE_SECONDS) -> None:
        """Raises Unavailable(profile-in-use) where other servers do not end soon."""
        await self._locked(self._line.be_alone(patience_seconds))

    async def beside(self) -> None:
        await self._locked(self._line.be_beside())
        await self._locked(self._line.take_number())

    async def _locked(self, step: Awaitable[None]) -> None:
        try:
            await step
        except FAULTS as error:
            raise database_fault(error) from error

    async def close(self) -> None:
        await self.shared.close()
        await self._line.close()
        await self._reading.close()

    def _raise(self, error: BaseException) -> NoReturn:
        """What a writer met. Where all was rolled back and the line stands (a full disk), nothing that is
        remembered is wrong."""
        if isinstance(error, FAULTS):
            raise writing_fault(error, lost=self._line.is_lost) from error
        raise error

    async def _all(
        self,
        batch: Sequence[Record],
        save: Callable[[Sequence[Record]], Awaitable[list[Result]]],
        alone: bool,
    ) -> list[Result]:
        self._appending.forget()
        await self._locks.take(batch, alone=alone)
        results = await save(batch)
        await self._writing.write_out()
        return results

    async def _one_by_one(self, batch: Sequence[Record]) -> list[Result]:
        return [await self._savepoint(record) for record in batch]

    async def _savepoint(self, record: Record) -> Result:
        """One record, which touches no other of the batch whatever becomes of it."""
        connection = await self._writer.connection()
        await connection.execute("SAVEPOINT record")
        try:
            result = await self._writing.apply(record)
            await self._writing.write_out()
        except BaseException as error:
            if not _is_wrong(error):
                raise
            await connection.execute("ROLLBACK TO record; RELEASE record")
            self._writing.forget()
            if isinstance(error, Undo):
                return error.denied
            log.exception("a %s could not be saved", type(record).__name__)
            return Broken()
        await connection.execute("RELEASE record")
        return result


def _is_wrong(error: BaseException) -> bool:
    """Whether it is of one record of the batch alone."""
    return isinstance(error, (Undo, *OF_ONE_RECORD)) or is_of_one_record(error)


class _ReadingStatements(PgStatements):
    """Each statement by itself, on a connection that nothing is written on."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.get)
        self._line = line
        self._busy = asyncio.Lock()

    async def one(self, sql: str, values: Values = ()) -> Row | None:
        return await self._read(super().one(sql, values))

    async def all(self, sql: str, values: Values = ()) -> list[Row]:
        return await self._read(super().all(sql, values))

    async def _read(self, statement: Awaitable[T]) -> T:
        try:
            async with self._busy, asyncio.timeout(READ_SECONDS):
                return await statement
        except FAULTS as error:
            self._line.drop()
            raise database_fault(error) from error
