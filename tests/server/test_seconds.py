"""A second in which nothing is due takes no turn."""

from __future__ import annotations

import pytest

from coterie.base import limits
from tests.server.house import House, settle
from tests.server.people import Person
from tests.server.scenes import registered

pytestmark = pytest.mark.asyncio

CALM_SECONDS = 5
"""Until all has been told and written that the sign-up brought."""


async def test_a_still_server_takes_a_turn_when_something_is_due(
    house: House, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    turns: list[float] = []
    take = house.turns._turn

    async def counted(*values: object) -> None:
        turns.append(house.clock.monotonic_seconds())
        await take(*values)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(house.turns, "_turn", counted)
    await pass_seconds(house, CALM_SECONDS)
    turns.clear()
    await pass_seconds(house, 3)
    assert turns == []
    assert list(house.metrics.figures())
    await pass_seconds(house, 2)
    assert len(turns) == 1, "somebody wants to know how much waits"
    house.turns.paused(wire.connection, paused=True)
    turns.clear()
    await pass_seconds(house, 3)
    assert len(turns) >= 3, "whether the network takes anything is looked at each second"
    house.turns.paused(wire.connection, paused=False)
    await pass_seconds(house, 2)
    pings = wire.pings
    await pass_seconds(house, round(limits.PING_SECONDS) + 1)
    assert wire.pings > pings


async def pass_seconds(house: House, count: int) -> None:
    for _ in range(count):
        house.clock.advance(1.0)
        await settle()
