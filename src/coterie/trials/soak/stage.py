"""What a soak is played on: worker processes that take orders, and the crowd that takes their reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from coterie.trials.soak.crowd import Crowd
from coterie.trials.soak.processes import Child
from coterie.trials.soak.speech import Close, Drain, Order

PATIENCE_SECONDS = 60.0
"""Nothing new for this long: what is missing then will not come."""


class Stage:
    """hear() runs for each worker; everything else gives orders and waits for what they bring."""

    def __init__(self) -> None:
        self.crowd = Crowd()
        self.workers: list[Child] = []
        self._news = asyncio.Event()

    async def hear(self, worker: Child) -> None:
        """Take its reports until cancelled. Raises Unavailable where it ends."""
        while True:
            self.crowd.take(await worker.report())
            self._news.set()

    def order(self, order: Order) -> None:
        """Each client has its worker."""
        self.workers[order.client % len(self.workers)].tell(order)

    async def until(self, done: Callable[[], bool]) -> bool:
        """Wait for it; whether it came before there was nothing new for long."""
        while not done():
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return False
        return True

    async def drain(self, clients: Iterable[int]) -> None:
        """Until all these have everything that had waited for them."""
        asked = set(clients)
        self.crowd.drained.clear()
        for client in asked:
            self.order(Drain(client))
        await self.until(lambda: self.crowd.drained >= asked)

    async def close(self, clients: Iterable[int]) -> None:
        """Until all these have closed in order."""
        asked = set(clients)
        self.crowd.closed.clear()
        for client in asked:
            self.order(Close(client))
        await self.until(lambda: self.crowd.closed >= asked)
