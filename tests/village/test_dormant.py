"""A device that comes back after more than a month: no count is wrong, and nothing is refused (rule 3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import pytest

import coterie
from coterie.client.api.me import Me
from coterie.wire.frames import Ready, ServerFrame
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted
from tests.village.liar import Liar, Said
from tests.village.test_away_for_long import all_opened, texts_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def three(village: Village) -> tuple[Me, Me, Me]:
    """Alice and carol have spoken to all; bob has heard both."""
    alice, bob, carol = [await village.person(name) for name in ("alice", "bob", "carol")]
    await acquainted(alice, bob, carol)
    ears = Heard(bob)
    for me in (alice, carol):
        await me.send("everyone", f"from {me.name}")
    await ears.texts(2)
    return alice, bob, carol


def missing(ears: Heard) -> list[tuple[str, int]]:
    return [(each.name, each.count) for each in ears.events if isinstance(each, coterie.MessagesMissing)]


async def opened(village: Village, name: str) -> tuple[Me, Heard]:
    """Somebody opens a profile, and listens from the first moment on."""
    me = await coterie.open(village.home(name), password=PASSWORD, clock=village.clock)
    ears = Heard(me)
    await village.keep(me)
    return me, ears


async def test_what_was_said_while_a_device_was_dormant_is_not_missing(village: Village) -> None:
    """Nor is anything later, also where others name what they had."""
    alice, bob, carol = await three(village)
    await bob.close()
    await alice.send("everyone", "while bob is entitled")
    for me in (alice, carol):
        await me.close()
    village.clock.pass_days(31)
    alice, carol = await village.back("alice"), await village.back("carol")
    for n in range(3):
        await alice.send("everyone", f"while bob is dormant {n}")
    bob, ears = await opened(village, "bob")
    await bob.wait_drained(PATIENCE_SECONDS)
    await carol.send("everyone", "carol had them")
    await ears.until(lambda _: texts_of(bob, "everyone")[-1:] == ["carol had them"])
    await alice.send("everyone", "welcome back")
    await ears.until(lambda _: texts_of(bob, "everyone")[-1:] == ["welcome back"])
    await bob.close()
    assert missing(ears) == []
    bob, ears = await opened(village, "bob")
    await bob.wait_drained(PATIENCE_SECONDS)
    await alice.send("everyone", "as ever")
    await ears.until(lambda _: texts_of(bob, "everyone")[-1:] == ["as ever"])
    assert missing(ears) == []
    assert all_opened(bob)


async def test_somebody_speaks_before_the_new_key_is_there(
    village: Village, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server has said where the logs end, and does not have bob's new key yet: what is said then is not
    for him, and what comes after it is not refused as one that skips something."""
    alice, bob, carol = await three(village)
    await bob.close()
    village.clock.pass_days(31)
    liar = Liar(monkeypatch)
    liar.victim = bob.account
    held: list[Ready] = []

    def hold(frame: ServerFrame) -> Iterable[Said]:
        if isinstance(frame, Ready):
            held.append(frame)
            return ()
        return (frame,)

    liar.lie = hold
    bob = await coterie.open(village.home("bob"), password=PASSWORD, clock=village.clock)
    ears = Heard(bob)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not held:
            await asyncio.sleep(0)
    liar.lie = None
    await alice.send("everyone", "not for bob")
    with caplog.at_level(logging.WARNING):
        for connection in liar.open:
            who = connection.caller.signed_in
            if who is not None and who.account == bob.account:
                connection.queue(held)
                connection.flush()
        await village.keep(bob)
        await bob.wait_drained(PATIENCE_SECONDS)
        for me in (carol, alice):
            await me.send("everyone", f"for bob, from {me.name}")
        await ears.until(lambda _: len(texts_of(bob, "everyone")) == 4)
    assert texts_of(bob, "everyone")[2:] == ["for bob, from carol", "for bob, from alice"]
    assert missing(ears) == []
    assert "gap" not in caplog.text
    assert liar.signed_in == 2, "one Ready, held and said again: there was one connection"
    assert all_opened(bob)
