"""What every bus does, and what Wakeups makes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from coterie.base.clock import SystemClock
from coterie.base.errors import Unavailable
from coterie.server.wakeups.hints import Wakeups
from coterie.server.wakeups.protocol import TOPIC_BYTES, TOPICS_PER_HINT, Topic
from tests.contracts.wakeups.conftest import Make

pytestmark = pytest.mark.asyncio

PATIENCE_SECONDS = 20.0


def topic() -> Topic:
    return Topic(secrets.token_bytes(TOPIC_BYTES))


class Ear:
    """Wake-ups of one server, while they run."""

    def __init__(self, wakeups: Wakeups) -> None:
        self.wakeups = wakeups
        self._woken = asyncio.Event()
        wakeups.wake = self._woken.set

    async def hear(self, wanted: Topic) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while wanted not in self.wakeups.heard:
                await self._woken.wait()
                self._woken.clear()
        self.wakeups.heard.discard(wanted)

    async def listen(self, *topics: Topic) -> None:
        """Returns once that is in effect."""
        for each in topics:
            self.wakeups.listen(each)
        for each in topics:
            await self.hear(each)


@asynccontextmanager
async def ears(make: Make, count: int) -> AsyncIterator[list[Ear]]:
    async with asyncio.TaskGroup() as group:
        made = [Ear(Wakeups(make(), SystemClock())) for _ in range(count)]
        running = [group.create_task(ear.wakeups.run()) for ear in made]
        try:
            yield made
        finally:
            for task in running:
                task.cancel()


async def test_who_listens_hears_and_nobody_else(make: Make) -> None:
    one, other = topic(), topic()
    async with ears(make, 3) as (speaker, listener, stranger):
        await speaker.listen(one)
        await listener.listen(one)
        await stranger.listen(other)
        speaker.wakeups.tell((one, other))
        await listener.hear(one)
        await stranger.hear(other)
        assert speaker.wakeups.heard == set(), "what one told oneself is none"
        assert (listener.wakeups.heard, stranger.wakeups.heard) == (set(), set())


async def test_who_ignores_a_topic_hears_no_more_of_it(make: Make) -> None:
    gone, kept = topic(), topic()
    async with ears(make, 2) as (speaker, listener):
        await listener.listen(gone, kept)
        listener.wakeups.ignore(gone)
        speaker.wakeups.tell((gone,))
        speaker.wakeups.tell((kept,))
        await listener.hear(kept)
        assert listener.wakeups.heard == set()
        await listener.listen(gone)
        speaker.wakeups.tell((gone,))
        await listener.hear(gone)


async def test_many_topics_are_cut_into_hints(make: Make) -> None:
    many = [topic() for _ in range(2 * TOPICS_PER_HINT + 1)]
    async with ears(make, 2) as (speaker, listener):
        await listener.listen(*many)
        speaker.wakeups.tell(many)
        for each in many:
            await listener.hear(each)


async def test_a_bus_that_is_not_connected_says_so(make: Make) -> None:
    async with AsyncExitStack() as left:
        bus = make()
        left.push_async_callback(bus.close)
        with pytest.raises(Unavailable):
            await bus.tell([topic()])
        await bus.connect(lambda _: None)
        await bus.tell([topic()])
        await bus.close()
        with pytest.raises(Unavailable):
            await bus.look()
        await bus.connect(lambda _: None)
        await bus.look()
