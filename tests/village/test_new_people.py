"""Somebody new, whom one device of an account knows of before another does."""

from __future__ import annotations

import pytest

import coterie
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from coterie.wire.frames import Accounts, MailboxEntries, ServerFrame
from tests.village.conftest import PATIENCE_SECONDS, Heard, Village, acquainted, knows

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def hold_accounts_until_mail(me: Me) -> None:
    """What the server says of accounts comes after the next envelope: as a slow answer may."""
    connection = me._runtime._connection
    assert connection is not None
    sink = connection._sink
    assert sink is not None
    held: list[ServerFrame] = []
    mail: list[ServerFrame] = []

    def in_another_order(frames: tuple[ServerFrame, ...]) -> None:
        for frame in frames:
            if isinstance(frame, Accounts) and not mail:
                held.append(frame)
                continue
            sink((frame,))
            if isinstance(frame, MailboxEntries) and held:
                mail.append(frame)
                while held:
                    sink((held.pop(0),))

    connection._sink = in_another_order


async def test_what_an_own_device_wrote_to_somebody_unknown_here_opens_once_they_are_known(
    village: Village,
) -> None:
    desk = await village.person("alice", passphrase=True)
    assert desk.passphrase is not None
    lap = await coterie.log_in(
        server=village.invite, name="alice", password=desk.passphrase, home=village.home("lap")
    )
    await village.keep(lap)
    await desk.send("everyone", "both are here")
    at_lap = Heard(lap)
    await lap.wait_drained(PATIENCE_SECONDS)
    hold_accounts_until_mail(lap)
    carol = await village.person("carol")
    await knows(desk, {carol.name})
    assert lap.person("carol") is None
    await desk.send("@carol", "welcome")
    await at_lap.until(lambda _: any(message.text == "welcome" for message in at_lap.messages()))
    (message,) = lap.history(lap.resolve("@carol"))
    assert (message.text, message.own) == ("welcome", True)
    await acquainted(carol, lap)
    await lap.send("@carol", "from the lap")
    assert [each.text for each in lap.history(lap.resolve("@carol"))] == ["welcome", "from the lap"]
    assert lap._store.setting(Setting.BROKEN_COUNT) is None
    assert lap._store.waiting() == []
