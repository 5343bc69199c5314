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
from tests.village.test_resets import anew, code_for, states

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


async def test_other_devices_follow_with_what_waited_for_them(village: Village) -> None:
    """One that was away gets what was sent to it before, and goes on with its own password and history."""
    alice, bob = await village.person("alice"), await village.person("bob")
    second = await second_of(village, alice, alice.recovery_key)
    lost = await second_of(village, alice, alice.recovery_key, "lost")
    await acquainted(alice, bob)
    for device in (second, lost):
        await alice.confirm_device(device.device)
    here = Heard(second)
    await bob.send("@alice", "one")
    await here.texts(1)
    await second.close()
    await bob.send("@alice", "two")
    await bob.send("everyone", "to all")
    await alice.lose_device(lost.device, password=PASSWORD)
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    back = await coterie.open(village.home("second"), password=PASSWORD, clock=village.clock)
    waiting = Heard(back)
    await village.keep(back)
    await goes_on(back, waiting, second.account)
    assert back.account == alice.account
    assert sorted(message.text for message in waiting.messages()) == ["to all", "two"]
    assert [event.account for event in waiting.events if isinstance(event, coterie.IdentityReplaced)] == [
        alice.account
    ]
    assert {each.id for each in back.devices()} == {alice.device, back.device}
    assert not back.questions()
    assert not alice.questions()
    both = (Heard(alice), Heard(back))
    await bob.accept_identity("alice")
    await bob.send("@alice", "three")
    for heard in both:
        assert await heard.texts(1) == ["three"]
    await back.send("@bob", "from the second one")
    assert await both[0].texts(2) == ["three", "from the second one"]
    with pytest.raises(Refused) as keyless:
        await back.rename_device(back.device, "kitchen", password=PASSWORD)
    assert keyless.value.code is Code.NEEDS_RECOVERY_KEY
    await back.rename_device(back.device, "kitchen", password=PASSWORD, recovery_key=alice.recovery_key)


async def test_what_is_said_before_a_device_has_followed_is_for_it_too(village: Village) -> None:
    """It has no prekeys in the new account yet: the key is owed to it, and given once it has."""
    alice, bob = await village.person("alice"), await village.person("bob")
    second = await second_of(village, alice, alice.recovery_key)
    await acquainted(alice, bob, second)
    await alice.confirm_device(second.device)
    await second.close()
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    await Heard(bob).until(lambda _: bob.identity_change("alice") is not None)
    await bob.accept_identity("alice")
    await bob.send("@alice", "while you were away")
    await bob.send("everyone", "and to all")
    await alice.send("@bob", "from the first one")
    back = await coterie.open(village.home("second"), password=PASSWORD, clock=village.clock)
    heard = Heard(back)
    await village.keep(back)
    assert sorted(await heard.texts(3)) == ["and to all", "from the first one", "while you were away"]


