"""The server's store, once for each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.protocol import Store
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import Resident

Open = Callable[[], Awaitable[Store]]
"""Opens the store of a test, again and again."""

IMPLEMENTATIONS = ("sqlite", pytest.param("postgres", marks=pytest.mark.slow))


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "sqlite":
        return sqlite_in(tmp_path)
    return postgres_at(request.getfixturevalue("postgres_database"))


def sqlite_in(folder: Path) -> Open:
    async def opened() -> Store:
        return SqliteStore(folder / "server.db")

    return opened


def postgres_at(url: str) -> Open:
    async def opened() -> Store:
        return await PostgresStore.open(url)

    return opened


@pytest_asyncio.fixture
async def store(make: Open) -> AsyncIterator[Store]:
    opened = await make()
    yield opened
    await opened.close()


@pytest.fixture
def alice() -> Resident:
    return Resident("alice")


@pytest.fixture
def bob() -> Resident:
    return Resident("bob")
