"""Whether a server can do what it is there for: a turn comes to its end, with something on disk after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coterie.base.clock import Clock
from coterie.base.errors import CoterieError
from coterie.server.exposition import Histogram
from coterie.server.founding import SECRETS
from coterie.server.metrics import SECONDS
from coterie.server.policy import Now
from coterie.server.store.protocol import Store
from coterie.server.store.records import PutFact

READY = "ready"
"""The fact that is written to see whether anything can be: when that was last, 8 bytes of milliseconds."""
KEPT_SECONDS = 1.0
TURN_SECONDS = 3.0
STARTING = "the server has not begun to serve"
ENDING = "the server is ending"
NO_TURN = "no turn has come to its end"
NO_KEYS = "the keys of the server are not in its database"


class Readiness:
    """Asked from outside, looked at by the turn, which alone writes."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._closed = STARTING
        self._looked_at: float | None = None
        self._found = ""
        self.asking: list[asyncio.Future[str]] = []
        """Who waits for the next look()."""
        self.seconds = Histogram(
            "coterie_readiness_commit_seconds",
            "How long the transaction of one small row takes: the disk, or the database's network.",
            SECONDS,
        )

    def begin(self) -> None:
        """Connections are taken from now on."""
        self._closed = ""

    def end(self) -> None:
        """Nothing more is taken."""
        self._closed = ENDING

    async def why_not(self) -> str:
        """Why the server is not ready, in a few words; "" where it is. What was found serves for a second:
        asking often costs the disk nothing."""
        if self._closed:
            return self._closed
        if self._looked_at is not None and self._clock.monotonic_seconds() - self._looked_at < KEPT_SECONDS:
            return self._found
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asking.append(answer)
        self._wake()
        try:
            async with asyncio.timeout(TURN_SECONDS):
                return await answer
        except TimeoutError:
            return NO_TURN

    async def look(self, now: Now) -> None:
        """In a turn: where somebody asks, read and write. Raises what the store raises."""
        asking, self.asking = self.asking, []
        began = self._clock.monotonic_seconds()
        try:
            self._found = await self._tried(now)
            self.seconds.observe(self._clock.monotonic_seconds() - began)
        except CoterieError as error:
            self._found = error.note or error.code.value
            raise
        finally:
            self._looked_at = self._clock.monotonic_seconds()
            for answer in asking:
                if not answer.done():
                    answer.set_result(self._closed or self._found)

    async def _tried(self, now: Now) -> str:
        if not await self._store.fact(SECRETS):
            return NO_KEYS
        await self._store.commit([PutFact(READY, now.wall_ms.to_bytes(8, "big"))])
        return ""
