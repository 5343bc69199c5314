"""Deaths at every moment over an account: a device is approved, emoji are compared, an account ends, a name
begins anew (as in test_crash_points.py, with the same check after each)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import coterie
from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import UserName
from coterie.client.api.me import Me
from coterie.client.shapes import Comparison, ComparisonStep
from coterie.client.store.records import NEVER_MS
from coterie.server.reset_codes import make_reset_code
from tests.ledger.accounts import NOW_MS
from tests.village.all_well import Talk
from tests.village.conftest import PASSWORD
from tests.village.dying import Prepared, Scenario, at_all_points
from tests.village.hamlet import LOOKS_EVERY_SECONDS, PATIENCE_SECONDS, Hamlet, Person
from tests.village.quick_loop import run_quickly
from tests.village.test_crash_points import _not_two_devices, acquainted, house, opens

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
        hamlet.points.closed = True
        phone.away = False
        await hamlet.until(lambda: _not_two_devices(phone))

    assert at_all_points(Scenario(acquainted, play), tmp_path) > 40


class Pair:
    """Two people with their screens side by side, of whom each does what is next on their own."""

    def __init__(self, talk: Talk, first: str, second: str) -> None:
        self._hamlet = talk.hamlet
        self._both = (talk.hamlet.people[first], talk.hamlet.people[second])

    async def compares(self) -> None:
        give_up_at = self._hamlet.clock.monotonic_seconds() + PATIENCE_SECONDS
        while not all(each.is_there and self._done(each.me) for each in self._both):
            assert self._hamlet.clock.monotonic_seconds() < give_up_at
            for each in self._both:
                await each.does(self._next)
            await self._hamlet.clock.wait(LOOKS_EVERY_SECONDS)

    def _done(self, me: Me) -> bool:
        other = me.person(self._other(me).account)
        return other is not None and other.verified and me.comparison(other.name) is None

    def _other(self, me: Me) -> Person:
        return next(each for each in self._both if each.account != me.name)

    async def _next(self, me: Me) -> None:
        other = self._other(me)
        mine = me.comparison(other.account)
        theirs = other.me.comparison(me.name) if other.is_there else None
        invited = mine is not None and mine.step is ComparisonStep.INVITED
        if invited or (mine is None and not self._done(me)):
            await me.verify(other.account)
        elif mine is not None and mine.step is ComparisonStep.COMPARING and mine.emoji == _emoji(theirs):
            await me.emoji_match(other.account)


def _emoji(seen: Comparison | None) -> tuple[coterie.Emoji, ...]:
    return seen.emoji if seen is not None else ()


def test_two_people_compare_emoji(acquainted: Prepared, tmp_path: Path) -> None:
    """Who died over it begins again, until each has verified the other, and nobody has said so unseen."""

    async def play(talk: Talk) -> None:
        await Pair(talk, "alice", "bob").compares()
        talk.hamlet.points.closed = True

    assert at_all_points(Scenario(acquainted, play), tmp_path) > 30


def test_an_account_ends(house: Prepared, tmp_path: Path) -> None:
    """Whoever dies over it, it ends once, and the others know."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        bob = hamlet.people["bob"]
        bob.away = True
        talk.forget(bob)
        await bob.does(lambda me: me.delete_account(password=PASSWORD))
        await hamlet.until(lambda: [each.name for each in hamlet.there if not _bob_is_gone(each.me)])

    assert at_all_points(Scenario(house, play), tmp_path) > 20


def _bob_is_gone(me: Me) -> bool:
    bob = me.person("bob")
    return bob is not None and bob.deleted


@dataclass(frozen=True)
class Lost:
    """A village of which somebody has lost everything, and the operator's word that they may begin anew."""

    village: Prepared
    code: str


