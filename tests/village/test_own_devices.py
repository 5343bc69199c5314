"""A person manages own devices from one that is signed in: each change is one manifest (rules 2, 8 and 20)."""

from __future__ import annotations

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.client.api.me import Me
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def second_of(village: Village, me: Me, words: str | None, home: str = "second") -> Me:
    """Another machine of somebody, come in by the recovery key."""
    return await village.keep(
        await coterie.log_in(
            server=village.invite,
            name=me.name,
            password=PASSWORD,
            recovery_key=words,
            home=village.home(home),
            device_name=home,
            clock=village.clock,
        )
    )


def named(me: Me, device: DeviceId) -> coterie.Device:
    return next(each for each in me.devices() if each.id == device)


async def test_a_device_gets_another_name_everywhere(village: Village) -> None:
    alice = await village.person("alice")
    second = await second_of(village, alice, alice.recovery_key)
    await Heard(alice).until(lambda _: len(alice.devices()) == 2)
    await alice.rename_device(second.device, "kitchen", password=PASSWORD)
    assert named(alice, second.device).name == "kitchen"
    await Heard(second).until(lambda _: named(second, second.device).name == "kitchen")
    await second.rename_device(second.device, "cellar", password=PASSWORD)
    await Heard(alice).until(lambda _: named(alice, second.device).name == "cellar")
