"""A server whose data was lost and put back from a copy: nobody is accused, and nothing is lost (issue 5)."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.ids import SessionId
from coterie.client.api.me import Me
from coterie.client.core import window
from coterie.client.core.sending import AGAIN_WINDOWS
from coterie.client.events import NotInLedger
from coterie.server.copies import make_copy, put_back
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

ALARMS = (
    coterie.NameWentBack,
    coterie.IdentityChanged,
    NotInLedger,
    coterie.MessagesMissing,
    coterie.NameReset,
    coterie.SendingStuck,
)


class Copied:
    """A copy of the village's server, and its way back."""

    def __init__(self, village: Village) -> None:
        self._village = village
        folder = village.folder / "copies"
        folder.mkdir(exist_ok=True)
        self.file = make_copy(village.folder / "server", folder, village.clock.wall_ms()).file

    async def back(self) -> None:
        """The server dies, its data are those of the copy, and it starts again where it was."""
        port = self._village.port
        await self._village.stop()
        await put_back(self.file, self._village.folder / "server", self._village.clock.wall_ms())
        await self._village.start(port)


def alarms(ears: Heard) -> list[coterie.Event]:
    return [each for each in ears.events if isinstance(each, ALARMS)]


def texts(me: Me, target: str) -> Counter[str]:
    """Everything that stands in a conversation, and how often."""
    conversation = me.everyone if target == "everyone" else me.resolve(target)
    return Counter(message.text for message in me.history(conversation, limit=100_000))


async def restored(*ears: Heard) -> None:
    for each in ears:
        await each.until(lambda events: any(isinstance(one, coterie.ServerRestored) for one in events))


async def restored_times(ears: Heard, times: int) -> None:
    await ears.until(lambda events: sum(isinstance(one, coterie.ServerRestored) for one in events) == times)


async def said(me: Me, target: str, *words: str) -> None:
    for text in words:
        sent = await me.send(target, text, timeout_seconds=PATIENCE_SECONDS)
        assert sent.state is not coterie.MessageState.QUEUED, text


