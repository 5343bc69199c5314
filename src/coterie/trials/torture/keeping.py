"""Keeps the clients' processes of a torture alive: whatever is killed comes back on the same data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.errors import Unavailable
from coterie.trials.deaths import Death
from coterie.trials.soak.processes import Child
from coterie.trials.soak.stage import Stage


class Keeper:
    """start(), then keep() beside everything else, then end(). kills: how many processes were killed."""

    def __init__(self, folder: Path, stage: Stage, workers: int) -> None:
        self._folder = folder
        self._stage = stage
        self._count = workers
        self._clock = SystemClock()
        self._down_seconds: dict[int, float] = {}
        """Number of a worker that is being killed -> how long it stays down."""
        self._spared: set[int] = set()
        self._invite = ""
        self.kills = 0

    async def start(self, invite: str) -> None:
        """invite: to the servers. Raises Unavailable where a process does not start."""
        self._invite = invite
        for number in range(self._count):
            self._stage.workers.append(await self._start_worker(number))

    async def keep(self) -> None:
        """Until cancelled. Raises Unavailable where a process ends that nobody has killed."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._count):
                tasks.create_task(self._keep_worker(number))

    async def end(self) -> None:
        """Every process ends in order."""
        for worker in self._stage.workers:
            await worker.dismiss()

    @contextmanager
    def spared(self, number: int) -> Iterator[None]:
        """Until the end of the block this worker is not killed."""
        self._spared.add(number)
        try:
            yield
        finally:
            self._spared.discard(number)

    async def kill_worker(self, number: int, death: Death, down_seconds: float) -> bool:
        """Return at once; keep() starts it again. False where that is under way already, or not now."""
        if number in self._down_seconds or number in self._spared:
            return False
        self._down_seconds[number] = down_seconds
        self.kills += 1
        await self._stage.workers[number].kill(death)
        return True

    async def _keep_worker(self, number: int) -> None:
        while True:
            worker = self._stage.workers[number]
            try:
                await self._stage.hear(worker)
            except Unavailable:
                if number not in self._down_seconds:
                    raise
            await worker.gone()
            await self._clock.wait_until(self._clock.monotonic_seconds() + self._down_seconds[number])
            worker = await self._start_worker(number)
            del self._down_seconds[number]
            self._stage.replace(number, worker)

    async def _start_worker(self, number: int) -> Child:
        return await Child.start(
            self._folder / f"worker-{number}.log",
            "coterie.trials.soak.worker",
            str(self._folder),
            self._invite,
            str(self._folder / "offset"),
            str(self._folder / f"skew-{number}"),
            str(self._folder / f"disk-{number}"),
        )
