"""People on one server: what one says the others hear, once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

import coterie
from coterie.base.codes import Code
from coterie.client.api.me import Me
from coterie.client.core import sending
from coterie.e2ee.recovery import RecoveryKey
from coterie.ledger.audit import LedgerFile, audit
from tests.village.conftest import PASSWORD, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_two_people_write_to_each_other(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    at_bob, at_alice = Heard(bob), Heard(alice)
    sent = await alice.send("@bob", "hi")
    changed = [event for event in at_alice.events if isinstance(event, coterie.ConversationChanged)]
    assert [event.conversation.last.text for event in changed if event.conversation.last] == ["hi"]
    assert sent.state is coterie.MessageState.SENT
    assert await at_bob.texts(1) == ["hi"]
    await bob.send("@alice", "hi back")
    assert await at_alice.texts(1) == ["hi back"]
    assert [each.text for each in bob.history(sent.conversation)] == ["hi", "hi back"]
    assert [each.text for each in alice.history(sent.conversation)] == ["hi", "hi back"]


async def test_everyone_reaches_all_others(village: Village) -> None:
    people = [await village.person(name) for name in ("alice", "bob", "carol")]
    await acquainted(*people)
    heard = [Heard(me) for me in people]
    for me in people:
        await me.send(coterie.EVERYONE, f"from {me.name}")
    for me, ears in zip(people, heard, strict=True):
        others = sorted(f"from {other.name}" for other in people if other is not me)
        assert sorted(await ears.texts(2)) == others


async def test_what_was_written_while_away_is_there_on_return(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.close()
    for number in range(30):
        await alice.send("@bob", f"message {number}")
    await alice.send(coterie.EVERYONE, "to all")
    async with coterie.open(village.home("bob"), password=PASSWORD) as again:
        await again.wait_drained()
        direct = again.history(again.resolve("@alice"))
        assert [each.text for each in direct] == [f"message {number}" for number in range(30)]
        assert [each.text for each in again.history(again.everyone)] == ["to all"]
        assert again.conversation_with(alice.account).unread == 30


async def test_many_messages_at_once_are_one_piece_of_news_of_their_conversation(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.close()
    at_alice = Heard(alice)
    sent = await asyncio.gather(*(alice.post("@bob", f"message {number}") for number in range(20)))
    for each in sent:
        assert (await alice.acknowledged(each, 10)).state is coterie.MessageState.SENT
    assert [each.text for each in alice.history(sent[0].conversation)] == [f"message {n}" for n in range(20)]
    again = await coterie.open(village.home("bob"), password=PASSWORD)
    at_bob = Heard(again)
    await again.wait_drained()
    assert await at_bob.texts(20) == [f"message {number}" for number in range(20)]
    for ears, unread in ((at_alice, 0), (at_bob, 20)):
        changed = [event for event in ears.events if isinstance(event, coterie.ConversationChanged)]
        assert 1 <= len(changed) < 10
        assert changed[-1].conversation.unread == unread
    await again.close()


async def test_a_key_to_many_devices_goes_turn_by_turn(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SHARE_AT_ONCE", 1)
    people = [await village.person(name) for name in ("alice", "bob", "carol", "dave")]
    await acquainted(*people)
    heard = [Heard(me) for me in people[1:]]
    for text in ("first", "second"):
        await people[0].send(coterie.EVERYONE, text)
    for ears in heard:
        assert await ears.texts(2) == ["first", "second"]


async def test_written_without_a_connection_goes_in_order_later(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    port = village.port
    await village.stop()
    posted = [await alice.post("@bob", f"later {number}") for number in range(5)]
    assert {each.state for each in posted} == {coterie.MessageState.QUEUED}
    await village.start(port)
    assert await ears.texts(5) == [f"later {number}" for number in range(5)]


async def test_a_server_that_moved_is_found_by_its_invite(village: Village) -> None:
    alice = await village.person("alice")
    await alice.close()
    await village.stop()
    await village.start(0)
    async with coterie.open(village.home("alice"), password=PASSWORD, server=village.invite) as again:
        await again.wait_live()
        assert again.server.endswith(f":{village.port}")
    async with coterie.open(village.home("alice"), password=PASSWORD) as kept:
        await kept.wait_live()


async def test_a_name_that_nobody_has_reaches_nobody(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    with pytest.raises(coterie.Refused) as refused:
        await alice.say("@bbo secret", alice.everyone)
    assert refused.value.code is Code.UNKNOWN_PERSON
    await alice.send("@bob", "after")
    assert await Heard(bob).texts(0) == []
    assert alice.history(alice.everyone) == ()


async def test_presence_is_told(village: Village) -> None:
    alice = await village.person("alice")
    ears = Heard(alice)
    bob = await village.person("bob")

    def online(events: list[coterie.Event], expected: bool) -> bool:
        changes = [
            event.person.online
            for event in events
            if isinstance(event, coterie.PresenceChanged) and event.person.name == "bob"
        ]
        return bool(changes) and changes[-1] is expected

    await ears.until(lambda events: online(events, True))
    await bob.close()
    await ears.until(lambda events: online(events, False))


async def test_a_second_device_by_passphrase_gets_everything_from_then_on(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob", passphrase=True)
    await acquainted(alice, bob)
    await alice.send("@bob", "before")
    assert bob.passphrase is not None
    laptop = await village.keep(
        await coterie.log_in(
            server=village.invite, name="bob", password=bob.passphrase, home=village.home("laptop")
        )
    )
    at_bob, at_laptop, at_alice = Heard(bob), Heard(laptop), Heard(alice)
    await alice.send("@bob", "to both")
    assert await at_laptop.texts(1) == ["to both"]
    await laptop.send("@alice", "from the laptop")
    assert await at_alice.texts(1) == ["from the laptop"]
    assert (await at_bob.texts(2))[-2:] == ["to both", "from the laptop"]
    await bob.send("@alice", "from the first")
    assert (await at_laptop.texts(2))[-1] == "from the first"
    assert all(message.own for message in at_laptop.messages()[1:])


async def test_an_own_password_needs_the_recovery_key_on_a_new_machine(village: Village) -> None:
    bob = await village.person("bob")
    words = bob.recovery_key
    with pytest.raises(coterie.Refused) as wrong:
        await coterie.log_in(server=village.invite, name="bob", password="not it", home=village.home("x"))
    assert wrong.value.code is Code.WRONG_CREDENTIALS
    with pytest.raises(coterie.Refused) as lacking:
        await coterie.log_in(server=village.invite, name="bob", password=PASSWORD, home=village.home("x"))
    assert lacking.value.code is Code.NEEDS_RECOVERY_KEY
    assert coterie.profiles(village.home("x")) == ()
    second = await village.keep(
        await coterie.log_in(
            server=village.invite, name="bob", password=PASSWORD, recovery_key=words, home=village.home("x")
        )
    )
    assert len(second.devices()) == 2
    assert [device.approved_by_recovery for device in second.devices()] == [False, True]


async def test_a_forgotten_password_leaves_the_recovery_key(village: Village) -> None:
    bob = await village.person("bob")
    second = await village.keep(
        await coterie.log_in(
            server=village.invite,
            name="bob",
            password="another-quay-marble-17",
            recovery_key=bob.recovery_key,
            home=village.home("new"),
        )
    )
    assert second.account == bob.account
    with pytest.raises(coterie.Refused) as refused:
        await coterie.log_in(
            server=village.invite,
            name="bob",
            password="yet-another-quay-58",
            recovery_key=str(RecoveryKey.generate().words()),
            home=village.home("other"),
        )
    assert refused.value.code is Code.WRONG_CREDENTIALS


async def test_a_full_mailbox_holds_messages_back_and_loses_none(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.close()
    texts = [f"message {number}" for number in range(600)]
    for start in range(0, len(texts), 100):
        await asyncio.gather(*(alice.post("@bob", text) for text in texts[start : start + 100]))
    await Heard(alice).until(lambda _: sum(m.state is coterie.MessageState.SENT for m in said(alice)) >= 400)
    async with coterie.open(village.home("bob"), password=PASSWORD) as again:
        ears = Heard(again)
        got = {message.text for message in again.history(again.resolve("@alice"), limit=1000)}
        assert len(got) < len(texts)
        await ears.until(lambda _: len(again.history(again.resolve("@alice"), limit=1000)) == len(texts))
        assert [each.text for each in again.history(again.resolve("@alice"), limit=1000)] == texts


def said(me: Me) -> tuple[coterie.Message, ...]:
    return me.history(me.resolve("@bob"), limit=1000)


async def test_a_taken_name_is_refused_and_leaves_nothing(village: Village) -> None:
    await village.person("alice")
    with pytest.raises(coterie.Refused) as refused:
        await coterie.sign_up(
            server=village.invite, name="Alice", password=PASSWORD, home=village.home("other")
        )
    assert refused.value.code is Code.NAME_TAKEN
    assert coterie.profiles(village.home("other")) == ()


async def test_two_sign_ups_of_one_name_in_one_home_leave_the_first_whole(village: Village) -> None:
    def sign_up() -> Coroutine[None, None, Me]:
        return coterie.sign_up(
            server=village.invite, name="alice", password=PASSWORD, home=village.home("alice")
        )

    first, second = await asyncio.gather(sign_up(), sign_up(), return_exceptions=True)
    entered, refused = (second, first) if isinstance(first, BaseException) else (first, second)
    assert isinstance(entered, Me)
    assert isinstance(refused, coterie.CoterieError)
    await village.keep(entered)
    assert (await entered.send("@alice", "whole")).state is coterie.MessageState.SENT
    assert len(coterie.profiles(village.home("alice"))) == 1


async def test_texts_of_every_size_and_script(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    every = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    pieces = [every[start : start + 16_000] for start in range(0, len(every), 16_000)]
    texts = ["a", "x" * 65_536, *pieces]
    await asyncio.gather(*(alice.post("@bob", text) for text in texts))
    assert await ears.texts(len(texts)) == texts
    with pytest.raises(coterie.Refused) as refused:
        await alice.send("@bob", "x" * 65_537)
    assert refused.value.code is Code.TOO_LARGE


async def test_a_password_of_ones_own_does_not_pass_as_a_passphrase(village: Village) -> None:
    for word in (PASSWORD, "one-two-three-four-five-six"):
        with pytest.raises(coterie.Refused) as refused:
            await coterie.sign_up(
                server=village.invite,
                name="eve",
                password=word,
                generate_passphrase=True,
                home=village.home("e"),
            )
        assert refused.value.code is Code.WEAK_PASSWORD
    drawn = coterie.new_passphrase()
    eve = await coterie.sign_up(
        server=village.invite, name="eve", password=drawn, generate_passphrase=True, home=village.home("eve")
    )
    assert eve.passphrase == drawn
    await village.keep(eve)


async def test_what_a_device_holds_of_the_ledger_stands_an_audit(village: Village) -> None:
    alice = await village.person("alice")
    await village.person("bob")
    await Heard(alice).until(lambda _: len(alice.people()) == 2)
    found = audit(LedgerFile.unpack(alice.ledger_file()))
    assert found.fraud is None
    assert (found.names, found.covered) == (2, found.leaves)
