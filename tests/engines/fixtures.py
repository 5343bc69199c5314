"""One PostgreSQL for a whole run of tests (for each of its workers), and a database for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from coterie.server.store.postgres.store import PostgresStore
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
