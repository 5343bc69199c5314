"""A PostgreSQL for its operator's commands, beside the server there: nothing is made or migrated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.postgres.faults import FAULTS, database_fault
from coterie.server.store.postgres.line import Line
from coterie.server.store.postgres.migrating import applied_to
from coterie.server.store.postgres.statements import PgStatements
from coterie.server.store.steps import known_steps, steps_to_come

_IS_THERE = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'migrations'"


@asynccontextmanager
async def on_postgres(url: str) -> AsyncIterator[PgStatements]:
    """Raises Unavailable: disk (there is no server, or it cannot be used), newer-schema."""
    line = Line(url)
    try:
        statements = PgStatements(line.get)
        if await statements.one(_IS_THERE) is None:
            raise Unavailable(Code.DISK, "there is no server in this database")
        if steps_to_come(known_steps("pg"), await applied_to(await line.get())):
            raise Unavailable(Code.DISK, "this database was made by an older version: start the server first")
        yield statements
    except FAULTS as error:
        raise database_fault(error) from error
    finally:
        await line.close()
