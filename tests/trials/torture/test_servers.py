"""A server of a torture that cannot start for want of room is started again; one without an excuse is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.base.errors import Unavailable
from coterie.trials.deaths import Death
from coterie.trials.full_disk import Switch
from coterie.trials.shifted_clock import SharedOffset, ShiftedClock, Skew
from coterie.trials.soak.figures import logged_errors
from coterie.trials.torture.ground import FileGround
from coterie.trials.torture.proxy import Proxy
from coterie.trials.torture.servers import Servers

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

LOOK_SECONDS = 0.05


@asynccontextmanager
async def started(folder: Path, disks: dict[str, Switch]) -> AsyncIterator[Servers]:
    """One server behind its proxy; disks are those that the trial knows of."""
    offset = SharedOffset.create(folder / "offset")
    skew = Skew.create(folder / "skew-server")
    proxy = Proxy()
    servers = Servers(folder, FileGround(folder), proxy, ShiftedClock(offset), disks)
    await proxy.start()
    try:
        await servers.start()
        yield servers
    finally:
        await servers.end()
        await proxy.close()
        skew.close()
        offset.close()


async def test_one_that_found_no_room_is_started_again_when_there_is_some(tmp_path: Path) -> None:
    disk = Switch.create(tmp_path / "disk-server")
    async with started(tmp_path, {"server": disk}) as servers:
        await servers.copy(tmp_path / "copy")
        disk.turn(on=True)
        async with asyncio.TaskGroup() as tasks:
            restoring = tasks.create_task(servers.restore(tmp_path / "copy", Death.ANYWHERE))
            clock = SystemClock()
            while "no space is left" not in servers.logs[0].read_text():
                assert not restoring.done()
                await clock.wait_until(clock.monotonic_seconds() + LOOK_SECONDS)
            disk.turn(on=False)
        assert "a new ledger begins" in servers.logs[0].read_text()
        assert logged_errors(servers.logs[0]) == ()
    disk.close()


async def test_one_that_ends_without_a_fault_of_the_trial_is_not(tmp_path: Path) -> None:
    """As far as the trial knows its disk has room."""
    disk = Switch.create(tmp_path / "disk-server")
    async with started(tmp_path, {}) as servers:
        await servers.copy(tmp_path / "copy")
        disk.turn(on=True)
        with pytest.raises(Unavailable):
            await servers.restore(tmp_path / "copy", Death.ANYWHERE)
    disk.close()
