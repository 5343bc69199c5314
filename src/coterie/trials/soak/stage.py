"""What a soak is played on: worker processes that take orders, and the crowd that takes their reports."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from coterie.trials.soak.crowd import Crowd
from coterie.trials.soak.processes import Child
from coterie.trials.soak.speech import (
    Close,
    Closed,
    Done,
    Drain,
    LogIn,
    Open,
    Opened,
    Order,
    Report,
    Say,
    SignUp,
)

PATIENCE_SECONDS = 60.0
"""Nothing new for this long: what is missing then will not come."""
WELL_SECONDS = 150.0
"""Of repair: the device that sealed it is asked at once, others after one and two minutes."""


class Stage:
    """hear() runs for each worker; everything else gives orders and waits for what they bring."""

    def __init__(self) -> None:
        self.crowd = Crowd()
        self.workers: list[Child] = []
        self.open: set[int] = set()
        """Clients that are open, as far as they have said so."""
        self._pending: dict[int, deque[Order]] = {}
        """client -> what it was told and has not carried out, oldest first."""
        self._news = asyncio.Event()

    async def hear(self, worker: Child) -> None:
        """Take its reports until cancelled. Raises Unavailable where it ends."""
        while True:
            self._take(await worker.report())

    def _take(self, report: Report) -> None:
        self.crowd.take(report)
        match report:
            case Done(client):
                self._pending[client].popleft()
            case Opened(client):
                self.open.add(client)
            case Closed(client):
                self.open.discard(client)
            case _:
                pass
        self._news.set()

    def order(self, order: Order) -> None:
        """Each client has its worker."""
        self._pending.setdefault(order.client, deque()).append(order)
        self.workers[order.client % len(self.workers)].tell(order)

    def untyped(self) -> int:
        """Texts that clients were told to write, of orders that are not carried out."""
        orders = (order for pending in self._pending.values() for order in pending)
        return sum(len(order.texts) for order in orders if isinstance(order, Say))

    def is_busy(self, client: int) -> bool:
        """Whether it has something left to carry out."""
        return bool(self._pending.get(client))

    def obeyed(self) -> bool:
        """Whether every order was carried out."""
        return not any(self._pending.values())

    def replace(self, number: int, worker: Child) -> None:
        """In place of a worker that was killed, after the last of its reports: its clients open again and
        carry out what they were told. Who was writing says no more of it."""
        self.workers[number] = worker
        clients = [client for client in self._pending if client % len(self.workers) == number]
        for client in clients:
            for order in self._again(client, self._pending.pop(client)):
                self.order(order)
        self._news.set()

    def _again(self, client: int, pending: Iterable[Order]) -> list[Order]:
        orders: list[Order] = [order for order in pending if not isinstance(order, Say)]
        begins = bool(orders) and isinstance(orders[0], SignUp | LogIn | Open)
        if client in self.open:
            self.open.discard(client)
            return orders if begins else [Open(client, self.passphrase(client)), *orders]
        return orders[1:] if orders and isinstance(orders[0], Close) else orders

    def passphrase(self, client: int) -> str:
        return self.crowd.joined[client].passphrase

    async def until(self, done: Callable[[], bool], patience_seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait for it; whether it came before there was nothing new for long."""
        while not done():
            self._news.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._news.wait()
            except TimeoutError:
                return False
        return True

    async def drain(self, clients: Iterable[int]) -> None:
        """Until all these have everything that had waited for them."""
        await self._drain(Drain(client) for client in clients)

    async def drain_to_the_end(self, clients: Iterable[int]) -> bool:
        """The same, and until two rounds of repair are over: who is asked first may be gone. Whether all is
        well with everybody."""
        return await self._drain(Drain(client, WELL_SECONDS) for client in clients)

    async def _drain(self, orders: Iterable[Drain]) -> bool:
        asked = {order.client: order for order in orders}
        self.crowd.drained.clear()
        for order in asked.values():
            self.order(order)
        well_seconds = max((order.well_seconds for order in asked.values()), default=0.0)
        await self.until(lambda: not self._are_pending(asked.values()), PATIENCE_SECONDS + well_seconds)
        return all(self.crowd.drained.get(client, False) for client in asked)

    def _are_pending(self, orders: Iterable[Order]) -> bool:
        """Whether any of them is neither carried out nor refused."""
        return any(order in self._pending.get(order.client, ()) for order in orders)

    async def close(self, clients: Iterable[int]) -> None:
        """Until all these have closed in order."""
        asked = set(clients)
        self.crowd.closed.clear()
        for client in asked:
            self.order(Close(client))
        await self.until(lambda: self.crowd.closed >= asked)
