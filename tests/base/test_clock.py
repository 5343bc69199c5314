"""Clocks: the machine's own, and the one that tests move."""

from __future__ import annotations

import asyncio

import pytest

from coterie.base.clock import Clock, FakeClock, SystemClock


def test_the_system_clock_goes_on() -> None:
    clock: Clock = SystemClock()
    wall_ms, monotonic_seconds = clock.wall_ms(), clock.monotonic_seconds()
    assert wall_ms > 1_700_000_000_000
    assert clock.wall_ms() >= wall_ms
    assert clock.monotonic_seconds() >= monotonic_seconds


@pytest.mark.asyncio
async def test_the_system_clock_waits_until_the_moment() -> None:
    clock = SystemClock()
    until = clock.monotonic_seconds() + 0.02
    await clock.wait_until(until)
    assert clock.monotonic_seconds() >= until
    await clock.wait_until(until)


def test_a_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(wall_ms=1000)
    assert (clock.wall_ms(), clock.monotonic_seconds()) == (1000, 0.0)
    clock.advance(1.5)
    assert (clock.wall_ms(), clock.monotonic_seconds()) == (2500, 1.5)


@pytest.mark.asyncio
async def test_a_fake_clock_wakes_whoever_waited_long_enough() -> None:
    clock = FakeClock()
    woken: list[int] = []

    async def wait(seconds: int) -> None:
        await clock.wait_until(seconds)
        woken.append(seconds)

    async def settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for seconds in (3, 1, 0):
            group.create_task(wait(seconds))
        await settle()
        assert woken == [0]
        clock.advance(1)
        await settle()
        assert woken == [0, 1]
        clock.advance(1)
        await settle()
        assert woken == [0, 1]
        clock.advance(5)
    assert woken == [0, 1, 3]
