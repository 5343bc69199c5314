"""What a whole run of tests shares, or each of its workers: a PostgreSQL with a database for each test, and a
store that speaks S3."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from coterie.server.store.postgres.store import PostgresStore
from coterie.trials.engines import s3
from coterie.trials.engines.postgres import Engine, database, running

TEMPLATE = "coterie_template"
"""With the schema, and nothing in it."""


@pytest.fixture(scope="session")
def postgres_engine() -> Iterator[Engine]:
    with running() as engine:
        engine.psql(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(_migrated(engine.url(TEMPLATE)))
        yield engine


@pytest.fixture
def postgres_database(postgres_engine: Engine) -> Iterator[str]:
    """Its URL."""
    with database(postgres_engine, TEMPLATE) as url:
        yield url


async def _migrated(url: str) -> None:
    store = await PostgresStore.open(url)
    await store.close()


@pytest.fixture(scope="session")
def s3_store() -> Iterator[s3.Store]:
    """A store that speaks S3; a test that stops it starts it again."""
    with s3.store() as made:
        yield made
