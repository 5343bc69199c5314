"""Runs a soak: a server, workers with clients, the plan's traffic, quiet, and then the check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from coterie.trials.shifted_clock import SharedOffset
from coterie.trials.soak.crowd import CLAIMER
from coterie.trials.soak.figures import Figures, SoakResult, entitled_of, logged_errors
from coterie.trials.soak.plan import Plan
from coterie.trials.soak.processes import Child
from coterie.trials.soak.speech import Look, Open
from coterie.trials.soak.stage import Stage
from coterie.trials.soak.traffic import Traffic
from coterie.trials.talk_check import find_faults

CLIENTS_PER_WORKER = 8
WORKERS_MAX = 4


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
        self._stage = Stage()
        self._offset = SharedOffset.create(folder / "offset")
        plan = Plan(settings.seed, settings.clients, settings.seconds)
        self._traffic = Traffic(self._stage, plan, settings.seconds, self._offset, tell)

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
                self._stage.workers.append(worker)
                stack.push_async_callback(worker.dismiss)
            async with asyncio.TaskGroup() as tasks:
                hearing = [tasks.create_task(self._stage.hear(worker)) for worker in self._stage.workers]
                await self._traffic.arrive()
                await self._traffic.play()
                await self._settle()
                await self._look()
                for task in hearing:
                    task.cancel()

    async def _settle(self) -> None:
        """Everybody comes back; what was typed is sent, what was sent arrives; then all start once more."""
        self._tell(f"settling: {self._traffic.totals()}")
        for client in sorted(self._traffic.away):
            self._traffic.bring_back(client)
        crowd = self._stage.crowd
        await self._stage.until(lambda: len(crowd.joined) == len(self._traffic.names) + 1)
        await self._stage.until(lambda: self._stage.obeyed() and crowd.ledger.unacknowledged <= 0)
        everybody = [client for client in crowd.joined if client != CLAIMER]
        await self._stage.close(everybody)
        for client in everybody:
            self._stage.order(Open(client, self._stage.passphrase(client)))
        await self._stage.drain(everybody)
        await self._stage.until(lambda: not crowd.ledger.owed())
        await self._stage.close(everybody)

    async def _look(self) -> None:
        clients = [client for client in self._stage.crowd.joined if client != CLAIMER]
        for client in clients:
            marked = tuple(self._stage.crowd.marks.get(client, {}).items())
            self._stage.order(Look(client, self._stage.passphrase(client), marked))
        await self._stage.until(lambda: self._stage.crowd.stores.keys() >= set(clients))

    def _judged(self, data: Path, log: Path) -> SoakResult:
        crowd = self._stage.crowd
        faults = tuple(find_faults(crowd.ledger, crowd.stores.values(), entitled_of(data / "server.db")))
        failures = tuple(f"client {each.client}: {each.what}: {each.code}" for each in crowd.failures)
        errors = tuple(f"{each.logger}: {each.text}" for each in crowd.troubles) + logged_errors(log)
        figures = Figures.counted(
            faults,
            messages=crowd.ledger.messages,
            deliveries=crowd.ledger.deliveries,
            sign_ups=self._traffic.sign_ups,
            devices=self._traffic.log_ins,
            exhaustions=crowd.exhaustions,
            days=self._traffic.days,
            failures=len(failures),
            errors=len(errors),
        )
        return SoakResult(figures, faults, failures, errors)
