"""Deaths at every moment while what is missing is asked for and comes again: an entry whose key was lost, and
what a restored server has forgotten (as in test_crash_points.py, with the same check after each)."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from coterie.client.core.repair_asking import KEY_WAIT_MS
from tests.village.all_well import Talk
from tests.village.dying import Prepared, Scenario, at_all_points
from tests.village.test_crash_points import acquainted, waited

__all__ = ["acquainted", "waited"]

pytestmark = pytest.mark.slow

JUST_BEFORE_MS = 2500


@pytest.fixture(scope="module")
def keyless(waited: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What bob has written to alice is there, and the server has lost the keys of it."""
    folder = tmp_path_factory.mktemp("keyless") / "v"
    shutil.copytree(waited.folder, folder)
    database = apsw.Connection(str(folder / "server" / "server.db"))
    database.execute("DELETE FROM mailbox_entries")
    database.close()
    return Prepared(folder, waited.people, waited.said)


def test_an_entry_without_its_key_comes_again(keyless: Prepared, tmp_path: Path) -> None:
    """Asked, answered, kept. Nobody dies in the minute for which a key may still come."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice = hamlet.people["alice"]

        def unasked() -> list[str]:
            waits = [row.since_ms for row in alice.me._store.awaited() if not row.asked]
            is_time = len(waits) == 3 and hamlet.clock.wall_ms() > min(waits) + KEY_WAIT_MS - JUST_BEFORE_MS
            return [] if is_time else [f"{len(waits)} wait for their keys"]

        hamlet.points.closed = True
        await hamlet.until(unasked)
        hamlet.points.closed = False

    assert at_all_points(Scenario(keyless, play, awake=False), tmp_path) > 20
