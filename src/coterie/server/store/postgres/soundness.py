"""Whether a PostgreSQL still holds what was written: every row of every table, and every index against it.

As soundness.py looks at a file: nothing is changed, servers may go on beside it, and each table is looked at
as it is at one moment. Pages have checksums of the database's own (on, unless its operator turned them off):
what does not fit them is found by reading all.
"""

from __future__ import annotations

from coterie.server.store.postgres.carrying import KEYS, ROWS_AT_ONCE
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.faults import FAULTS, database_fault, is_damage
from coterie.server.store.postgres.line import Line
from coterie.server.store.soundness import MOST_FINDINGS

TABLES = ("migrations", "structure", *KEYS)
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL max_parallel_workers_per_gather = 0"
_BY_ROWS = (
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;"
    " SET LOCAL enable_bitmapscan = off"
)
_BY_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexonlyscan = off;"
    " SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexscan = on"
)
"""A plain scan of an index fetches each row that it names."""
_INDEXES = (
    "SELECT i.indexrelid::regclass::text, pg_get_expr(i.indpred, i.indrelid),"
    " ARRAY(SELECT pg_get_indexdef(i.indexrelid, place, true) FROM generate_series(1, i.indnkeyatts) place)"
    " FROM pg_index i WHERE i.indrelid = $1::text::regclass ORDER BY 1"
)
_IS_THERE = "SELECT to_regclass($1) IS NOT NULL"


async def faults_on_postgres(url: str) -> tuple[str, ...]:
    """What is wrong: nothing, if all is well. Raises Unavailable(disk)."""
    line = Line(url)
    faults: list[str] = []
    try:
        for table in TABLES:
            faults += await _faults_of(await line.get(), table)
            if len(faults) >= MOST_FINDINGS:
                break
    except FAULTS as error:
        raise database_fault(error) from error
    finally:
        await line.close()
    return tuple(faults[:MOST_FINDINGS])


async def _faults_of(connection: Connection, table: str) -> list[str]:
    if not await connection.fetchval(_IS_THERE, table):
        return [f"{table}: the table is not there"]
    faults: list[str] = []
    await connection.execute(_BEGIN)
    try:
        await connection.execute(_BY_ROWS)
        async for _ in connection.cursor(f"SELECT * FROM {table}", prefetch=ROWS_AT_ONCE):  # noqa: S608 - above
            pass
        for index, where, columns in await connection.fetch(_INDEXES, table):
            condition = f" WHERE {where}" if where else ""
            await connection.execute(_BY_ROWS)
            count = await connection.fetchval(f"SELECT count(*) FROM {table}{condition}")  # noqa: S608 - the database's own words
            await connection.execute(_BY_INDEX)
            found, wrong = await _walked(connection, table, condition, ", ".join(columns))
            if found != count:
                faults.append(f"{index}: names {found} rows of {count}")
            if wrong:
                faults.append(f"{index}: is not in order")
    except FAULTS as error:
        if not is_damage(error):
            raise
        faults.append(f"{table}: a page of it, or of an index of it, cannot be read")
    await connection.execute("ROLLBACK")
    return faults


async def _walked(connection: Connection, table: str, condition: str, columns: str) -> tuple[int, int]:
    """How many rows are found along an index, and how many of them stand behind a higher one."""
    row = await connection.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE before > this) FROM ("  # noqa: S608 - as above
        f"SELECT ROW({columns}) AS this, lag(ROW({columns})) OVER (ORDER BY {columns}) AS before"
        f" FROM {table}{condition}) along"
    )
    assert row is not None, "it is one row"
    return row[0], row[1]
