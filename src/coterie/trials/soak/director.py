"""Runs a soak: a server, workers with clients, the plan's traffic, quiet, and then the check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from coterie.trials.shifted_clock import SharedOffset
from coterie.trials.soak.endgame import judged, settle
from coterie.trials.soak.figures import SoakResult, written_of
from coterie.trials.soak.plan import Plan
from coterie.trials.soak.processes import Child
from coterie.trials.soak.stage import Stage
from coterie.trials.soak.traffic import Traffic

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
        return judged(self._stage, self._traffic, written_of(data / "server.db"), (log,))

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
                self._tell(f"settling: {self._traffic.totals()}")
                await settle(self._stage, self._traffic)
                for task in hearing:
                    task.cancel()
