"""Runs a soak: a server, workers with clients, the plan's deeds in time, quiet, and then the check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import assert_never

import msgspec

from coterie.base.clock import SystemClock
from coterie.base.limits import DAY_MS
from coterie.client.commands import EVERYONE
from coterie.trials.shifted_clock import SharedOffset
from coterie.trials.soak.crowd import CLAIMER, Crowd
from coterie.trials.soak.figures import Figures, SoakResult, entitled_of, logged_errors
from coterie.trials.soak.plan import (
    DaysPass,
    Deed,
    KeysRunOut,
    Leaves,
    LogsIn,
    Plan,
    Reads,
    Returns,
    Says,
    SignsUp,
)
from coterie.trials.soak.processes import Child
from coterie.trials.soak.speech import (
    Close,
    Drain,
    Exhaust,
    LogIn,
    Look,
    MarkRead,
    Open,
    Order,
    Say,
    SignUp,
)
from coterie.trials.talk_check import find_faults

PATIENCE_SECONDS = 60.0
"""Nothing new for this long: what is missing then will not come."""
CLIENTS_PER_WORKER = 8
WORKERS_MAX = 4
UNTYPED_MAX = 100
UNACKNOWLEDGED_MAX = 400
"""Then the plan waits, so that no machine is given more than it can do."""
TELL_SECONDS = 30.0


class SoakSettings(msgspec.Struct, frozen=True):
    """seconds: of traffic, without coming and settling."""

    seconds: float
    clients: int
    seed: int


class Soak:
    """run() once, in an empty folder. tell: sentences about how it goes."""

    def __init__(self, settings: SoakSettings, folder: Path, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._tell = tell
        self._clock = SystemClock()
        self._crowd = Crowd()
        self._plan = Plan(settings.seed, settings.clients, settings.seconds)
        self._offset = SharedOffset.create(folder / "offset")
        self._workers: list[Child] = []
        self._news = asyncio.Event()
        self._names: dict[int, str] = {}
        self._away: set[int] = set()
        self._ordered = 0
        self._sign_ups = 0
        self._log_ins = 0
        self._days = 0

    async def run(self) -> SoakResult:
        """Raises Unavailable where a process does not start or dies."""
        data, log = self._folder / "server", self._folder / "server.log"
        words = ("coterie.trials.soak.server", str(data), str(self._folder / "offset"))
        async with AsyncExitStack() as stack:
            stack.callback(self._offset.close)
            server = await Child.start(log, *words)
            stack.push_async_callback(server.terminate)
            invite = await server.first_line()
            await self._with_workers(invite)
        return self._judged(data, log)

    async def _with_workers(self, invite: str) -> None:
        count = max(1, min(WORKERS_MAX, -(-self._settings.clients // CLIENTS_PER_WORKER)))
        self._tell(f"seed {self._settings.seed}: {self._settings.clients} clients in {count} processes")
        async with AsyncExitStack() as stack:
            for number in range(count):
                log = self._folder / f"worker-{number}.log"
                words = (str(self._folder), invite, str(self._folder / "offset"))
                worker = await Child.start(log, "coterie.trials.soak.worker", *words)
                self._workers.append(worker)
                stack.push_async_callback(worker.dismiss)
            async with asyncio.TaskGroup() as tasks:
                hearing = [tasks.create_task(self._hear(worker)) for worker in self._workers]
                await self._arrive()
                await self._traffic()
                await self._settle()
                await self._look()
                for task in hearing:
                    task.cancel()

    async def _hear(self, worker: Child) -> None:
        while True:
            self._crowd.take(await worker.report())
            self._news.set()

    async def _until(self, done: Callable[[], bool]) -> bool:
        """Wait for it; whether it came before there was nothing new for long."""
        while not done():
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return False
        return True

    def _order(self, order: Order) -> None:
        self._workers[order.client % len(self._workers)].tell(order)

    async def _arrive(self) -> None:
        self._order(SignUp(CLAIMER, "claimer"))
        for deed in self._plan.arrivals():
            await self._do(deed)
        self._order(Close(CLAIMER))
        await self._until(lambda: len(self._crowd.joined) == len(self._names) + 1)
        await self._until(lambda: CLAIMER in self._crowd.closed)
        self._tell(f"all {len(self._names)} are here")

    async def _traffic(self) -> None:
        began = told = self._clock.monotonic_seconds()
        for timed in self._plan.deeds():
            await self._clock.wait_until(began + timed.due_seconds)
            await self._until(self._has_room)
            await self._do(timed.deed)
            now = self._clock.monotonic_seconds()
            if now - told >= TELL_SECONDS:
                told = now
                self._tell(f"{now - began:.0f} s: {self._totals()}")
            if now - began >= self._settings.seconds:
                break

    def _totals(self) -> str:
        ledger = self._crowd.ledger
        return (
            f"{ledger.messages} messages, {ledger.deliveries} deliveries, {len(self._names)} devices, "
            f"{self._days} days, {self._crowd.exhaustions} exhaustions, {len(self._away)} away"
        )

    def _has_room(self) -> bool:
        untyped = self._ordered - self._crowd.typed
        return untyped < UNTYPED_MAX and self._crowd.ledger.unacknowledged < UNACKNOWLEDGED_MAX

    async def _do(self, deed: Deed) -> None:
        match deed:
            case SignsUp(client, name):
                self._names[client] = name
                self._sign_ups += 1
                self._order(SignUp(client, name))
            case LogsIn(client, of):
                await self._log_in(client, of)
            case Says():
                self._say(deed)
            case Leaves(client):
                if client in self._crowd.joined:
                    self._away.add(client)
                    self._order(Close(client))
            case Returns(client):
                self._return(client)
            case Reads(client):
                if client in self._crowd.joined and client not in self._away:
                    self._order(MarkRead(client))
            case DaysPass(days, returning):
                await self._let_pass(days, returning)
            case KeysRunOut():
                self._order(Exhaust(CLAIMER, self._crowd.devices()))
            case _:
                assert_never(deed)

    async def _log_in(self, client: int, of: int) -> None:
        if await self._until(lambda: of in self._crowd.joined):
            self._names[client] = self._names[of]
            self._log_ins += 1
            self._order(LogIn(client, self._names[of], self._crowd.joined[of].passphrase))

    def _say(self, deed: Says) -> None:
        """Who is not here yet neither says nor hears anything."""
        known = self._crowd.joined
        if deed.client not in known or deed.client in self._away:
            return
        if deed.to is not None and deed.to not in known:
            return
        self._crowd.will_talk(deed.client, deed.to)
        target = EVERYONE if deed.to is None else "@" + known[deed.to].name
        self._ordered += len(deed.texts)
        self._order(Say(deed.client, target, deed.texts, self._crowd.next_moment()))

    def _return(self, client: int) -> None:
        if client in self._away:
            self._away.remove(client)
            self._order(Open(client))

    async def _let_pass(self, days: int, returning: tuple[int, ...]) -> None:
        """At one moment for all, once those are back that have been away for long."""
        back = [client for client in returning if client in self._away]
        for client in back:
            self._return(client)
        await self._drain(back)
        self._offset.advance(days * DAY_MS)
        self._days += days

    async def _drain(self, clients: list[int]) -> None:
        self._crowd.drained.clear()
        for client in clients:
            self._order(Drain(client))
        await self._until(lambda: self._crowd.drained.issuperset(clients))

    async def _settle(self) -> None:
        """Everybody comes back; what was typed is sent, what was sent arrives; then all start once more."""
        self._tell(f"settling: {self._totals()}")
        for client in sorted(self._away):
            self._return(client)
        crowd = self._crowd
        await self._until(lambda: len(crowd.joined) == len(self._names) + 1)
        await self._until(lambda: crowd.typed >= self._ordered and crowd.ledger.unacknowledged <= 0)
        everybody = [client for client in crowd.joined if client != CLAIMER]
        await self._close(everybody)
        for client in everybody:
            self._order(Open(client))
        await self._drain(everybody)
        await self._until(lambda: not crowd.ledger.owed())
        await self._close(everybody)

    async def _close(self, clients: list[int]) -> None:
        self._crowd.closed.clear()
        for client in clients:
            self._order(Close(client))
        await self._until(lambda: self._crowd.closed.issuperset(clients))

    async def _look(self) -> None:
        clients = [client for client in self._crowd.joined if client != CLAIMER]
        for client in clients:
            self._order(Look(client))
        await self._until(lambda: self._crowd.stores.keys() >= set(clients))

    def _judged(self, data: Path, log: Path) -> SoakResult:
        crowd = self._crowd
        faults = tuple(find_faults(crowd.ledger, crowd.stores.values(), entitled_of(data / "server.db")))
        failures = tuple(f"client {each.client}: {each.what}: {each.code}" for each in crowd.failures)
        errors = tuple(f"{each.logger}: {each.text}" for each in crowd.troubles) + logged_errors(log)
        figures = Figures.counted(
            faults,
            messages=crowd.ledger.messages,
            deliveries=crowd.ledger.deliveries,
            sign_ups=self._sign_ups,
            devices=self._log_ins,
            exhaustions=crowd.exhaustions,
            days=self._days,
            failures=len(failures),
            errors=len(errors),
        )
        return SoakResult(figures, faults, failures, errors)
