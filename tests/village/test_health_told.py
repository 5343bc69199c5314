"""The server is told how many messages cannot be read by those who want it told, and of nobody else."""

from __future__ import annotations

from pathlib import Path

from coterie.base import limits
from coterie.client.shapes import Unreadable
from coterie.client.signing_in import save
from coterie.client.store.records import PutSetting, Setting
from coterie.server.exposition import written
from tests.server.prometheus import Scrape
from tests.village.all_well import Talk
from tests.village.dying import prepared
from tests.village.hamlet import Hamlet

A_PING_SECONDS = 2 * limits.ANSWER_SECONDS + 1


async def figures(hamlet: Hamlet) -> tuple[float, float, float]:
    """After the next ping: devices that tell, what they cannot read now, what they could not, ever."""
    await hamlet.clock.wait(A_PING_SECONDS)
    page = Scrape(written(hamlet.metrics.figures()))
    return (
        page["coterie_devices_telling"],
        page["coterie_undecryptable_now"],
        page["coterie_undecryptable_ever"],
    )


def test_only_who_wants_it_tells_and_no_longer_than_that(tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        alice, bob = [await talk.hamlet.signs_up(name) for name in ("alice", "bob")]
        for person, count in ((alice, 3), (bob, 4)):
            save(person.me._store, (PutSetting(Setting.UNDECRYPTABLE_COUNT, bytes([count])),))
        assert await figures(talk.hamlet) == (0, 0, 0)
        await alice.me.tell_server(wanted=True)
        assert alice.me.health().told
        assert alice.me.unreadable() == Unreadable(now=0, ever=3, told=True)
        assert not bob.me.health().told
        assert await figures(talk.hamlet) == (1, 0, 3)
        save(alice.me._store, (PutSetting(Setting.UNDECRYPTABLE_COUNT, bytes([5])),))
        await bob.me.tell_server(wanted=True)
        assert await figures(talk.hamlet) == (2, 0, 9)
        await alice.me.tell_server(wanted=False)
        save(alice.me._store, (PutSetting(Setting.UNDECRYPTABLE_COUNT, bytes([6])),))
        assert await figures(talk.hamlet) == (2, 0, 9), "it is told nothing more"
        await alice.leaves()
        assert await figures(talk.hamlet) == (1, 0, 4)

    prepared(tmp_path / "v", play)
