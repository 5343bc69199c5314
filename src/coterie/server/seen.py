"""What the server has written down about one person: every row and every field (`coterie admin sees`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import UserName
from coterie.ledger.leaves import name_hash
from coterie.server.store.address import require_address
from coterie.server.store.readable import TABLES
from coterie.server.store.statements import Value


class SeenRow(msgspec.Struct, frozen=True):
    """One row. values: column -> what stands there, bytes as they are."""

    table: str
    values: dict[str, int | str | bytes | None]


_NUMBER = (
    "SELECT no FROM accounts WHERE name = :name"
    " UNION ALL SELECT account_no FROM deletions WHERE name_hash = :name_hash"
)
"""Of the account that has this name, or had it when it was deleted."""


def seen_of(database: Path, name: UserName) -> Iterator[SeenRow]:
    """Every row about a person, table by table. The server may be running.

    Raises Unavailable(disk) where there is no such database, Refused(unknown-person).
    """
    try:
        connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
        known = connection.execute(_NUMBER, {"name": name, "name_hash": name_hash(name)}).fetchall()
    except apsw.Error:
        raise Unavailable(Code.DISK, f"no server's database can be read at {database}") from None
    try:
        if not known:
            raise Refused(Code.UNKNOWN_PERSON)
        about = {"account": known[0][0], "name_hash": name_hash(name)}
        for table, its in TABLES.items():
            if its.of:
                yield from _rows(connection, table, its.of, about)
    finally:
        connection.close()


async def seen_on_postgres(url: str, name: UserName) -> AsyncIterator[SeenRow]:
    """As seen_of(), of a server whose data lies in a PostgreSQL."""
    require_address(url)
    from coterie.server.store.postgres.beside import on_postgres

    async with on_postgres(url) as statements:
        about: dict[str, Value] = {"name": name, "name_hash": name_hash(name)}
        known = await statements.one(_NUMBER, about)
        if known is None:
            raise Refused(Code.UNKNOWN_PERSON)
        about["account"] = known[0]
        for table, its in TABLES.items():
            if its.of:
                columns = tuple(its.columns)
                sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {its.of}"  # noqa: S608 - as below
                for row in await statements.all(sql, about):
                    yield SeenRow(table, dict(zip(columns, row, strict=True)))


def _rows(connection: apsw.Connection, table: str, of: str, about: dict[str, Any]) -> Iterator[SeenRow]:
    named = {key: value for key, value in about.items() if f":{key}" in of}
    cursor = connection.execute(f'SELECT * FROM "{table}" WHERE {of}', named)  # noqa: S608 - all of it stands in readable.py
    for row in cursor:
        columns = [column for column, _ in cursor.getdescription()]
        yield SeenRow(table, dict(zip(columns, row, strict=True)))
