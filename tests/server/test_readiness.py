"""Ready is who can write: said so by a turn that has written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coterie.base.clock import FakeClock
from coterie.base.errors import CoterieError
from coterie.server import readiness
from coterie.server.founding import SECRETS
from coterie.server.policy import Now
from coterie.server.readiness import READY, Readiness
from coterie.server.store.records import PutFact
from coterie.server.store.sqlite import SqliteStore
from tests.server.house import House


@pytest.mark.asyncio
async def test_a_server_is_ready_once_something_is_written(house: House) -> None:
    assert await house.turns.readiness.why_not() == ""
    assert await house.store.fact(READY) == house.clock.wall_ms().to_bytes(8, "big")
    assert house.turns.readiness.seconds.count == 1


@pytest.mark.asyncio
async def test_asking_often_writes_once_a_second(house: House) -> None:
    for _ in range(20):
        assert await house.turns.readiness.why_not() == ""
    assert house.turns.readiness.seconds.count == 1
    await house.pass_time(1)
    assert await house.turns.readiness.why_not() == ""
    assert house.turns.readiness.seconds.count == 2


@pytest.mark.asyncio
async def test_who_begins_or_ends_is_not_ready(folder: Path) -> None:
    clock = FakeClock()
    store = SqliteStore(folder / "server.db")
    ready = Readiness(store, clock, lambda: None)
    assert await ready.why_not() == readiness.STARTING
    ready.begin()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ready.why_not())
        await asyncio.sleep(0)
        await ready.look(Now(clock.wall_ms(), clock.monotonic_seconds()))
    assert asking.result() == ""
    ready.end()
    assert await ready.why_not() == readiness.ENDING
    await store.close()


@pytest.mark.asyncio
async def test_without_turns_nobody_is_ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TURN_SECONDS", 0.01)
    store = SqliteStore(folder / "server.db")
    ready = Readiness(store, FakeClock(), lambda: None)
    ready.begin()
    assert await ready.why_not() == readiness.NO_TURN
    await store.close()


@pytest.mark.asyncio
async def test_without_its_keys_a_server_is_not_ready(house: House) -> None:
    await house.store.commit([PutFact(SECRETS, b"")])
    assert await house.turns.readiness.why_not() == readiness.NO_KEYS


@pytest.mark.asyncio
async def test_a_store_that_cannot_be_used_is_the_reason_and_fails_the_turn(folder: Path) -> None:
    clock = FakeClock()
    store = SqliteStore(folder / "server.db")
    ready = Readiness(store, clock, lambda: None)
    ready.begin()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ready.why_not())
        await asyncio.sleep(0)
        await store._db.run("DROP TABLE facts")
        with pytest.raises(CoterieError) as raised:
            await ready.look(Now(clock.wall_ms(), clock.monotonic_seconds()))
    assert asking.result() == raised.value.note
    await store.close()
