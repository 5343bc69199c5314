"""Keeps the processes of a torture alive: whatever is killed comes back on the same data."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from coterie.base.clock import Clock, SystemClock
from coterie.base.errors import Unavailable
from coterie.server.copies import make_copy, put_back
from coterie.trials.deaths import Death
from coterie.trials.soak.processes import Child
from coterie.trials.soak.stage import Stage
from coterie.trials.torture.proxy import HOST, Proxy

AGAIN_SECONDS = 0.1


class Keeper:
    """start(), then keep() beside everything else, then end(). kills: how many processes were killed."""

    def __init__(self, folder: Path, stage: Stage, proxy: Proxy, workers: int, trial_clock: Clock) -> None:
        self._folder = folder
        self._stage = stage
        self._proxy = proxy
        self._count = workers
        self._trial_clock = trial_clock
        self._clock = SystemClock()
        self._server: Child | None = None
        self._down_seconds: dict[int, float] = {}
        """Number of a worker that is being killed -> how long it stays down."""
        self.invite = ""
        """By way of the proxy."""
        self.kills = 0

    @property
    def server_log(self) -> Path:
        return self._folder / "server.log"

    @property
    def data(self) -> Path:
        return self._folder / "server"

    async def start(self) -> None:
        """Raises Unavailable where a process does not start."""
        await self._proxy.start()
        invite = await self._start_server()
        self.invite = f"coterie://{HOST}:{self._proxy.port}/#{urlsplit(invite).fragment}"
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
        if self._server is not None:
            await self._server.terminate()
        await self._proxy.close()

    async def kill_worker(self, number: int, death: Death, down_seconds: float) -> bool:
        """Return at once; keep() starts it again. False where that is under way already."""
        if number in self._down_seconds:
            return False
        self._down_seconds[number] = down_seconds
        self.kills += 1
        await self._stage.workers[number].kill(death)
        return True

    async def kill_server(self, death: Death, down_seconds: float) -> bool:
        """Return when it accepts connections again. False where it is down already."""
        if not await self._killed(death):
            return False
        await self._clock.wait_until(self._clock.monotonic_seconds() + down_seconds)
        await self._start_server()
        return True

    async def copy_server(self, copy: Path) -> None:
        """As `coterie admin backup` does, while it runs."""
        await asyncio.to_thread(make_copy, self.data, copy, self._trial_clock.wall_ms())

    async def restore_server(self, copy: Path, death: Death) -> None:
        """Kill it, put the copy back as `coterie admin restore` does, and start it."""
        while not await self._killed(death):
            await self._clock.wait_until(self._clock.monotonic_seconds() + AGAIN_SECONDS)
        await put_back(copy, self.data, self._trial_clock.wall_ms())
        await self._start_server()

    async def _killed(self, death: Death) -> bool:
        """False where it is down already."""
        server, self._server = self._server, None
        if server is None:
            return False
        self.kills += 1
        await server.kill(death)
        self._proxy.target_port = 0
        self._proxy.cut()
        await server.gone()
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

    async def _start_server(self) -> str:
        server = await Child.start(
            self.server_log,
            "coterie.trials.soak.server",
            str(self.data),
            str(self._folder / "offset"),
            str(self._folder / "skew-server"),
            str(self._folder / "disk-server"),
        )
        invite = await server.first_line()
        self._proxy.target_port = urlsplit(invite).port or 0
        self._server = server
        return invite

    async def _start_worker(self, number: int) -> Child:
        return await Child.start(
            self._folder / f"worker-{number}.log",
            "coterie.trials.soak.worker",
            str(self._folder),
            self.invite,
            str(self._folder / "offset"),
            str(self._folder / f"skew-{number}"),
            str(self._folder / f"disk-{number}"),
        )