async def test_who_had_verified_has_to_verify_anew(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.mark_verified("alice")
    heard = Heard(bob)
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    await heard.until(lambda _: bool(changes(heard)))
    assert changes(heard)[0].was_verified
    for _ in range(2):
        with pytest.raises(PersonChanged) as stopped:
            await bob.send("@alice", "you?")
        assert stopped.value.verified
        with pytest.raises(PersonChanged):
            await bob.accept_identity("alice")
    await bob.mark_verified("alice")
    arrived = Heard(alice)
    await bob.send("@alice", "you")
    assert await arrived.texts(1) == ["you"]


async def test_what_was_queued_goes_to_the_new_identity_by_a_click_alone(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.close()
    off = await coterie.open(
        village.home("bob"), password=PASSWORD, server="127.0.0.1:9", clock=village.clock
    )
    await off.post("@alice", "queued")
    await off.close()
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    back = await coterie.open(
        village.home("bob"), password=PASSWORD, server=village.invite, clock=village.clock
    )
    heard, arrived = Heard(back), Heard(alice)
    await village.keep(back)
    await heard.until(lambda _: bool(changes(heard)))
    assert [message.text for message in back.queued_before("alice")] == ["queued"]
    await back.send("everyone", "somebody there?")
    assert await arrived.texts(1) == ["somebody there?"]
    await back.accept_identity("alice")
    await back.send_queued("alice")
    assert await arrived.texts(2) == ["somebody there?", "queued"]


async def test_what_one_had_queued_oneself_is_said_by_the_identity_of_now(village: Village) -> None:
    """In the conversations that take the place of those before; to oneself as well, and to everyone."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    second = await second_of(village, alice, alice.recovery_key)
    await acquainted(second, bob)
    await alice.confirm_device(second.device)
    await second.send("@bob", "before")
    before = second.resolve("@bob")
    await second.close()
    off = await coterie.open(
        village.home("second"), password=PASSWORD, server="127.0.0.1:9", clock=village.clock
    )
    for target in ("@bob", "@alice", "everyone"):
        await off.post(target, f"queued for {target}")
    await off.close()
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    heard, own = Heard(bob), Heard(alice)
    await Heard(bob).until(lambda _: bob.identity_change("alice") is not None)
    await bob.accept_identity("alice")
    back = await coterie.open(
        village.home("second"), password=PASSWORD, server=village.invite, clock=village.clock
    )
    followed = Heard(back)
    await village.keep(back)
    await goes_on(back, followed, second.account)
    assert sorted(await heard.texts(2)) == ["queued for @bob", "queued for everyone"]
    wanted = ["queued for @alice", "queued for @bob", "queued for everyone"]
    assert sorted(await own.texts(3)) == wanted
    await back.say("in the conversation of before", before)
    assert (await heard.texts(3))[-1] == "in the conversation of before"
    assert not [
        event for event in followed.events if isinstance(event, coterie.IdentityReplaced) and event.unsure
    ]


async def test_it_can_be_done_twice_while_somebody_is_away(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    second = await second_of(village, alice, alice.recovery_key)
    await alice.confirm_device(second.device)
    await bob.close()
    await second.close()
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    first = alice.account
    await alice.replace_identity(NEW_PASSWORD, PASSWORD)
    assert first != alice.account
    heard = Heard(back := await coterie.open(village.home("bob"), password=PASSWORD, clock=village.clock))
    await village.keep(back)
    await heard.until(lambda _: bool(changes(heard)) and changes(heard)[-1].person.account == alice.account)
    other = await coterie.open(village.home("second"), password=PASSWORD, clock=village.clock)
    followed = Heard(other)
    await village.keep(other)
    await followed.until(lambda _: other.account == alice.account)
    carol = await village.person("carol")
    await acquainted(alice, carol)
    assert carol.identity_change("alice") is None
    await carol.send("@alice", "hello")


async def test_a_thief_who_was_revoked_gives_nobody_another_identity(village: Village) -> None:
    """He has the private keys and the device's own; the account's newest list says that it is gone."""
    alice, bob = await village.person("alice"), await village.person("bob")
    lost = await second_of(village, alice, alice.recovery_key, "lost")
    await acquainted(alice, bob, lost)
    await lost.close()
    await alice.lose_device(lost.device, password=PASSWORD)
    thief = await coterie.open(village.home("lost"), password=PASSWORD, clock=village.clock)
    with pytest.raises(Refused) as revoked:
        await thief.replace_identity(PASSWORD, NEW_PASSWORD)
    assert revoked.value.code is Code.REVOKED
    await thief.close()
    await bob.send("@alice", "still you")


async def test_a_thief_who_is_quicker_is_seen_and_stops_the_owner(village: Village) -> None:
    """Whoever holds a device that is not revoked yet, and its password, is the account: contacts are asked to
    accept the new identity, and the owner's devices say what happened."""
    alice, bob = await village.person("alice"), await village.person("bob")
    thief = await second_of(village, alice, alice.recovery_key, "lost")
    await acquainted(alice, bob, thief)
    heard, own = Heard(bob), Heard(alice)
    await thief.lose_device(alice.device, password=PASSWORD)
    await thief.replace_identity(PASSWORD, NEW_PASSWORD)
    await heard.until(lambda _: bool(changes(heard)))
    assert changes(heard)[0].by is ChangedBy.RECOVERY
    await own.until(
        lambda events: any(
            isinstance(event, coterie.LinkChanged) and event.code is Code.REVOKED for event in events
        )
    )
    with pytest.raises(PersonChanged):
        await bob.send("@alice", "you?")


async def test_one_that_followed_can_do_it_too_by_the_recovery_key(village: Village) -> None:
    alice = await village.person("alice")
    second = await second_of(village, alice, alice.recovery_key)
    await alice.confirm_device(second.device)
    followed, before = Heard(second), alice.account
    await alice.replace_identity(PASSWORD, NEW_PASSWORD)
    await goes_on(second, followed, before)
    with pytest.raises(Refused) as keyless:
        await second.replace_identity(PASSWORD, NEW_PASSWORD)
    assert keyless.value.code is Code.NEEDS_RECOVERY_KEY
    back, before = Heard(alice), alice.account
    await second.replace_identity(PASSWORD, NEW_PASSWORD, recovery_key=alice.recovery_key)
    await goes_on(alice, back, before)
    assert alice.account == second.account
    await second.rename_device(second.device, "kitchen", password=NEW_PASSWORD)


async def test_two_devices_at_once_make_one_new_identity(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    second = await second_of(village, alice, alice.recovery_key)
    await acquainted(alice, bob, second)
    await alice.confirm_device(second.device)
    asked = [each.replace_identity(PASSWORD, NEW_PASSWORD) for each in (alice, second)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    codes = [error.code if isinstance(error, Refused) else error for error in done]
    assert sorted(map(str, codes)) == ["None", "stale-manifest"]
    assert alice.account == second.account
    for me, home in ((alice, "alice"), (second, "second")):
        won = codes[0 if me is alice else 1] is None
        await me.close()
        opens = NEW_PASSWORD if won else PASSWORD
        await village.keep(await coterie.open(village.home(home), password=opens, clock=village.clock))


async def test_a_name_that_is_begun_anew_has_to_be_kept_first(village: Village) -> None:
    bob = await village.person("bob")
    own = Heard(bob)
    new = await anew(village, "bob", await code_for(village, "bob"))
    await own.until(lambda _: states(own) == [coterie.ResetState.ANNOUNCED])
    with pytest.raises(Refused) as pending:
        await bob.replace_identity(PASSWORD, NEW_PASSWORD)
    assert pending.value.code is Code.RESET_PENDING
    await new.close()
    await bob.keep_name(PASSWORD)
    await bob.replace_identity(PASSWORD, NEW_PASSWORD)
