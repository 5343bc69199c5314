"""Houses side by side: servers of one PostgreSQL, in one process and on one clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coterie.base.clock import FakeClock
from coterie.server.metrics import Metrics
from coterie.server.neighbours import Beside
from coterie.server.realm import Realm
from coterie.server.restoring import open_or_begin_life
from coterie.server.sequencer import Sequencer
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.turns import Turns
from coterie.server.wakeups.hints import Wakeups
from coterie.server.wakeups.protocol import Bus
from tests.ledger.accounts import NOW_MS
from tests.server.house import TLS_KEY, House


class Neighbour(House):
    """One server of a PostgreSQL."""

    store: PostgresStore  # type: ignore[assignment]  # a house's own is a file

    def __init__(self, store: PostgresStore, realm: Realm, turns: Turns, clock: FakeClock) -> None:
        self.store = store
        self.realm = realm
        self.turns = turns
        self.clock = clock


@asynccontextmanager
async def house_on(url: str, bus: Bus, clock: FakeClock | None = None) -> AsyncIterator[Neighbour]:
    """One server of this database, until it ends as SIGTERM would end it."""
    time = clock or FakeClock(NOW_MS)
    store = await PostgresStore.open(url, Hold.BESIDE)
    try:
        realm = await open_or_begin_life(store, TLS_KEY, True, time.wall_ms())
        metrics = Metrics()
        sequencer = await Sequencer.load(store, realm)
        await store.beside()
        beside = Beside(store.shared, Wakeups(bus, time))
        turns = Turns(store, realm, sequencer, metrics, time, beside)
        await turns.prepare()
        house = Neighbour(store, realm, turns, time)
        house.metrics = metrics
        async with asyncio.TaskGroup() as group:
            running = group.create_task(turns.run())
            try:
                yield house
            finally:
                turns.stop()
                await running
    finally:
        await store.close()