@pytest.fixture(scope="module")
def lost(acquainted: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Lost:
    folder = tmp_path_factory.mktemp("lost") / "v"
    shutil.copytree(acquainted.folder, folder)
    made = make_reset_code(folder / "server" / "server.db", UserName("bob"), NOW_MS + limits.HOUR_MS)
    return Lost(Prepared(folder, acquainted.people, ()), run_quickly(made).words)


async def begin_anew(hamlet: Hamlet, home: Path, code: str) -> Me:
    return await coterie.sign_up(
        server=hamlet.invite, name="bob", password=PASSWORD, home=home, reset_code=code, clock=hamlet.clock
    )


def test_a_name_begins_anew(lost: Lost, tmp_path: Path) -> None:
    """Whoever dies over it, on either day: it is one account in the end, and whom others take for it."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice, before, anew = hamlet.people["alice"], hamlet.people["bob"], hamlet.person("anew", "bob")
        talk.forget(before)
        hamlet.points.closed = True
        await before.leaves()
        hamlet.points.closed = False
        anew.away = True
        await anew.is_up(lambda home: begin_anew(hamlet, home, lost.code))
        anew.away = False
        await hamlet.until(lambda: [] if _begins_anew(alice.me) else ["nobody has told alice"])
        hamlet.clock.pass_ms(limits.DAY_MS + limits.HOUR_MS)
        await hamlet.until(lambda: [] if alice.me.identity_change("bob") else ["it is who it was"])
        await alice.does(lambda me: me.accept_identity("bob"), lambda me: me.identity_change("bob") is None)

    assert at_all_points(Scenario(lost.village, play), tmp_path) > 40


def _begins_anew(me: Me) -> bool:
    """Whether somebody has another identity that counts later."""
    return any(0 < row.from_ms < NEVER_MS for row in me._core.people.rows.values())


def test_the_identity_before_says_no(lost: Lost, tmp_path: Path) -> None:
    """Somebody has the operator's word and is not bob. Whoever dies over bob's no, he stays who he is."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice, bob, other = hamlet.people["alice"], hamlet.people["bob"], hamlet.person("other", "bob")
        other.away = True
        talk.forget(other)
        hamlet.points.closed = True
        await other.is_up(lambda home: begin_anew(hamlet, home, lost.code))
        await other.leaves()
        hamlet.points.closed = False
        await hamlet.until(lambda: [] if bob.me.reset_at_ms else ["nobody has told bob"])
        await bob.does(lambda me: me.keep_name(PASSWORD), lambda me: me.reset_at_ms is None)
        hamlet.clock.pass_ms(limits.DAY_MS + limits.HOUR_MS)
        await hamlet.until(lambda: ["somebody begins anew"] if _begins_anew(alice.me) else [])

    assert at_all_points(Scenario(lost.village, play), tmp_path) > 15


def test_an_account_goes_on_under_another_identity(house: Prepared, tmp_path: Path) -> None:
    """Whoever dies over it: both devices end up in one account, opened by the new password alone where it was
    given, and people take it for who it was."""
    new = "harbour-lantern-wool-31"

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice, phone, bob = [hamlet.people[name] for name in ("alice", "phone", "bob")]
        before, said = alice.me.account, [each.text for each in talk.typed]
        talk.leave_behind()
        alice.passwords = (new, PASSWORD)

        async def change(me: Me) -> None:
            await me.wait_live(PATIENCE_SECONDS)
            await me._wait(me._doors_settled, PATIENCE_SECONDS)
            if me.account == before:
                await me.replace_identity(PASSWORD, new)

        await alice.does(
            change, lambda me: me.account != before and opens(me, new) and not opens(me, PASSWORD)
        )
        await hamlet.until(lambda: [] if phone.me.account == alice.me.account else ["the phone is behind"])
        await hamlet.until(lambda: [] if bob.me.identity_change("alice") else ["bob does not know"])
        hamlet.points.closed = True
        await bob.does(lambda me: me.accept_identity("alice"))
        assert opens(alice.me, new)
        assert not opens(alice.me, PASSWORD)
        for person in (alice, phone, bob):
            assert [len(person.me.search(text)) for text in said] == [1] * len(said)

    assert at_all_points(Scenario(house, play), tmp_path) > 20
