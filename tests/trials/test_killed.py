"""Whether the trial of kill -9 sees what it is there to see."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from coterie.base.clock import SystemClock
from coterie.server.folder import database_of
from coterie.trials.coterie_site import CoterieSite
from coterie.trials.scale import TINY
from coterie.trials.server_killed import IN_FLIGHT, Count, killed
from coterie.trials.trial import Trial

pytestmark = pytest.mark.slow

LOST = IN_FLIGHT + 2
"""More than can be under way, so that some of them were acknowledged."""


def forget_the_newest(site: CoterieSite) -> None:
    """The first conversation, whose listener is away, is as if its last messages had not been written."""
    with closing(apsw.Connection(str(database_of(site.folders[0])))) as database, database:
        conversation, sender = database.execute(
            "SELECT conversation_no, device_no FROM log_entries ORDER BY no LIMIT 1"
        ).get
        newest = f"SELECT no FROM log_entries WHERE conversation_no = {conversation} ORDER BY no DESC"
        database.execute(f"DELETE FROM log_entries WHERE no IN ({newest} LIMIT {LOST})")
        no, seq, message = database.execute(
            f"SELECT no, seq, message FROM log_entries WHERE no IN ({newest} LIMIT 1)"
        ).get
        database.execute(
            "UPDATE conversations SET log_end = ?, last_no = ? WHERE no = ?", (seq, no, conversation)
        )
        database.execute(
            "UPDATE entitled SET last_message = ?, last_no = ? WHERE conversation_no = ? AND device_no = ?",
            (message, no, conversation, sender),
        )


@pytest.mark.asyncio
async def test_an_acknowledged_message_that_is_gone_is_counted(tmp_path: Path) -> None:
    scale = msgspec.structs.replace(TINY, killed_pairs=1, killed_messages=60)
    clock = SystemClock()
    site = CoterieSite("server", tmp_path, clock)
    count = await killed(Trial(tmp_path, scale, clock, 1), site, forget_the_newest)
    assert count.acknowledged >= 20
    assert 1 <= count.lost <= LOST
    assert count.twice == 0


@pytest.mark.asyncio
async def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    clock = SystemClock()
    site = CoterieSite("server", tmp_path, clock)
    count = await killed(Trial(tmp_path, TINY, clock, 1), site)
    assert count == Count(count.acknowledged, 0, 0)
    assert count.acknowledged >= 20
