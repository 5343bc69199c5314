"""Days pass for all who share an offset, at one moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coterie.base.clock import FakeClock
from coterie.base.limits import DAY_MS
from coterie.trials.shifted_clock import LOOK_SECONDS, SharedOffset, ShiftedClock


def test_both_times_move_by_the_offset_for_all_who_share_it(tmp_path: Path) -> None:
    mine = SharedOffset.create(tmp_path / "offset")
    theirs = SharedOffset(tmp_path / "offset")
    machine = FakeClock(1_000)
    clock = ShiftedClock(theirs, machine=machine)
    assert (clock.wall_ms(), clock.monotonic_seconds()) == (1_000, 0.0)
    mine.advance(2 * DAY_MS)
    mine.advance(DAY_MS)
    assert (clock.wall_ms(), clock.monotonic_seconds()) == (1_000 + 3 * DAY_MS, 3 * DAY_MS / 1000)
    machine.advance(1.5)
    assert (clock.wall_ms(), clock.monotonic_seconds()) == (2_500 + 3 * DAY_MS, 1.5 + 3 * DAY_MS / 1000)


@pytest.mark.asyncio
async def test_who_waits_for_tomorrow_goes_on_when_a_day_passes(tmp_path: Path) -> None:
    offset = SharedOffset.create(tmp_path / "offset")
    machine = FakeClock()
    clock = ShiftedClock(offset, machine=machine)
    waiting = asyncio.ensure_future(clock.wait_until(DAY_MS / 1000))  # noqa: TID251 - watched while it waits
    for _ in range(10):
        await asyncio.sleep(0)
        machine.advance(LOOK_SECONDS)
    assert not waiting.done()
    offset.advance(DAY_MS)
    machine.advance(LOOK_SECONDS)
    async with asyncio.timeout(10):
        await waiting
