"""Deaths at every moment while what is missing is asked for and comes again: an entry whose key was lost, and
what a restored server has forgotten (as in test_crash_points.py, with the same check after each)."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from coterie.base import limits
from coterie.server.copies import make_copy, put_back
from tests.ledger.accounts import NOW_MS
from tests.village.all_well import EVERYONE, Talk
from tests.village.dying import Prepared, Scenario, at_all_points, known_to_each_other, prepared
from tests.village.hamlet import PATIENCE_SECONDS, Hamlet, Person
from tests.village.quick_loop import run_quickly
from tests.village.test_crash_points import acquainted, waited

__all__ = ["acquainted", "waited"]

pytestmark = pytest.mark.slow

LOOKS_OFTEN_SECONDS = 0.05


async def undying_until_fetched(hamlet: Hamlet, person: Person) -> None:
    """Nobody dies before somebody has what they will have to ask for."""
    hamlet.points.closed = True
    for each in hamlet.there:
        await each.is_up()
    while not person.me._store.awaited():
        assert hamlet.clock.monotonic_seconds() < PATIENCE_SECONDS
        await hamlet.clock.wait(LOOKS_OFTEN_SECONDS)
    hamlet.points.closed = False


@pytest.fixture(scope="module")
def keyless(waited: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What bob has written to alice is there, and the server has lost the keys of it."""
    folder = tmp_path_factory.mktemp("keyless") / "v"
    shutil.copytree(waited.folder, folder)
    database = apsw.Connection(str(folder / "server" / "server.db"))
    database.execute("DELETE FROM mailbox_entries; UPDATE devices SET mailbox_end = mailbox_acked")
    database.close()
    return Prepared(folder, waited.people, waited.said)


def test_an_entry_without_its_key_comes_again(keyless: Prepared, tmp_path: Path) -> None:
    """Asked, answered, kept. Nobody dies before what waits for its key is there."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice = hamlet.people["alice"]
        await undying_until_fetched(hamlet, alice)

    assert at_all_points(Scenario(keyless, play, awake=False), tmp_path) > 20


@pytest.fixture(scope="module")
def restored(acquainted: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Alice has said something to everyone, and then carol came. Of both the server has forgotten; all others
    are closed."""
    folder = tmp_path_factory.mktemp("restored")
    copy = make_copy(acquainted.folder / "server", folder, NOW_MS).file

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        await talk.heard()
        await talk.says(hamlet.people["alice"], EVERYONE, "before carol")
        await talk.heard()
        await hamlet.signs_up("carol")
        await known_to_each_other(hamlet)
        await talk.heard()

    later = prepared(folder / "v", play, acquainted)
    run_quickly(put_back(copy, later.folder / "server", NOW_MS + limits.HOUR_MS))
    return later


def test_what_a_restored_server_gives_to_whom_it_is_not_for(restored: Prepared, tmp_path: Path) -> None:
    """Everybody comes back; what was forgotten is sent again, and carol is told that it is not for her.
    Nobody dies before she has it and no key of it."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        carol = hamlet.people["carol"]
        talk.came_later(carol)
        await undying_until_fetched(hamlet, carol)

    assert at_all_points(Scenario(restored, play, later_days=1, awake=False), tmp_path) > 20
