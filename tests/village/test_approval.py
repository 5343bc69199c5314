"""A new machine becomes a device because an existing one agrees: by emoji or by its code (rule 8)."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

OTHER_PASSWORD = "lantern-otter-pebble-31"


async def asking(village: Village, name: str = "alice", home: str = "second") -> coterie.Asking:
    """A machine without anything asks."""
    return await coterie.ask_approval(
        server=village.invite,
        name=name,
        password=OTHER_PASSWORD,
        home=village.home(home),
        device_name=home,
        clock=village.clock,
    )


async def by_emoji(village: Village, me: Me, home: str = "second") -> Me:
    """The person looks at both screens, and says yes on both."""
    async with await asking(village, me.name, home) as new, me.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        shown, seen = await asyncio.gather(joiner.compare(), new.answered())
        assert shown == seen
        assert len(seen) == 7
        _, joined = await asyncio.gather(joiner.approve(password=PASSWORD), new.join())
        return await village.keep(joined)


def named(me: Me, device: DeviceId) -> coterie.Device:
    return next(each for each in me.devices() if each.id == device)


async def test_a_device_joins_by_emoji_and_reads_what_is_said_from_then_on(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    second = await by_emoji(village, alice)
    assert second.account == alice.account
    entry = named(alice, second.device)
    assert (entry.name, entry.approved_by_recovery, entry.revoked) == ("second", False, False)
    assert alice.questions() == ()
    heard = Heard(second)
    await second.wait_drained(PATIENCE_SECONDS)
    await Heard(bob).until(lambda _: len(bob._core.people.rows[alice.account].devices) == 2)
    await bob.send("@alice", "to both of you")
    assert await heard.texts(1) == ["to both of you"]


async def test_a_device_joins_by_its_code_and_nobody_compares_anything(village: Village) -> None:
    alice = await village.person("alice")
    async with await asking(village) as new, alice.joiners(new.code.lower().replace("-", " ")) as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        second = await village.keep(await new.join())
        await approved
    assert named(alice, second.device).approved_by_recovery is False


async def test_the_new_device_opens_and_signs_by_its_own_password(village: Village) -> None:
    """It has the account's private keys, wrapped under the password that was typed there, and nothing
    else."""
    alice = await village.person("alice")
    second = await by_emoji(village, alice)
    await second.rename_device(second.device, "kitchen", password=OTHER_PASSWORD)
    assert named(second, second.device).name == "kitchen"
    with pytest.raises(coterie.Refused) as refused:
        await second.rename_device(second.device, "cellar", password=PASSWORD)
    assert refused.value.code is Code.WRONG_CREDENTIALS
    await second.close()
    again = await coterie.open(village.home("second"), password=OTHER_PASSWORD, clock=village.clock)
    await village.keep(again)
    assert again.device == second.device
    assert again._store.setting(Setting.PENDING_PREKEYS) is None


async def test_others_of_ones_own_devices_ask_whether_that_was_me(village: Village) -> None:
    alice = await village.person("alice")
    second = await by_emoji(village, alice)
    await second.wait_drained(PATIENCE_SECONDS)
    third = await by_emoji(village, alice, "third")
    await Heard(second).until(lambda _: bool(second.questions()))
    assert [device.id for device in second.questions()] == [third.device]
    assert alice.questions() == third.questions() == ()


async def test_the_mark_of_a_device_that_came_by_recovery_passes_on(village: Village) -> None:
    alice = await village.person("alice")
    recovered = await village.keep(
        await coterie.log_in(
            server=village.invite,
            name="alice",
            password=PASSWORD,
            recovery_key=alice.recovery_key,
            home=village.home("recovered"),
            clock=village.clock,
        )
    )
    joined = await by_emoji(village, recovered)
    manifest = recovered.own_manifest().manifest
    entry = manifest.entry(joined.device)
    assert entry is not None
    assert (entry.marked, entry.approved_by) == (True, recovered.device)


async def test_a_person_who_says_no_on_either_side_leaves_nothing_behind(village: Village) -> None:
    alice = await village.person("alice")
    async with await asking(village) as new, alice.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        await asyncio.gather(joiner.compare(), new.answered())
        await joiner.decline()
        with pytest.raises(coterie.Refused) as refused:
            await new.join()
        assert refused.value.code is Code.NOT_APPROVED
    async with await asking(village) as new, alice.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        await asyncio.gather(joiner.compare(), new.answered())
        new.close()
        with pytest.raises(coterie.Refused) as refused:
            await joiner.approve(password=PASSWORD)
        assert refused.value.code is Code.NOT_APPROVED
    assert len(alice.devices()) == 1
    assert coterie.profiles(village.home("second")) == ()


async def test_nobody_hears_of_a_stranger_who_does_not_look(village: Village) -> None:
    alice = await village.person("alice")
    heard = Heard(alice)
    async with await asking(village):
        await alice.send("@alice", "after the request")
        await heard.until(lambda events: any(isinstance(each, coterie.MessageSent) for each in events))
        assert not [event for event in heard.events if isinstance(event, coterie.ApprovalHeard)]
        async with alice.joiners() as joiners:
            assert (await joiners.next(PATIENCE_SECONDS)).name == "second"


async def test_a_wrong_password_may_be_tried_again(village: Village) -> None:
    alice = await village.person("alice")
    async with await asking(village) as new, alice.joiners(new.code) as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        with pytest.raises(coterie.Refused) as refused:
            await joiner.approve(password="not-" + PASSWORD)
        assert refused.value.code is Code.WRONG_CREDENTIALS
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        await village.keep(await new.join())
        await approved