async def test_messages_after_the_copy_come_again(village: Village) -> None:
    """Also to somebody who was away."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await said(alice, "@bob", "before")
    ears = Heard(alice)
    copy = Copied(village)
    await said(bob, "@alice", "an answer")
    await ears.texts(1)
    await bob.close()
    await said(alice, "@bob", "one", "two")
    await said(alice, "everyone", "to all")
    await copy.back()
    await restored(ears)
    await said(alice, "@bob", "three")
    bob = await coterie.open(village.home("bob"), password=PASSWORD, clock=village.clock)
    heard = Heard(bob)
    await village.keep(bob)
    await heard.until(lambda _: texts(bob, "@alice").total() == 5 and texts(bob, "everyone").total() == 1)
    for me in (alice, bob):
        other = "@bob" if me is alice else "@alice"
        assert texts(me, other) == Counter(("before", "an answer", "one", "two", "three"))
        assert texts(me, "everyone") == Counter(("to all",))
    assert not alarms(ears)
    assert not alarms(heard)


async def test_people_and_revocations_after_the_copy_come_back(village: Village) -> None:
    """Nobody presses anything."""
    alice, bob = await village.person("alice"), await village.person("bob")
    phone = await second_of(village, alice, alice.recovery_key, "phone")
    await acquainted(alice, bob, phone)
    copy = Copied(village)
    carol = await village.person("carol")
    await acquainted(alice, bob, carol)
    await said(carol, "@bob", "I am new here")
    await said(bob, "@carol", "welcome")
    await alice.deny_device(phone.device, password=PASSWORD)
    await Heard(bob).until(
        lambda _: all(not each.live for each in bob._core.people.rows[alice.account].devices[1:])
    )
    await phone.close()
    ears = [Heard(each) for each in (alice, bob, carol)]
    await copy.back()
    await restored(*ears)
    await said(carol, "everyone", "still here")
    await said(bob, "@alice", "and you?")
    await ears[0].until(lambda _: texts(alice, "everyone").total() == 1 and texts(alice, "@bob").total() == 1)
    await ears[1].until(lambda _: texts(bob, "everyone").total() == 1)
    assert texts(bob, "@carol") == Counter(("I am new here", "welcome")) == texts(carol, "@bob")
    for each in ears:
        assert not alarms(each)
    again = await coterie.open(village.home("phone"), password=PASSWORD, clock=village.clock)
    refused = Heard(again)
    await refused.until(lambda events: coterie.LinkChanged(coterie.LinkState.STOPPED, Code.REVOKED) in events)
    assert not texts(again, "everyone")
    await again.close()


async def test_everything_reaches_everyone_once(village: Village) -> None:
    """A copy, then talk, sign-ups and a deletion, then the copy again (issue 5, It shows 3)."""
    await whole(village, messages=6, late=2)
    with pytest.raises(coterie.Refused) as taken:
        await coterie.sign_up(
            server=village.invite, name="carol", password=PASSWORD, home=village.home("another")
        )
    assert taken.value.code is Code.NAME_TAKEN


async def whole(village: Village, *, messages: int, late: int) -> None:
    """messages: of each person, to everyone and to one of them alone; late: how many come after the copy."""
    first = [await village.person(name) for name in ("alice", "bob", "carol")]
    await acquainted(*first)
    alice, _, carol = first
    old = [f"old {n}" for n in range(5)]
    await said(alice, "everyone", *old)
    copy = Copied(village)
    new = [await village.person(f"late{number}") for number in range(late)]
    everybody = (*first, *new)
    await acquainted(*everybody)
    for me in everybody:
        for n in range(messages):
            await me.post("everyone", f"{me.name} {n}")
            await me.post("@alice" if me is not alice else "@late0", f"{me.name} alone {n}")
    await carol.delete_account(password=PASSWORD)
    others = [each for each in everybody if each is not carol]
    for me in others:
        await gone(me, carol.name)
    ears = [Heard(each) for each in others]
    await copy.back()
    await restored(*ears)
    for me in others:
        await me.post("everyone", f"{me.name} after")
    wanted = Counter(f"{me.name} {n}" for me in everybody for n in range(messages))
    wanted += Counter(f"{me.name} after" for me in others)
    for me, heard in zip(others, ears, strict=True):
        await has(me, heard, wanted)
        assert texts(me, "everyone") == wanted + Counter(old if me in first else ())
        assert carol.name not in names(me)
        assert not alarms(heard)
    for me in new:
        assert texts(alice, f"@{me.name}") == texts(me, "@alice")
        assert texts(alice, f"@{me.name}").total() == messages * (2 if me is new[0] else 1)


async def gone(me: Me, name: str) -> None:
    await Heard(me).until(lambda _: name not in names(me))


async def has(me: Me, heard: Heard, wanted: Counter[str]) -> None:
    await heard.until(lambda _: not wanted - texts(me, "everyone"))


def names(me: Me) -> set[str]:
    return {person.name for person in me.people() if not person.deleted}


async def test_who_signed_up_after_the_copy_logs_in_anywhere(village: Village) -> None:
    """The vault comes back, and what the server keeps of the auth keys."""
    alice = await village.person("alice")
    copy = Copied(village)
    bob = await village.person("bob", passphrase=True)
    await acquainted(alice, bob)
    ears = Heard(bob)
    await copy.back()
    await restored(ears)
    await said(bob, "@alice", "back")
    assert bob.passphrase is not None
    second = await village.keep(
        await coterie.log_in(
            server=village.invite,
            name="bob",
            password=bob.passphrase,
            home=village.home("second"),
            clock=village.clock,
        )
    )
    assert len(second.devices()) == 2


async def test_data_that_were_put_back_by_hand_are_noticed(village: Village) -> None:
    """The operator has copied files, and says so to nobody."""
    alice = await village.person("alice")
    port, place = village.port, village.folder / "server"
    await village.stop()
    kept = (place / "server.db").read_bytes()
    await village.start(port)
    bob = await village.person("bob")
    await acquainted(alice, bob)
    await said(bob, "@alice", "hello")
    await village.stop()
    for file in place.glob("server.db*"):
        file.unlink()
    (place / "server.db").write_bytes(kept)
    ears = [Heard(alice), Heard(bob)]
    await village.start(port)
    await restored(*ears)
    await said(alice, "@bob", "and hello")
    await ears[1].texts(1)
    assert texts(bob, "@alice") == texts(alice, "@bob") == Counter(("hello", "and hello"))
    for each in ears:
        assert not alarms(each)


async def test_a_second_restore_within_a_day_is_a_stop(village: Village) -> None:
    """Attack: a server makes people forget by restoring itself again and again. A day later it may."""
    alice = await village.person("alice")
    ears = Heard(alice)
    copy = Copied(village)
    await copy.back()
    await restored(ears)
    await alice.wait_live(PATIENCE_SECONDS)
    await copy.back()
    stopped = coterie.LinkChanged(coterie.LinkState.STOPPED, Code.LEDGER_SPLIT)
    await ears.until(lambda events: stopped in events)
    with pytest.raises(coterie.SecurityStop):
        await alice.send("@alice", "a note", timeout_seconds=PATIENCE_SECONDS)
    await alice.close()
    village.clock.pass_days(1.1)
    again = await village.back("alice")
    await said(again, "@alice", "a note")


async def test_a_second_restore_a_day_later_is_gone_along_with(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = [Heard(alice), Heard(bob)]
    for n in range(2):
        await said(alice, "@bob", f"before {n}")
        copy = Copied(village)
        await said(alice, "@bob", f"after {n}")
        await bob.close()
        await copy.back()
        await restored_times(ears[0], n + 1)
        bob = await village.back("bob")
        village.clock.pass_days(1.1)
    await said(bob, "@alice", "all there")
    wanted = Counter(("before 0", "after 0", "before 1", "after 1", "all there"))
    assert texts(bob, "@alice") == wanted == texts(alice, "@bob")
    assert not alarms(ears[0])


async def test_who_came_later_gets_no_key_of_what_is_sent_again(village: Village) -> None:
    """What was said before they came is not for them, although it stands behind them in the log now."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    copy = Copied(village)
    await said(alice, "everyone", "before carol")
    carol = await village.person("carol")
    await acquainted(alice, bob, carol)
    ears = [Heard(each) for each in (alice, bob, carol)]
    await copy.back()
    await restored(*ears)
    await said(alice, "everyone", "to three")
    await ears[2].until(lambda _: texts(carol, "everyone").total() > 0)
    await said(carol, "everyone", "heard")
    await ears[1].until(lambda _: texts(bob, "everyone").total() == 3)
    assert texts(carol, "everyone") == Counter(("to three", "heard"))
    await ears[2].until(lambda _: not carol._store.waiting() and not carol.health().undecryptable_now)
    assert carol.health().undecryptable_ever <= 1, "what was said before her keys were back may be asked for"
    (before,) = (row for row in alice._store.history(alice.everyone, 9, None) if row.text == "before carol")
    session = SessionId(before.session)
    assert carol._store.group_in(carol.everyone, alice.account, alice.device, session) is None
    assert not alarms(ears[2])


