"""A device was lost that could open the account's keys: it goes on under another identity (rules 8, 22)."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code
from coterie.base.errors import PersonChanged, Refused
from coterie.client.api.me import Me
from coterie.ledger.audit import LedgerFile, audit
from tests.village.conftest import PASSWORD, Heard, Village, acquainted
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

NEW_PASSWORD = "otter-violet-harbour-31-lamp"


def changes(heard: Heard) -> list[coterie.IdentityChanged]:
    return [event for event in heard.events if isinstance(event, coterie.IdentityChanged)]


async def goes_on(me: Me, heard: Heard, before: bytes) -> None:
    """Wait until somebody's device has followed the account, and is there again."""
    await heard.until(lambda _: me.account != before)
    await me.wait_live(20)


async def test_an_account_goes_on_under_another_identity(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    lost = await second_of(village, alice, alice.recovery_key, "lost")
    await acquainted(alice, bob)
    await alice.send("@bob", "before")
    await Heard(bob).until(lambda _: bool(bob.history(bob.resolve("@alice"))))
    before, device = alice.account, alice.device
    heard, at_lost = Heard(bob), Heard(lost)
    await alice.lose_device(lost.device, password=PASSWORD)
    await at_lost.until(
        lambda events: any(
            isinstance(event, coterie.LinkChanged) and event.code is Code.REVOKED for event in events
        )
    )
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    assert alice.account != before
    assert alice.device != device
    assert [each.this for each in alice.devices()] == [True]
    await heard.until(lambda _: bool(changes(heard)))
    (change,) = changes(heard)
    assert (change.person.account, change.was_verified, change.by) == (alice.account, False, ChangedBy.DEVICE)
    with pytest.raises(PersonChanged) as stopped:
        await bob.send("@alice", "is it you?")
    assert (stopped.value.code, stopped.value.by) == (Code.IDENTITY_CHANGED, ChangedBy.DEVICE)
    arrived = Heard(alice)
    await bob.accept_identity("alice")
    await bob.send("@alice", "good that you noticed")
    assert await arrived.texts(1) == ["good that you noticed"]
    await alice.send("@bob", "thanks")
    assert await heard.texts(1) == ["thanks"]
    assert not audit(LedgerFile.unpack(bob.ledger_file())).fraud
    assert alice.recovery_key is not None
    assert len(alice.search("before")) == 1
    await alice.close()
    with pytest.raises(Refused):
        await coterie.open(village.home("alice"), password=PASSWORD, clock=village.clock)
    again = await village.keep(
        await coterie.open(village.home("alice"), password=NEW_PASSWORD, clock=village.clock)
    )
    await again.change_password(NEW_PASSWORD, PASSWORD)
    assert asyncio.get_running_loop()
