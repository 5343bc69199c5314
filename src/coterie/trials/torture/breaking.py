"""Carries out the faults of a plan on a running torture: each kind is one step."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import assert_never

from coterie.base.clock import SystemClock
from coterie.base.ids import DeviceId
from coterie.trials.full_disk import Switch
from coterie.trials.shifted_clock import Skew
from coterie.trials.soak.crowd import CLAIMER
from coterie.trials.soak.speech import Close, Drain, Open, Revoke
from coterie.trials.soak.stage import Stage
from coterie.trials.soak.traffic import Traffic
from coterie.trials.torture.faults import Fault, Kind
from coterie.trials.torture.ground import Ground
from coterie.trials.torture.keeping import Keeper
from coterie.trials.torture.proxy import Proxy, Way
from coterie.trials.torture.servers import Servers

LATE_MAX_SECONDS = 0.4
SKEW_MAX_MS = 3_600_000
PIECES_MAX = 3
WELL_SECONDS = 45.0
COPY_SECONDS = 5.0
"""A copy of the server is that much older at least when it takes its place."""
TOLD_SECONDS = 10.0
"""So long after it has met the server, a copy is waited for to say that it is a device of its own."""
GIVEN_SECONDS = 30.0
"""So long it is waited for that everybody has again what one home said to a server that was restored."""


class Breaking:
    """play() beside the traffic. done: how often each kind was carried out; one that meets nothing to break
    is not counted."""

    def __init__(
        self,
        stage: Stage,
        traffic: Traffic,
        ground: Ground,
        servers: Servers,
        keeper: Keeper,
        proxy: Proxy,
        skews: Sequence[Skew],
        disks: Sequence[Switch],
        folder: Path,
    ) -> None:
        self._stage = stage
        self._traffic = traffic
        self._ground = ground
        self._servers = servers
        self._keeper = keeper
        self._proxy = proxy
        self._skews = skews
        self._disks = disks
        self._folder = folder
        self._clock = SystemClock()
        self._restored: set[int] = set()
        self._restores = 0
        """Copies made of the server, and put back: odd while one is to be put back."""
        self.done: dict[Kind, int] = dict.fromkeys(Kind, 0)

    async def play(self, faults: Sequence[Fault]) -> None:
        """Return when the last one is over."""
        began = self._clock.monotonic_seconds()
        async with asyncio.TaskGroup() as tasks:
            for fault in faults:
                await self._clock.wait_until(began + fault.due_seconds)
                tasks.create_task(self._break(fault))
        self._proxy.heal()

    async def _break(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL_SERVER:
                found = await self._servers.kill(fault.which, fault.death, fault.seconds)
            case Kind.KILL_CLIENT:
                number = fault.which % len(self._stage.workers)
                found = await self._keeper.kill_worker(number, fault.death, fault.seconds)
            case Kind.CUT | Kind.HALF_OPEN | Kind.DUPLICATE | Kind.REORDER | Kind.SLOW_READER:
                found = self._break_way(fault)
            case Kind.DELAY:
                found = self._delay(fault)
            case Kind.CLOCK:
                found = await self._skew(fault)
            case Kind.FULL_DISK:
                found = await self._fill(self._disks[fault.which % len(self._disks)], fault.seconds)
            case Kind.RESTORE_SERVER:
                found = await self._restore_server(fault)
            case Kind.KILL_DATABASE | Kind.KILL_STANDBY | Kind.KILL_BUS | Kind.SILENT_BUS:
                found = await self._ground.suffer(fault.kind, fault.seconds)
            case Kind.REVOKE:
                found = await self._revoke(fault.which)
            case Kind.RESTORE_CLIENT:
                found = await self._restore(fault)
            case _:
                assert_never(fault.kind)
        self.done[fault.kind] += found

    def _break_way(self, fault: Fault) -> bool:
        if not self._proxy.ways:
            return False
        if fault.kind is Kind.CUT and fault.which % 4 == 0:
            self._proxy.cut()
            return True
        way = self._proxy.ways[fault.which % len(self._proxy.ways)]
        self._spoil(way, fault)
        return True

    def _spoil(self, way: Way, fault: Fault) -> None:
        pieces = 1 + fault.which % PIECES_MAX
        if fault.kind is Kind.CUT:
            way.cut()
        elif fault.kind is Kind.HALF_OPEN:
            way.stalled = True
        elif fault.kind is Kind.DUPLICATE:
            way.doubles = pieces
        elif fault.kind is Kind.REORDER:
            way.exchanges = pieces
        else:
            way.slow_until = self._clock.monotonic_seconds() + fault.seconds

    def _delay(self, fault: Fault) -> bool:
        self._proxy.late_seconds = LATE_MAX_SECONDS * (fault.which % 100) / 100
        self._proxy.late_until = self._clock.monotonic_seconds() + fault.seconds
        return True

    async def _skew(self, fault: Fault) -> bool:
        """One process's wall clock jumps, and back."""
        skew = self._skews[fault.which % len(self._skews)]
        skew.set(fault.which % (2 * SKEW_MAX_MS) - SKEW_MAX_MS)
        await self._pause(fault.seconds)
        skew.set(0)
        return True

    async def _fill(self, disk: Switch, seconds: float) -> bool:
        disk.turn(on=True)
        await self._pause(seconds)
        disk.turn(on=False)
        return True

    async def _restore_server(self, fault: Fault) -> bool:
        """Once in a run: clients take a second restore within a day for an attack."""
        if self._restores:
            return False
        self._restores += 1
        copy = self._folder / "server.backup"
        await self._servers.copy(copy)
        await self._pause(COPY_SECONDS + fault.seconds)
        await self._servers.restore(copy, fault.death)
        self._restores += 1
        return True

    async def _revoke(self, which: int) -> bool:
        """A further device of an account, by its first one. Behind a restore that one first has what the
        other said, and can give it to whoever has not."""
        joined = self._stage.crowd.joined
        pairs = [
            (victim, first)
            for victim, first in sorted(self._traffic.first_of.items())
            if self._is_free(victim) and self._is_free(first)
        ]
        if not pairs:
            return False
        victim, first = pairs[which % len(pairs)]
        with self._traffic.held(victim):
            given = await self._given_again(victim, only=DeviceId(joined[first].device))
            if not given or not self._is_free(first):
                return False
        self._traffic.leave_out(victim)
        self._stage.order(Revoke(first, joined[victim].device))
        self._stage.crowd.left(victim, DeviceId(joined[victim].device))
        return True

    async def _restore(self, fault: Fault) -> bool:
        """A home is copied, goes on for a while, and then the copy takes its place. What a server and a home
        that were both put back have forgotten is nowhere: behind a restore everybody first has what this one
        said. And nobody can tell a copy whose original was never heard of after it was made, or that started
        more often since: the original is connected once more, and the copy not killed before it is."""
        joined = sorted(self._stage.crowd.joined.keys() - self._restored)
        free = [client for client in joined if self._is_free(client)]
        restores = self._restores
        if not free or restores % 2:
            return False
        client = free[fault.which % len(free)]
        self._restored.add(client)
        copy = self._folder / f"copy-{client}"
        with self._traffic.held(client):
            if not await self._given_again(client):
                return False
            marks = await self._copied(client, copy)
        await self._pause(fault.seconds)
        if self._restores != restores or not self._is_free(client):
            await asyncio.to_thread(shutil.rmtree, copy)
            return False
        with self._traffic.held(client), self._keeper.spared(client % len(self._stage.workers)):
            if not await self._given_again(client):
                await asyncio.to_thread(shutil.rmtree, copy)
                return False
            await self._put_back(client, copy, marks)
        return True

    async def _copied(self, client: int, copy: Path) -> dict[bytes, int]:
        """What of it was marked as read when its home was copied."""
        await self._closed(client)
        await asyncio.to_thread(shutil.copytree, self._folder / f"client-{client}", copy)
        marks = dict(self._stage.crowd.marks.get(client, {}))
        await self._opened(client)
        await self._drained(client, well_seconds=0.0)
        return marks

    async def _put_back(self, client: int, copy: Path, marks: dict[bytes, int]) -> None:
        await self._closed(client)
        await asyncio.to_thread(_replace, self._folder / f"client-{client}", copy)
        self._stage.crowd.marks[client] = marks
        self._stage.crowd.copies.add(client)
        before = self._stage.crowd.joined[client].device
        await self._opened(client)
        await self._drained(client, well_seconds=0.0)
        await self._stage.until(lambda: self._stage.crowd.joined[client].device != before, TOLD_SECONDS)

    async def _given_again(self, client: int, only: DeviceId | None = None) -> bool:
        """Behind a restore of the server: whether everybody, or only one device, has what this client said,
        after a while. Where nobody has it, nobody could give it again."""
        if not self._restores:
            return True
        await self._drained(client, well_seconds=WELL_SECONDS)
        device = DeviceId(self._stage.crowd.joined[client].device)
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVEN_SECONDS):
                return await self._until(lambda: not self._owed(device, only))
        return False

    def _owed(self, device: DeviceId, only: DeviceId | None) -> bool:
        """Whether somebody, or that one, has still to hear of what this device said."""
        owed = self._stage.crowd.ledger.owed_of(device)
        return any(only in (None, to) for to, _ in owed)

    async def _drained(self, client: int, *, well_seconds: float) -> None:
        """It has met the server and has what waited there; for so long the server gets what it has."""
        self._stage.order(Drain(client, well_seconds))
        await self._until(lambda: not self._stage.is_busy(client))

    def _is_free(self, client: int) -> bool:
        """Open, as far as is known, and in nobody's hands."""
        return client != CLAIMER and client in self._stage.open and self._traffic.is_free(client)

    async def _closed(self, client: int) -> None:
        self._stage.order(Close(client))
        await self._until(lambda: client not in self._stage.open and not self._stage.is_busy(client))

    async def _opened(self, client: int) -> None:
        self._stage.order(Open(client, self._stage.passphrase(client)))
        await self._until(lambda: not self._stage.is_busy(client))

    async def _until(self, done: Callable[[], bool]) -> bool:
        return await self._stage.until(done)

    async def _pause(self, seconds: float) -> None:
        await self._clock.wait_until(self._clock.monotonic_seconds() + seconds)


def _replace(home: Path, copy: Path) -> None:
    shutil.rmtree(home)
    copy.rename(home)
