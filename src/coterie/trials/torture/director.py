"""Runs a torture: servers, workers with clients, a bad network, traffic and faults, quiet, and the check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from coterie.trials.full_disk import Switch
from coterie.trials.shifted_clock import SharedOffset, ShiftedClock, Skew
from coterie.trials.soak.endgame import judged, settle
from coterie.trials.soak.figures import SoakResult
from coterie.trials.soak.plan import Plan
from coterie.trials.soak.stage import Stage
from coterie.trials.soak.traffic import Traffic
from coterie.trials.torture.breaking import Breaking
from coterie.trials.torture.cluster import OnCluster, OnPostgres
from coterie.trials.torture.faults import Fault, Kind, On
from coterie.trials.torture.ground import FileGround, Ground
from coterie.trials.torture.keeping import Keeper
from coterie.trials.torture.proxy import Proxy
from coterie.trials.torture.servers import Servers, server_names


class TortureSettings(msgspec.Struct, frozen=True):
    """seconds: of traffic and faults. clients: those there at first, each in a process of its own; whoever
    joins later shares one. on: what stands behind them."""

    seconds: float
    clients: int
    seed: int
    on: On = On.SQLITE


class TortureResult(msgspec.Struct, frozen=True):
    """broken: how often each kind of fault was carried out."""

    soak: SoakResult
    kills: int
    broken: dict[Kind, int]


class Torture:
    """run() once, in an empty folder. tell: sentences about how it goes."""

    def __init__(
        self, settings: TortureSettings, faults: Sequence[Fault], folder: Path, tell: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._folder = folder
        self._tell = tell
        self._stage = Stage()
        self._offset = SharedOffset.create(folder / "offset")
        self._ground = _ground(settings.on, folder)
        names, workers = server_names(self._ground.servers), [str(each) for each in range(settings.clients)]
        self._skews = tuple(Skew.create(folder / f"skew-{name}") for name in (*names, *workers))
        full = names if settings.on is On.SQLITE else ()
        of_servers = {name: Switch.create(folder / f"disk-{name}") for name in full}
        of_workers = [Switch.create(folder / f"disk-{name}") for name in workers]
        self._disks = (*of_servers.values(), *of_workers)
        self._proxy = Proxy()
        plan = Plan(settings.seed, settings.clients, settings.seconds)
        self._traffic = Traffic(self._stage, plan, settings.seconds, self._offset, tell)
        self._servers = Servers(folder, self._ground, self._proxy, ShiftedClock(self._offset), of_servers)
        self._keeper = Keeper(folder, self._stage, settings.clients)
        self._breaking = Breaking(
            self._stage,
            self._traffic,
            self._ground,
            self._servers,
            self._keeper,
            self._proxy,
            self._skews,
            self._disks,
            folder,
        )

    async def run(self) -> TortureResult:
        """Raises Unavailable where a process does not start, or dies by itself."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._ground.end)
            await self._ground.start()
            await self._with_servers()
            restored = self._breaking.done[Kind.RESTORE_SERVER] > 0
            written = None if restored else await self._ground.written()
            result = judged(self._stage, self._traffic, written, self._servers.logs)
            if not result.is_clean:
                await self._ground.keep(self._folder / "database")
        return TortureResult(result, self._kills, dict(self._breaking.done))

    @property
    def _kills(self) -> int:
        return self._keeper.kills + self._servers.kills + self._ground.kills

    async def _with_servers(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._offset.close)
            for skew in self._skews:
                stack.callback(skew.close)
            for disk in self._disks:
                stack.callback(disk.close)
            await self._proxy.start()
            stack.push_async_callback(self._proxy.close)
            stack.push_async_callback(self._servers.end)
            invite = await self._servers.start()
            stack.push_async_callback(self._keeper.end)
            await self._keeper.start(invite)
            async with asyncio.TaskGroup() as tasks:
                keeping = [tasks.create_task(self._keeper.keep()), tasks.create_task(self._servers.watch())]
                await self._traffic.arrive()
                await self._play()
                self._tell(f"settling: {self._traffic.totals()}, {self._kills} kills")
                await settle(self._stage, self._traffic)
                for task in keeping:
                    task.cancel()

    async def _play(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._breaking.play(self._faults))
            await self._traffic.play()


def _ground(on: On, folder: Path) -> Ground:
    if on is On.SQLITE:
        return FileGround(folder)
    return OnCluster() if on is On.CLUSTER else OnPostgres()
