"""Tries to get in, once for each implementation: as two servers count them, where there can be two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from coterie.base.clock import FakeClock
from coterie.server.policy import Tried
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.tries import LocalTries, SharedTries, Tries, Who

SECRET = b"k" * 32


class Counted:
    """Tries as two servers count them; pass_time() is how time passes for both."""

    def __init__(
        self, tries: tuple[Tries, Tries], passed: Callable[[float], Awaitable[None]] | None = None
    ) -> None:
        self._tries = tries
        self._clock = FakeClock()
        self._passed = passed

    async def take(self, tried: Tried, who: Who, server: int = 0) -> float:
        return await self._tries[server].take(tried, who, self._clock.monotonic_seconds())

    async def give_back(self, tried: Tried, who: Who, server: int = 0) -> None:
        await self._tries[server].give_back(tried, who)

    async def pass_time(self, seconds: float) -> None:
        self._clock.advance(seconds)
        if self._passed is not None:
            await self._passed(seconds)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """Of the database, "" for memory."""
    return "" if request.param == "memory" else str(request.getfixturevalue("postgres_database"))


@pytest_asyncio.fixture
async def counted(url: str) -> AsyncIterator[Counted]:
    if not url:
        tries = LocalTries()
        yield Counted((tries, tries))
        return
    stores = [await PostgresStore.open(url, Hold.BESIDE) for _ in range(2)]
    operator = await asyncpg.connect(url)

    async def passed(seconds: float) -> None:
        """The database's clock is its own: all that stands there is moved back instead."""
        await operator.execute("UPDATE tries SET full_at = full_at - $1", seconds)

    one, other = (SharedTries(store.shared.tries, SECRET) for store in stores)
    yield Counted((one, other), passed)
    await operator.close()
    for store in stores:
        await store.close()
