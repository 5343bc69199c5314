"""Telling and hearing of topics over a bus that may break: coalesced, bounded, and never waited for."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable

from coterie.base.clock import Clock
from coterie.base.errors import Unavailable
from coterie.server.wakeups.protocol import TOPIC_BYTES, TOPICS_PER_HINT, Bus, Hint, Topic, channel_of

log = logging.getLogger("coterie.server.wakeups")

LOOK_SECONDS = 10.0
"""A bus on which nothing was said for this long is looked at."""
ANSWER_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.25
LAST_PAUSE_SECONDS = 5.0
TOLD_MAX = 100_000
"""Topics that wait to be told; beyond that they are lost, as any hint may be."""


class Wakeups:
    """heard: topics that were told by others, or are listened to from now on. After each (re)connection that
    is all that are listened to: anything of it may have been missed. wake: called when there are some."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._wanted: set[Topic] = set()
        self._users: Counter[int] = Counter()
        """How many topics that are wanted share each channel."""
        self._fresh: set[Topic] = set()
        """Wanted, and not in effect yet."""
        self._left: set[int] = set()
        self._told: set[Topic] = set()
        self._something = asyncio.Event()
        self.heard: set[Topic] = set()
        self.wake: Callable[[], None] = lambda: None
        self.is_connected = False

    def listen(self, topic: Topic) -> None:
        """Want to hear of it. It is heard once when that is in effect."""
        if topic not in self._wanted:
            self._wanted.add(topic)
            self._users[channel_of(topic)] += 1
            self._fresh.add(topic)
            self._something.set()

    def ignore(self, topic: Topic) -> None:
        if topic not in self._wanted:
            return
        self._wanted.discard(topic)
        self._fresh.discard(topic)
        self.heard.discard(topic)
        channel = channel_of(topic)
        self._users[channel] -= 1
        if not self._users[channel]:
            del self._users[channel]
            self._left.add(channel)
            self._something.set()

    def tell(self, topics: Iterable[Topic]) -> None:
        """Others hear of these soon, or never. What waits is told once; what was under way when the bus broke
        is told again."""
        if len(self._told) < TOLD_MAX:
            self._told.update(topics)
            self._something.set()

    async def run(self) -> None:
        """Until cancelled; a bus that broke is connected to again, with growing pauses."""
        pause_seconds = FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._connected()
                    pause_seconds = FIRST_PAUSE_SECONDS
                    while True:
                        await self._round()
                        _be_cancelled()
                except (Unavailable, TimeoutError) as error:
                    log.warning("wake-ups are lost for a moment (%s)", type(error).__name__)
                self.is_connected = False
                await self._bus.close()
                _be_cancelled()
                await self._clock.wait_until(self._clock.monotonic_seconds() + pause_seconds)
                pause_seconds = min(2 * pause_seconds, LAST_PAUSE_SECONDS)
        finally:
            self.is_connected = False
            await self._bus.close()

    async def _connected(self) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._bus.connect(self._received)
            self._left.clear()
            self._fresh.clear()
            wanted = set(self._wanted)
            await self._bus.listen(set(self._users))
        self.is_connected = True
        self._heard(wanted)

    async def _round(self) -> None:
        """What has to be said to the bus now; whatever is wanted or told meanwhile waits for the next."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._something.wait()
        except TimeoutError:
            pass
        self._something.clear()
        fresh, self._fresh = self._fresh, set()
        left, self._left = self._left - self._users.keys(), set()
        told, self._told = self._told, set()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if fresh:
                    await self._bus.listen({channel_of(topic) for topic in fresh})
                if left:
                    await self._bus.ignore(left)
                if told or not (fresh or left):
                    await self._bus.tell(_hints(told))
        except (Unavailable, TimeoutError):
            self.tell(told)
            raise
        self._heard(fresh)

    def _received(self, topics: bytes) -> None:
        """Whatever a bus says that is no topic of ours costs nothing."""
        cuts = range(0, len(topics), TOPIC_BYTES)
        self._heard({Topic(topics[at : at + TOPIC_BYTES]) for at in cuts})

    def _heard(self, topics: set[Topic]) -> None:
        heard = topics & self._wanted
        if heard:
            self.heard |= heard
            self.wake()


def _be_cancelled() -> None:
    """A library may have kept a cancellation for itself (asyncio.wait_for of Python 3.11 does at times)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _hints(topics: Iterable[Topic]) -> list[Hint]:
    by_channel: dict[int, list[Topic]] = {}
    for topic in topics:
        by_channel.setdefault(channel_of(topic), []).append(topic)
    return [
        (channel, b"".join(each[at : at + TOPICS_PER_HINT]))
        for channel, each in by_channel.items()
        for at in range(0, len(each), TOPICS_PER_HINT)
    ]
