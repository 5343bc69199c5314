"""Telling and hearing of topics over a bus that may break: coalesced, bounded, and never waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from coterie.base.clock import Clock
from coterie.base.errors import Unavailable
from coterie.server.wakeups.protocol import TOPIC_BYTES, TOPICS_PER_HINT, Bus, Hint, Topic

log = logging.getLogger("coterie.server.wakeups")

LOOK_SECONDS = 10.0
"""A bus on which nothing was said for this long is looked at."""
PROOF_SECONDS = 1.0
"""One on which something is said all the time, as often as this: a look is a way to the bus and back."""
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
        self._told: set[Topic] = set()
        self._unproven: set[Topic] = set()
        """Told since the bus was last seen to be there: told again where it was not."""
        self._proven_at = float("-inf")
        self._something = asyncio.Event()
        self.heard: set[Topic] = set()
        self.wake: Callable[[], None] = lambda: None
        self.is_connected = False

    def listen(self, topic: Topic) -> None:
        """Want to hear of it. It is heard once: something may have been told before."""
        if topic not in self._wanted:
            self._wanted.add(topic)
            if self.is_connected:
                self._heard({topic})

    def ignore(self, topic: Topic) -> None:
        self._wanted.discard(topic)
        self.heard.discard(topic)

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
        self._proven_at = self._clock.monotonic_seconds()
        self.is_connected = True
        self._heard(set(self._wanted))

    async def _round(self) -> None:
        """What has to be said to the bus now; whatever is told meanwhile waits for the next."""
        try:
            async with asyncio.timeout(PROOF_SECONDS if self._unproven else LOOK_SECONDS):
                await self._something.wait()
        except TimeoutError:
            pass
        self._something.clear()
        told, self._told = self._told, set()
        self._unproven |= told
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if told:
                    await self._bus.tell(_hints(told))
                if self._clock.monotonic_seconds() >= self._proven_at + PROOF_SECONDS:
                    await self._bus.look()
                    self._unproven.clear()
                    self._proven_at = self._clock.monotonic_seconds()
        except (Unavailable, TimeoutError):
            unproven, self._unproven = self._unproven, set()
            self.tell(unproven)
            raise

    def _received(self, hint: Hint) -> None:
        """Whatever a bus says that is no topic of ours costs nothing."""
        cuts = range(0, len(hint), TOPIC_BYTES)
        self._heard({Topic(hint[at : at + TOPIC_BYTES]) for at in cuts})

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
    each = list(topics)
    return [b"".join(each[at : at + TOPICS_PER_HINT]) for at in range(0, len(each), TOPICS_PER_HINT)]
