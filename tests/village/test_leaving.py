"""A person signs out, or deletes their account; others see who is gone (encryption rules 2, 4 and 19)."""

from __future__ import annotations

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Refused
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def gone(events: list[coterie.Event]) -> bool:
    return any(isinstance(event, coterie.AccountDeleted) for event in events)


async def test_a_deleted_account_is_gone_for_everybody_and_what_it_said_stays(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    carol = await village.person("carol")
    await acquainted(alice, bob, carol)
    await carol.close()
    heard = Heard(alice)
    await bob.send("@alice", "goodbye")
    await bob.send("@carol", "goodbye too")
    assert await heard.texts(1) == ["goodbye"]
    with pytest.raises(Refused) as wrong:
        await bob.delete_account(password="not the password")
    assert wrong.value.code is Code.WRONG_CREDENTIALS
    await bob.delete_account(password=PASSWORD)
    await bob.wipe()
    assert coterie.profiles(village.home("bob")) == ()
    await heard.until(gone)
    with pytest.raises(Refused) as refused:
        await alice.send("@bob", "are you there?")
    assert refused.value.code is Code.DELETED
    person = alice.person("bob")
    assert person is not None
    assert person.deleted
    direct = alice.conversation_with(person.account)
    assert [message.text for message in alice.history(direct.id)] == ["goodbye"]
    await alice.send("everyone", "bob has gone")
    back = await village.back("carol")
    assert [message.text for message in back.history(back.resolve("@bob"))] == ["goodbye too"]
    assert [message.text for message in back.history(back.everyone)] == ["bob has gone"]


async def test_what_waits_for_somebody_who_is_gone_stays_where_it_is(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "first")
    await alice.close()
    await bob.delete_account(password=PASSWORD)
    away = await coterie.open(village.home("alice"), password=PASSWORD, clock=village.clock)
    await away.post("@bob", "written too late")
    heard = Heard(away)
    await village.keep(away)
    stuck = [
        event
        for event in await heard.until(
            lambda events: any(isinstance(event, coterie.SendingStuck) for event in events)
        )
        if isinstance(event, coterie.SendingStuck)
    ]
    assert stuck[0].code is Code.DELETED
    states = [message.state for message in away.history(away.resolve("@bob"))]
    assert states[-1] is coterie.MessageState.QUEUED


async def test_a_name_is_never_given_again_and_every_device_of_it_learns_why(village: Village) -> None:
    bob = await village.person("bob")
    second = await second_of(village, bob, bob.recovery_key)
    heard = Heard(second)
    await bob.delete_account(password=PASSWORD)
    stopped = await heard.until(lambda _: second.link is coterie.LinkState.STOPPED)
    codes = [event.code for event in stopped if isinstance(event, coterie.LinkChanged)]
    assert codes[-1] is Code.DELETED
    for name in ("bob", "BOB"):
        with pytest.raises(Refused) as taken:
            await coterie.sign_up(
                server=village.invite, name=name, password=PASSWORD, home=village.home("other")
            )
        assert taken.value.code is Code.NAME_TAKEN
    with pytest.raises(Refused) as unknown:
        await coterie.log_in(server=village.invite, name="bob", password=PASSWORD, home=village.home("third"))
    assert unknown.value.code is Code.WRONG_CREDENTIALS


async def test_who_signs_out_is_off_the_list_and_leaves_nothing_behind(village: Village) -> None:
    alice = await village.person("alice")
    words = alice.recovery_key
    second = await second_of(village, alice, words)
    await Heard(alice).until(lambda _: len(alice.devices()) == 2)
    assert not second.is_last_device
    await second.sign_out(password=PASSWORD)
    await second.wipe()
    assert coterie.profiles(village.home("second")) == ()
    await Heard(alice).until(lambda _: alice.devices()[1].revoked)
    assert alice.is_last_device
    await alice.sign_out(password=PASSWORD)
    assert len(alice.devices()) == 2
    again = await second_of(village, alice, words, "third")
    assert again.account == alice.account
    with pytest.raises(Refused) as revoked:
        await alice.wait_live(PATIENCE_SECONDS)
    assert revoked.value.code is Code.REVOKED
