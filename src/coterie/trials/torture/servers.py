"""The servers of a torture: real processes behind the proxy, killed and started again on the same data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.copies import make_copy, put_back
from coterie.trials.deaths import Death
from coterie.trials.full_disk import Switch
from coterie.trials.soak.processes import Child
from coterie.trials.torture.ground import Ground
from coterie.trials.torture.proxy import HOST, Proxy

AGAIN_SECONDS = 0.1
STARTS = 60
"""A server that does not get ready, since its database is away or its disk full, is started again as often,
as by a system that keeps it up."""


def server_names(count: int) -> tuple[str, ...]:
    """Of their folders and files."""
    return ("server",) if count == 1 else tuple(f"server-{number}" for number in range(count))


class Servers:
    """start(), any faults, end(). disks: of the servers, by their names, where they can be full. kills: how
    many were killed."""

    def __init__(
        self, folder: Path, ground: Ground, proxy: Proxy, trial_clock: Clock, disks: Mapping[str, Switch]
    ) -> None:
        self._folder = folder
        self._disks = disks
        self._ground = ground
        self._proxy = proxy
        self._trial_clock = trial_clock
        self._clock = SystemClock()
        self._names = server_names(ground.servers)
        self._running: dict[str, tuple[Child, int]] = {}
        """Name -> process, port."""
        self.kills = 0

    @property
    def logs(self) -> tuple[Path, ...]:
        return tuple(self._log(name) for name in self._names)

    async def start(self) -> str:
        """The invite, by way of the proxy. Raises Unavailable where one does not get ready."""
        invites = [await self._start(name) for name in self._names]
        return f"coterie://{HOST}:{self._proxy.port}/#{urlsplit(invites[0]).fragment}"

    async def end(self) -> None:
        """In order."""
        for server, _ in self._running.values():
            await server.terminate()

    async def watch(self) -> None:
        """Until cancelled. Raises Unavailable where one ends that nobody has killed."""
        while True:
            await self._clock.wait_until(self._clock.monotonic_seconds() + AGAIN_SECONDS)
            for server, _ in self._running.values():
                if server.has_ended:
                    raise Unavailable(Code.MISSING_PART, f"a server has ended: {server.path} says why")

    async def kill(self, which: int, death: Death, down_seconds: float) -> bool:
        """Return when it accepts connections again. False where it is down already."""
        name = self._names[which % len(self._names)]
        if not await self._killed(name, death):
            return False
        await self._clock.wait_until(self._clock.monotonic_seconds() + down_seconds)
        await self._start(name)
        return True

    async def copy(self, copy: Path) -> None:
        """The only one, as `coterie admin backup` does it while it runs."""
        await asyncio.to_thread(make_copy, self._data(self._names[0]), copy, self._trial_clock.wall_ms())

    async def restore(self, copy: Path, death: Death) -> None:
        """Kill it, put the copy back as `coterie admin restore` does, and start it."""
        name = self._names[0]
        while not await self._killed(name, death):
            await self._clock.wait_until(self._clock.monotonic_seconds() + AGAIN_SECONDS)
        await put_back(copy, self._data(name), self._trial_clock.wall_ms())
        await self._start(name)

    async def _killed(self, name: str, death: Death) -> bool:
        """False where it is down already."""
        server, port = self._running.pop(name, (None, 0))
        if server is None:
            return False
        self.kills += 1
        await server.kill(death)
        self._proxy.targets.remove(port)
        self._proxy.cut(port)
        await server.gone()
        return True

    async def _start(self, name: str) -> str:
        for left in reversed(range(STARTS)):
            excused = self._is_excused(name)
            server = await self._begun(name)
            try:
                invite = await server.first_line()
            except Unavailable:
                await server.gone()
                if not (left and (excused or self._is_excused(name))):
                    raise
                await self._clock.wait_until(self._clock.monotonic_seconds() + AGAIN_SECONDS)
            else:
                port = urlsplit(invite).port or 0
                self._proxy.targets.append(port)
                self._running[name] = (server, port)
                return invite
        raise Unavailable(Code.MISSING_PART, f"a server does not get ready: {self._log(name)}")

    def _is_excused(self, name: str) -> bool:
        """Whether a fault of the trial may keep it from getting ready now."""
        disk = self._disks.get(name)
        return bool(self._ground.database) or (disk is not None and disk.is_on)

    async def _begun(self, name: str) -> Child:
        ground, has_file = self._ground, not self._ground.database
        return await Child.start(
            self._log(name),
            "coterie.trials.soak.server",
            str(self._data(name)),
            str(self._folder / "offset"),
            str(self._folder / f"skew-{name}"),
            str(self._folder / f"disk-{name}") if has_file else "",
            ground.database,
            ground.wakeups,
        )

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _data(self, name: str) -> Path:
        return self._folder / name
