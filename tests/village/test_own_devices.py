"""A person manages own devices from one that is signed in: each change is one manifest (rules 2, 8 and 20)."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.client.api.account_key import AccountKey, key_of
from coterie.client.api.me import Me
from coterie.client.changes import RenameDevice
from coterie.e2ee.identity import AccountSecret
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


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes and tells any number of manifests, and signs a head over each at once."""
    monkeypatch.setattr(limits, "MANIFESTS_PER_DAY", 100_000)
    monkeypatch.setattr(limits, "MANIFEST_TRIES_PER_SECOND", 1000.0)
    monkeypatch.setattr(limits, "FETCHES_PER_SECOND", 10_000.0)
    monkeypatch.setattr(limits, "EPOCH_SECONDS", 0.001)


RACES = 500
"""Of two devices each, so a thousand manifests."""


class Held(AccountKey, frozen=True):
    """The account's keys, opened once for all: to open them takes 0.1 s."""

    opened: AccountSecret

    def secret(self) -> AccountSecret:
        return self.opened


async def held(me: Me) -> Held:
    key = await key_of(me._store, me._place, me.account, PASSWORD, None)
    return Held(key.account, key.vault, key.kind, key.wrap, key.secret())


@pytest.mark.timeout(400)
async def test_two_devices_sign_at_once_a_thousand_times(unhurried: None, village: Village) -> None:
    """One chain, no alarm, nothing stuck: both sign the same number each time, one of them again."""
    alice = await village.person("alice")
    second = await second_of(village, alice, alice.recovery_key)
    await Heard(alice).until(lambda _: len(alice.devices()) == 2)
    both, keys = (alice, second), [await held(alice), await held(second)]
    ears = [Heard(me) for me in both]
    for number in range(RACES):
        async with asyncio.TaskGroup() as tasks:
            for me, key in zip(both, keys, strict=True):
                tasks.create_task(me.change_account((RenameDevice(me.device, f"{number}"),), key))
    for me, heard in zip(both, ears, strict=True):
        row = me._store.account(me.account)
        assert row is not None
        assert row.seq == 2 + 2 * RACES
        assert {each.name for each in me.devices()} == {f"{RACES - 1}"}
        assert [each for each in heard.events if isinstance(each, coterie.LinkChanged)] == []
        answers = [each for each in heard.events if isinstance(each, coterie.AccountChangeAnswered)]
        assert len(answers) >= RACES
    lost = [each for heard in ears for each in heard.events if stale(each)]
    assert len(lost) >= RACES // 2


def stale(event: coterie.Event) -> bool:
    return isinstance(event, coterie.AccountChangeAnswered) and event.code is Code.STALE_MANIFEST
