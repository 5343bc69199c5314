"""The server's store, once for each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from coterie.server.store.protocol import Store
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import Resident

IMPLEMENTATIONS: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "server.db"),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the store of this test, again and again."""
    implementation = IMPLEMENTATIONS[request.param]
    return lambda: implementation(tmp_path)


@pytest_asyncio.fixture
async def store(make: Callable[[], Store]) -> AsyncIterator[Store]:
    opened = make()
    yield opened
    await opened.close()


@pytest.fixture
def alice() -> Resident:
    return Resident("alice")


@pytest.fixture
def bob() -> Resident:
    return Resident("bob")
