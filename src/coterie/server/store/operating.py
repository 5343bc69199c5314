"""A server's database for its operator's commands, while the server runs or not: a file, or a PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.address import require_address
from coterie.server.store.database import Database, database_fault
from coterie.server.store.sqlite_statements import SqliteStatements
from coterie.server.store.statements import Statements


@asynccontextmanager
async def beside(file: Path, url: str) -> AsyncIterator[Statements]:
    """Each statement counts by itself. url: "" for the file.

    Raises Unavailable: disk (there is no server, or it cannot be used), newer-schema, damaged.
    """
    if url:
        require_address(url)
        from coterie.server.store.postgres.beside import on_postgres

        async with on_postgres(url) as statements:
            yield statements
        return
    if not file.exists():
        raise Unavailable(Code.DISK, "there is no server in this folder")
    database = Database(file)
    try:
        yield SqliteStatements(database)
    except apsw.Error as error:
        raise database_fault(error) from error
    finally:
        database.close()
