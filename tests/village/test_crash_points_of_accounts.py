"""Deaths at every moment over an account: a device is approved, emoji are compared, an account ends, a name
begins anew (as in test_crash_points.py, with the same check after each)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import coterie
from coterie.base.codes import Code
from coterie.client.api.me import Me
from tests.village.all_well import Talk
from tests.village.conftest import PASSWORD
from tests.village.dying import Prepared, Scenario, at_all_points
from tests.village.hamlet import LOOKS_EVERY_SECONDS, PATIENCE_SECONDS, Hamlet
from tests.village.test_crash_points import _not_two_devices, acquainted, house

__all__ = ["acquainted", "house"]

pytestmark = pytest.mark.slow

LOOKED_FOR_SECONDS = 20.0


async def patiently(hamlet: Hamlet, act: Callable[[], Awaitable[None]]) -> None:
    """Again, where the other side was gone: its program has died, or this one's has."""
    give_up_at = hamlet.clock.monotonic_seconds() + PATIENCE_SECONDS
    while hamlet.clock.monotonic_seconds() < give_up_at:
        try:
            return await act()
        except coterie.Unavailable:
            pass
        except coterie.Refused as refused:
            assert refused.code is Code.NOT_APPROVED
        await hamlet.clock.wait(LOOKS_EVERY_SECONDS)
    raise AssertionError("nothing came of it")


class Screens:
    """What both machines show to the person who compares them."""

    def __init__(self, hamlet: Hamlet) -> None:
        self._hamlet = hamlet
        self.new: tuple[coterie.Emoji, ...] = ()

    async def asks(self, home: Path) -> Me:
        """The new machine's side."""
        self.new = ()
        async with await coterie.ask_approval(
            server=self._hamlet.invite,
            name="alice",
            password=PASSWORD,
            home=home,
            device_name="phone",
            clock=self._hamlet.clock,
        ) as asking:
            self.new = await asking.answered()
            return await asking.join()

    async def admits(self, me: Me) -> None:
        """The other one's: nobody agrees to what the new one does not show."""
        async with me.joiners() as joiners:
            joiner = await joiners.next(LOOKED_FOR_SECONDS)
            shown = await joiner.compare()
            if shown == self.new:
                await joiner.approve(password=PASSWORD)


def test_a_device_is_approved(acquainted: Prepared, tmp_path: Path) -> None:
    """By emoji. Whoever dies over it, the person begins again, until there is one more device."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice, phone, screens = hamlet.people["alice"], hamlet.person("phone", "alice"), Screens(hamlet)
        phone.away = True

        def is_in(me: Me) -> bool:
            return len([each for each in me.devices() if not each.revoked]) == 2

        async def admits() -> None:
            await alice.does(screens.admits, is_in)
            if not is_in(alice.me):
                raise coterie.Unavailable(Code.NOT_APPROVED)

        admitting = asyncio.create_task(patiently(hamlet, admits))  # noqa: TID251 - awaited below
        await patiently(hamlet, lambda: phone.is_up(screens.asks))
        await admitting
        phone.away = False
        await hamlet.until(lambda: _not_two_devices(phone))

    assert at_all_points(Scenario(acquainted, play), tmp_path) > 40
