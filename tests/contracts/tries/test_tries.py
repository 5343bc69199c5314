"""What counting of tries to get in has to hold to."""

from __future__ import annotations

import asyncio

import pytest

from coterie.server.policy import ALLOWED, Tried
from tests.contracts.tries.conftest import Counted

pytestmark = pytest.mark.asyncio

WHO = ("alice", "192.0.2.7")
BURST = int(ALLOWED[Tried.LOGIN].burst)
EACH_SECONDS = 1 / ALLOWED[Tried.LOGIN].per_second


async def test_two_servers_together_let_no_more_through_than_one(counted: Counted) -> None:
    for number in range(BURST):
        assert await counted.take(Tried.LOGIN, WHO, number % 2) == 0.0
    for server in range(2):
        assert await counted.take(Tried.LOGIN, WHO, server) == pytest.approx(EACH_SECONDS, abs=5.0)
    assert await counted.take(Tried.LOGIN, ("bob", WHO[1])) == 0.0
    assert await counted.take(Tried.LOGIN, (WHO[0], "192.0.2.8"), 1) == 0.0
    assert await counted.take(Tried.APPROVAL, WHO) == 0.0, "each is counted for itself"
    await counted.pass_time(EACH_SECONDS + 1)
    assert min([await counted.take(Tried.LOGIN, WHO, server) for server in range(2)]) == 0.0
    assert await counted.take(Tried.LOGIN, WHO) > 0
    await counted.pass_time(100 * BURST * EACH_SECONDS)
    assert [await counted.take(Tried.LOGIN, WHO, 1) for _ in range(BURST + 1)].count(0.0) == BURST


async def test_no_more_are_let_through_where_many_try_at_once(counted: Counted) -> None:
    tried = (counted.take(Tried.LOGIN, WHO, number % 2) for number in range(3 * BURST))
    assert (await asyncio.gather(*tried)).count(0.0) == BURST


async def test_a_right_one_costs_none(counted: Counted) -> None:
    for number in range(2 * BURST):
        assert await counted.take(Tried.LOGIN, WHO, number % 2) == 0.0
        await counted.give_back(Tried.LOGIN, WHO, number % 2)
    for _ in range(BURST):
        assert await counted.take(Tried.LOGIN, WHO) == 0.0
    assert await counted.take(Tried.LOGIN, WHO) > 0
    await counted.give_back(Tried.LOGIN, ("nobody", "192.0.2.7"))
