"""Two devices of one account that have much to say at once, and no session with each other yet."""

from __future__ import annotations

import pytest

from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from tests.village.conftest import Village, acquainted
from tests.village.test_own_devices import second_of, sees

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

FRIENDS = ("bob", "carol", "dave", "erin", "frank")


async def test_devices_that_wrote_to_many_while_the_server_was_away_begin_a_session_each_at_most(
    village: Village,
) -> None:
    """Each conversation claims the other device's keys for itself. Sessions without end would push out those
    on which something is under way (rule 11)."""
    friends = [await village.person(name) for name in FRIENDS]
    desk = await village.person("alice")
    lap = await second_of(village, desk, desk.recovery_key, "lap")
    both = (desk, lap)
    await sees(desk, lambda me: len(me.devices()) == 2)
    await acquainted(desk, lap, *friends)
    port = village.port
    await village.stop()
    for me in both:
        for friend in friends:
            await me.post("@" + friend.name, f"from {me.device.hex()}")
    await village.start(port)
    for me in both:
        await sees(me, lambda me: all(_texts(me, friend) == _said(both) for friend in friends))
    for me, other in ((desk, lap), (lap, desk)):
        assert len(me._store.olm_sessions(other.device)) <= 2
        assert me._store.setting(Setting.BROKEN_COUNT) is None
        assert me._store.waiting() == []


def _texts(me: Me, friend: Me) -> set[str]:
    return {message.text for message in me.history(me.resolve("@" + friend.name))}


def _said(both: tuple[Me, Me]) -> set[str]:
    return {f"from {me.device.hex()}" for me in both}
