"""A new machine becomes a device because an existing one agrees: by emoji or by its code (rule 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import coterie
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.base.invite import parse_invite
from coterie.client.api.account_key import AccountKey
from coterie.client.api.enrolment import DrawnDevice
from coterie.client.api.me import Me
from coterie.client.changes import Change
from coterie.client.link import Address, Connection
from coterie.client.store.records import Setting
from coterie.wire.frames import AskApproval, RelayApproval
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
        before = [frame for frames in alice.frames_sent() for frame in frames.frames]
        with pytest.raises(coterie.Refused) as refused:
            await joiner.approve(password=PASSWORD)
        assert refused.value.code is Code.NOT_APPROVED
        after = [frame for frames in alice.frames_sent() for frame in frames.frames]
        relayed = [sum(isinstance(frame, RelayApproval) for frame in each) for each in (before, after)]
        assert relayed[0] == relayed[1], "nothing more was said to it"
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


async def test_a_request_outlives_a_restart_of_the_server(village: Village) -> None:
    alice = await village.person("alice")
    async with await asking(village) as new:
        port = village.port
        await village.stop()
        await village.start(port)
        answered = asyncio.create_task(new.answered())  # noqa: TID251 - awaited below
        await alice.wait_live(PATIENCE_SECONDS)
        async with alice.joiners(new.code) as joiners:
            joiner = await joiners.next(PATIENCE_SECONDS)
            approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
            assert await answered == ()
            await village.keep(await new.join())
            await approved


async def test_a_connection_that_is_lost_in_the_last_moment_costs_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new device has all on its disk; the other one signs it in while it cannot hear of it."""
    alice = await village.person("alice")
    change = alice.change_account
    async with await asking(village) as new, alice.joiners(new.code) as joiners:

        async def lose_and_change(
            changes: tuple[Change, ...], key: AccountKey, *, check: Callable[[], None]
        ) -> None:
            new._connection.close()
            await new._connection.lost()
            await change(changes, key, check=check)

        monkeypatch.setattr(alice, "change_account", lose_and_change)
        joiner = await joiners.next(PATIENCE_SECONDS)
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        joined = await village.keep(await new.join())
        await approved
    assert joined.device in {device.id for device in alice.devices()}


async def test_a_device_that_was_told_that_it_is_over_is_never_listed(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other device's connection is lost once the new one has everything, and is there again before it
    signs: by then the new one has removed it all."""
    alice = await village.person("alice")
    change = alice.change_account

    async def lose_and_change(
        changes: tuple[Change, ...], key: AccountKey, *, check: Callable[[], None]
    ) -> None:
        connection = alice._runtime._connection
        assert connection is not None
        connection.close()
        await alice._wait(lambda: alice.link is not coterie.LinkState.LIVE, PATIENCE_SECONDS)
        await change(changes, key, check=check)

    monkeypatch.setattr(alice, "change_account", lose_and_change)
    async with await asking(village) as new, alice.joiners(new.code) as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        with pytest.raises(coterie.Refused) as refused:
            await new.join()
        assert refused.value.code is Code.NOT_APPROVED
        with pytest.raises(coterie.Unavailable):
            await approved
    assert len(alice.devices()) == 1


async def test_a_device_that_is_not_signed_in_after_all_is_not_left_behind(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await village.person("alice")

    async def refuses(*_: object, **__: object) -> None:
        raise coterie.Refused(Code.TOO_MANY_TRIES)

    monkeypatch.setattr(alice, "change_account", refuses)
    async with await asking(village) as new, alice.joiners(new.code) as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        with pytest.raises(coterie.Refused) as refused:
            await new.join()
        assert refused.value.code is Code.NOT_APPROVED
        with pytest.raises(coterie.Refused):
            await approved
    assert coterie.profiles(village.home("second")) == ()


@pytest.mark.parametrize("field", ["id", "name"])
async def test_the_id_of_somebody_elses_device_is_not_approved_nor_a_name_too_long(
    village: Village, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """Attack: a device wants to join under the id of Bob's, to be found where his is looked up. Nothing is
    given to what no manifest can list."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)

    class Borrowed(DrawnDevice):
        def __init__(self, name: str, clock: Clock) -> None:
            super().__init__(name, clock)
            if field == "id":
                self.id = bob.device
            else:
                self.name = "é" * 40

    monkeypatch.setattr("coterie.client.api.joining.DrawnDevice", Borrowed)
    async with await asking(village) as new, alice.joiners(new.code) as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        assert await new.answered() == ()
        with pytest.raises(coterie.Refused) as refused:
            await approved
        assert refused.value.code is Code.BAD_MANIFEST
        with pytest.raises(coterie.Refused):
            await new.join()
    assert len(alice.devices()) == 1
    with pytest.raises(coterie.Refused) as refused:
        await coterie.ask_approval(
            server=village.invite,
            name="alice",
            password=PASSWORD,
            home=village.home("third"),
            device_name="é" * 40,
        )
    assert refused.value.code is Code.TOO_LARGE


async def test_a_lost_connection_ends_what_is_under_way(village: Village) -> None:
    alice = await village.person("alice")
    async with await asking(village) as new, alice.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        await asyncio.gather(joiner.compare(), new.answered())
        await village.stop()
        with pytest.raises(coterie.Unavailable):
            await joiner.approve(password=PASSWORD)
        with pytest.raises(coterie.Unavailable):
            await joiners.next(PATIENCE_SECONDS)
        with pytest.raises(coterie.Unavailable):
            await new.join()


async def test_one_look_at_a_time_and_no_answer_in_time(village: Village) -> None:
    alice = await village.person("alice")
    async with alice.joiners() as joiners:
        with pytest.raises(coterie.Refused) as refused:
            await joiners.next(0.05)
        assert refused.value.code is Code.NOT_APPROVED
        with pytest.raises(coterie.Refused) as refused:
            async with alice.joiners():
                pass
        assert refused.value.code is Code.BUSY
    with pytest.raises(coterie.Refused) as refused:
        async with alice.joiners("not a code"):
            pass
    assert refused.value.code is Code.USAGE


async def test_garbage_of_strangers_is_passed_over(village: Village) -> None:
    alice = await village.person("alice")
    invite = parse_invite(village.invite)
    connection = await Connection.open(Address(invite.host, invite.port, invite.fingerprint), village.clock)
    await connection.ask(AskApproval(1, "alice", b"r" * 16, b"garbage"))
    async with await asking(village), alice.joiners() as joiners:
        assert (await joiners.next(PATIENCE_SECONDS)).name == "second"
    connection.close()
