"""Houses side by side: servers of one PostgreSQL, in one process and on one clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest_asyncio

from coterie.base import limits
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
from coterie.server.wakeups.local import LocalBus, Yard
from coterie.server.wakeups.pgnotify import NotifyBus
from coterie.server.wakeups.protocol import Bus, Topic
from coterie.wire.frames import Accepted
from tests.ledger.accounts import NOW_MS
from tests.server.house import TLS_KEY, House, Wire, running
from tests.server.people import Person
from tests.server.scenes import registered


class Neighbour(House):
    """One server of a PostgreSQL."""

    store: PostgresStore  # type: ignore[assignment]  # a house's own is a file

    def __init__(
        self, store: PostgresStore, realm: Realm, turns: Turns, clock: FakeClock, wakeups: Wakeups
    ) -> None:
        self.store = store
        self.wakeups = wakeups
        self.realm = realm
        self.turns = turns
        self.clock = clock

    def hear(self, topic: Topic) -> None:
        """As by a wake-up, and no other."""
        self.wakeups.heard.add(topic)
        self.wakeups.wake()


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
        house = Neighbour(store, realm, turns, time, beside.wakeups)
        house.metrics = metrics
        async with running(turns):
            yield house
    finally:
        await store.close()


T = TypeVar("T")
Street = tuple[Neighbour, Neighbour]
PATIENCE_SECONDS = 20.0


class Deaf(LocalBus):
    """A bus on which nothing arrives."""

    def receive(self, hint: bytes) -> None:
        """Lost."""


@pytest_asyncio.fixture
async def street(postgres_database: str) -> AsyncIterator[Street]:
    """Two houses on one clock, which wake each other by NOTIFY."""
    async with side_by_side(postgres_database, lambda: NotifyBus(postgres_database)) as houses:
        yield houses


@pytest_asyncio.fixture
async def deaf_street(postgres_database: str) -> AsyncIterator[Street]:
    """Two houses that never hear of each other."""
    yard = Yard()
    async with side_by_side(postgres_database, lambda: Deaf(yard)) as houses:
        yield houses


@asynccontextmanager
async def side_by_side(url: str, bus: Callable[[], Bus]) -> AsyncIterator[Street]:
    clock = FakeClock(NOW_MS)
    async with house_on(url, bus(), clock) as one, house_on(url, bus(), clock) as other:
        yield one, other


async def apart(street: Street, alice: Person, bob: Person) -> tuple[Wire, Wire]:
    """Alice at one house, bob at the other; bob has alice's key."""
    one, other = street
    await registered(one, alice)
    await registered(other, bob)
    alices, bobs = one.wire(), other.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    share = alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=2)
    assert isinstance(await alices.ask(share), Accepted)
    return alices, bobs


async def within_a_ping_interval(houses: Street, work: Coroutine[None, None, T]) -> T:
    """What the work gives, while that time passes and no more."""
    task = asyncio.get_running_loop().create_task(work)
    for _ in range(round(limits.PING_SECONDS) + 1):
        if not task.done():
            houses[0].clock.advance(1.0)
            await asyncio.wait({task}, timeout=0.05)
    return await task