async def test_who_was_there_and_comes_back_late_gets_what_was_said_meanwhile(village: Village) -> None:
    """Carol joined in the last moment, and nobody has heard of her. What was said before is not for her."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    copy = Copied(village)
    await said(alice, "everyone", "before carol")
    for each in (alice, bob):
        await each.close()
    carol = await village.person("carol")
    await carol.wait_drained(PATIENCE_SECONDS)
    await carol.close()
    await copy.back()
    alice, bob = await village.back("alice"), await village.back("bob")
    await said(alice, "everyone", "meanwhile")
    assert alice.person("carol") is None
    carol = await village.back("carol")
    await Heard(carol).until(lambda _: texts(carol, "everyone").total() > 0)
    await said(alice, "everyone", "to three")
    await Heard(carol).until(lambda _: texts(carol, "everyone").total() > 1)
    await Heard(carol).until(lambda _: not carol._store.waiting())
    assert texts(carol, "everyone") == Counter(("meanwhile", "to three"))
    assert texts(bob, "everyone") == Counter(("before carol", "meanwhile", "to three"))


async def test_more_than_goes_at_once_comes_again_in_order(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(alice)
    copy = Copied(village)
    await bob.close()
    many = [f"number {n}" for n in range(AGAIN_WINDOWS * window.MOST + 50)]
    for text in many:
        await alice.post("@bob", text)
    await said(alice, "@bob", "the last")
    await copy.back()
    await restored(ears)
    await said(alice, "@bob", "and one more")
    again = await coterie.open(village.home("bob"), password=PASSWORD, clock=village.clock)
    heard = Heard(again)
    await village.keep(again)
    wanted = [*many, "the last", "and one more"]
    await heard.until(lambda _: texts(again, "@alice").total() == len(wanted))
    there = again.history(again.resolve("@alice"), limit=10_000)
    assert [message.text for message in there] == wanted
    assert not alarms(heard)


async def by_hand(messages: int, late: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        village = Village(Path(folder))
        await village.start()
        begun = time.monotonic()
        await whole(village, messages=messages, late=late)
        print(
            f"{messages} messages each of {late + 3} people: all well after {time.monotonic() - begun:.0f} s"
        )
        await village.close()


if __name__ == "__main__":
    asyncio.run(by_hand(int(sys.argv[1]), int(sys.argv[2])))
