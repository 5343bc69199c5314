"""A PostgreSQL store, and more of them on the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from coterie.server.store.postgres.store import PostgresStore
from tests.server.town import Resident

Another = Callable[[], Awaitable[PostgresStore]]


@pytest_asyncio.fixture
async def another(postgres_database: str) -> AsyncIterator[Another]:
    """Opens one more; all are closed in the end."""
    async with AsyncExitStack() as left:

        async def opened() -> PostgresStore:
            store = await PostgresStore.open(postgres_database)
            left.push_async_callback(store.close)
            return store

        yield opened


@pytest_asyncio.fixture
async def store(another: Another) -> PostgresStore:
    return await another()


@pytest.fixture
def alice() -> Resident:
    return Resident("alice")


@pytest.fixture
def bob() -> Resident:
    return Resident("bob")
