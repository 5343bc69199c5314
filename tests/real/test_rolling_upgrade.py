"""Two servers of one database are brought to a newer version one after the other, while people talk.

`make rolling` plays it for longer, and then holds the gaps to their limit; here a machine may be busy.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from coterie.base.invite import parse_invite
from coterie.server.store import steps
from tests.real.programs import Server
from tests.real.rolling import CLOCK, Crowd, crowd

pytestmark = pytest.mark.slow

PAIRS = 12
PER_SECOND = 120.0
SECONDS = float(os.environ.get("COTERIE_ROLLING_SECONDS", "0"))
"""Before, between and after the two restarts; 0: as soon as each server is there again."""
GAP_SECONDS = 2.0
DRAIN_SECONDS = 60.0
PROGRAM = Path(__file__).with_name("newer_program.py")
HERE = steps.schema_of(steps.known_steps("pg"))
EXPAND = f"""-- beside: {HERE}
ALTER TABLE log_entries ADD COLUMN later BIGINT DEFAULT 5;
CREATE INDEX later ON log_entries (later);
CREATE TABLE later_still (no BIGINT PRIMARY KEY);
"""


@pytest.fixture
def newer(tmp_path: Path) -> tuple[str, ...]:
    """The command of a version with one step more."""
    folder = tmp_path / "schema"
    shutil.copytree(Path(str(steps.SCHEMA)), folder)
    (folder / f"{HERE + 1:03}.pg.sql").write_text(EXPAND, encoding="utf-8")
    return (sys.executable, str(PROGRAM), str(folder))


@pytest.fixture
def servers(tmp_path: Path, postgres_database: str) -> Iterator[tuple[Server, Server]]:
    pair = (Server(tmp_path / "one"), Server(tmp_path / "other"))
    for server in pair:
        server.start("--database", postgres_database)
    yield pair
    for server in pair:
        server.stop()


@pytest.mark.asyncio
@pytest.mark.timeout(120 + 4 * SECONDS)
async def test_a_rolling_restart_with_a_step_between_loses_nothing_and_refuses_nobody(
    servers: tuple[Server, Server], newer: tuple[str, ...], postgres_database: str
) -> None:
    places = [parse_invite(server.invite) for server in servers]
    async with crowd(places, PAIRS) as people:
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(people.speak(PER_SECOND, done))
            for server in servers:
                await everybody_speaks(people)
                assert await asyncio.to_thread(server.stop) == 0
                server.command = newer
                await asyncio.to_thread(server.start, "--database", postgres_database)
                if server is servers[0]:
                    await killed(servers[1], postgres_database)
            await everybody_speaks(people)
            done.set()
        await people.drain(DRAIN_SECONDS)
        gaps = [round(speaker.longest_gap_seconds, 2) for speaker in people.speakers]
        print(f"{sum(each.acknowledged for each in people.speakers)} messages; longest gaps, in s: {gaps}")
        for speaker, hearer in zip(people.speakers, people.hearers, strict=True):
            assert (speaker.waits, speaker.misplaced, speaker.refusals) == (0, 0, {})
            assert (hearer.count, hearer.lost, hearer.doubled) == (speaker.acknowledged, 0, 0)
        assert all(device.connections > 1 for device in people.devices), "each was moved once at least"
        assert max(gaps) <= (GAP_SECONDS if SECONDS else DRAIN_SECONDS)
    assert await applied(postgres_database) == [*range(1, HERE + 1), HERE + 1]
    for server in servers:
        assert not [line for line in server.log.read_text().splitlines() if '"error"' in line]


async def killed(older: Server, url: str) -> None:
    """An older one that dies beside the step comes back as it was."""
    await asyncio.to_thread(older.kill)
    await asyncio.to_thread(older.start, "--database", url)


async def everybody_speaks(people: Crowd) -> None:
    """Each has some more acknowledged, and so many seconds have passed."""
    until = CLOCK.monotonic_seconds() + SECONDS
    wanted = [speaker.acknowledged + 5 for speaker in people.speakers]
    async with asyncio.timeout(DRAIN_SECONDS + SECONDS):
        while any(speaker.acknowledged < more for speaker, more in zip(people.speakers, wanted, strict=True)):
            await CLOCK.wait_until(CLOCK.monotonic_seconds() + 0.05)
        await CLOCK.wait_until(until)


async def applied(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch("SELECT number FROM migrations ORDER BY number")]
    finally:
        await connection.close()
