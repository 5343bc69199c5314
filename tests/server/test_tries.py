"""How tries are counted between the servers of one database: nobody is named, and a flood costs little."""

from __future__ import annotations

import asyncpg
import pytest

from coterie.server.policy import ALLOWED, Allowance, Tried
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.tries import SHUT_SECONDS, WHO_BYTES, SharedTries

pytestmark = pytest.mark.asyncio

WHO = ("alice", "192.0.2.7")


class Full:
    """A table in which nobody has a try left; implements TryTable."""

    def __init__(self) -> None:
        self.asked = 0

    async def take(self, who: bytes, allowance: Allowance) -> float:
        self.asked += 1
        return 90.0

    async def give_back(self, who: bytes, allowance: Allowance) -> None: ...
    async def prune(self, most: int) -> None: ...


async def test_who_has_no_try_left_is_refused_from_memory() -> None:
    """Attack: password after password, so that the database has to do with nothing else."""
    table = Full()
    tries = SharedTries(table, bytes(32))
    waits = [await tries.take(Tried.LOGIN, WHO, 10.0 + number / 1000) for number in range(500)]
    assert table.asked == 1
    assert min(waits) > 89.0
    await tries.take(Tried.LOGIN, WHO, 10.0 + SHUT_SECONDS)
    assert table.asked == 2


@pytest.mark.slow
async def test_what_is_counted_names_nobody_and_goes_when_it_counts_no_more(postgres_database: str) -> None:
    store = await PostgresStore.open(postgres_database, Hold.BESIDE)
    tries = SharedTries(store.shared.tries, bytes(32))
    operator = await asyncpg.connect(postgres_database)
    for number in range(5):
        await tries.take(Tried.LOGIN, ("alice", f"192.0.2.{number}"), 0.0)
    rows = await operator.fetch("SELECT * FROM tries")
    assert {len(row["who"]) for row in rows} == {WHO_BYTES}
    assert not any(b"alice" in row["who"] or b"192" in row["who"] for row in rows)
    await tries.prune()
    assert await operator.fetchval("SELECT count(*) FROM tries") == 5
    await store.shared.tries.prune(3)
    assert await operator.fetchval("SELECT count(*) FROM tries") == 3
    await operator.execute("UPDATE tries SET full_at = full_at - $1", 2 / ALLOWED[Tried.LOGIN].per_second)
    await tries.prune()
    assert await operator.fetchval("SELECT count(*) FROM tries") == 0
    await operator.close()
    await store.close()


@pytest.mark.slow
async def test_a_clock_that_was_set_back_shuts_nobody_out_for_long(postgres_database: str) -> None:
    store = await PostgresStore.open(postgres_database, Hold.BESIDE)
    allowance = ALLOWED[Tried.LOGIN]
    await store.shared.tries.take(bytes(WHO_BYTES), allowance)
    operator = await asyncpg.connect(postgres_database)
    await operator.execute("UPDATE tries SET full_at = full_at + 1e9")
    assert await store.shared.tries.take(bytes(WHO_BYTES), allowance) <= 1 / allowance.per_second + 1
    await operator.close()
    await store.close()
