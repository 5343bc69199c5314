"""A PostgreSQL in which a page or an index is not what was written is found to be so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from coterie.server.store.postgres.soundness import TABLES, faults_on_postgres
from coterie.trials.engines.postgres import Engine, running
from tests.server.store.postgres.filling import fill

MOVED = "UPDATE mailbox_entries SET seq = seq + 1000 WHERE no = (SELECT min(no) FROM mailbox_entries)"
pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


@pytest.fixture
def own_engine() -> Iterator[Engine]:
    """One whose files may be damaged."""
    with running() as engine:
        yield engine


async def test_every_table_and_index_is_looked_at(postgres_database: str, tmp_path: Path) -> None:
    operator = await asyncpg.connect(postgres_database)
    there = "SELECT tablename FROM pg_tables t JOIN pg_class c ON c.relname = t.tablename"
    logged = await operator.fetch(f"{there} WHERE schemaname = 'public' AND relpersistence = 'p'")
    assert {row[0] for row in logged} == set(TABLES)
    await fill(postgres_database, tmp_path)
    assert await faults_on_postgres(postgres_database) == ()
    await operator.close()


async def test_an_index_that_lacks_a_row_is_found(postgres_database: str, tmp_path: Path) -> None:
    operator = await asyncpg.connect(postgres_database)
    await fill(postgres_database, tmp_path)
    await silently(operator, "mailbox_in_order", MOVED)
    (fault,) = await faults_on_postgres(postgres_database)
    assert fault.startswith("mailbox_in_order: names ")
    await operator.execute("DROP TABLE shares")
    assert "shares: the table is not there" in await faults_on_postgres(postgres_database)
    await operator.close()


async def silently(operator: asyncpg.Connection, index: str, change: str) -> None:
    """A change that an index does not hear of, as by a bug of a database or a restored part of it."""
    await operator.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
    hear = "UPDATE pg_index SET indisready = $1 WHERE indexrelid = $2::text::regclass"
    await operator.execute(hear, False, index)
    await operator.execute(change)
    await operator.execute(hear, True, index)


async def test_a_page_of_other_bytes_is_found(own_engine: Engine, tmp_path: Path) -> None:
    """After a restart: nothing of it is in memory."""
    own_engine.psql("CREATE DATABASE damaged")
    url = own_engine.url("damaged")
    await fill(url, tmp_path)
    operator = await asyncpg.connect(url)
    place = own_engine.folder / "data" / await operator.fetchval("SELECT pg_relation_filepath('log_entries')")
    await operator.close()
    own_engine.psql("CHECKPOINT")
    own_engine.stop()
    content = bytearray(place.read_bytes())
    content[5000] ^= 1
    place.write_bytes(content)
    own_engine.start()
    assert await faults_on_postgres(url) == (
        "log_entries: a page of it, or of an index of it, cannot be read",
    )
