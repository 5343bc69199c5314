"""People are made once: RSA takes its time. Each test gets them fresh, on a server of its own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coterie.base.clock import SystemClock
from coterie.base.signing import IdentityKeys
from tests.server.house import House, house_in
from tests.server.people import Person


@pytest.fixture(scope="session")
def identities() -> tuple[IdentityKeys, ...]:
    return tuple(IdentityKeys.generate() for _ in range(3))


@pytest.fixture
def alice(identities: tuple[IdentityKeys, ...]) -> Person:
    return Person(identities[0], "alice")


@pytest.fixture
def bob(identities: tuple[IdentityKeys, ...]) -> Person:
    return Person(identities[1], "bob")


@pytest.fixture
def carol(identities: tuple[IdentityKeys, ...]) -> Person:
    return Person(identities[2], "carol")


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which a server has begun, and nothing else has happened."""
    folder = tmp_path_factory.mktemp("founded")

    async def begin() -> None:
        async with house_in(folder):
            pass

    asyncio.run(begin())
    return folder


@pytest.fixture
def folder(founded: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copy(founded / "server.db", tmp_path)
    return tmp_path


@pytest_asyncio.fixture
async def house(folder: Path) -> AsyncIterator[House]:
    async with house_in(folder) as opened:
        yield opened


@pytest.fixture
def fresh_alice(identities: tuple[IdentityKeys, ...]) -> Person:
    """With keys of today, for servers that go by the real clock."""
    return Person(identities[0], "alice", SystemClock().wall_ms())


@pytest.fixture
def fresh_bob(identities: tuple[IdentityKeys, ...]) -> Person:
    return Person(identities[1], "bob", SystemClock().wall_ms())
