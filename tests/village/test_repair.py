"""Whatever is lost on the way comes again by itself: nobody presses anything (encryption rule 24)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import msgspec
import pytest

import coterie
from coterie.base import limits
from coterie.base.ids import AccountId
from coterie.client.api.me import Me
from coterie.client.core import repair_asking
from coterie.client.store.records import DropOlm
from coterie.e2ee.group import KeyShare
from coterie.wire.frames import Claimed, LogEntries, MailboxEntries, ServerFrame
from coterie.wire.frames.messages import LogEntry, MailboxEntry
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted
from tests.village.liar import Liar, Said
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Liar:
    return Liar(monkeypatch)


E = TypeVar("E", LogEntry, MailboxEntry)


def texts(me: Me, name: str) -> list[str]:
    return [each.text for each in me.history(me.resolve(name), limit=20_000)]


def unreadable(me: Me) -> int:
    return me.health().undecryptable_now


async def whole(me: Me, name: str, said: list[str]) -> None:
    """Until a conversation is what was said, in order, and nothing is awaited any more."""
    await Heard(me).until(lambda _: texts(me, name) == said and not unreadable(me))


def fetching(heard: Heard) -> list[coterie.MessagesFetching]:
    return [event for event in heard.events if isinstance(event, coterie.MessagesFetching)]


def missing(heard: Heard) -> list[int]:
    return [event.count for event in heard.events if isinstance(event, coterie.MessagesMissing)]


class Thief:
    """Drops or doubles chosen entries on their way to one account with one device, and counts on as if they
    had never been, or had been always. drops, drops_mail: how many of the next."""

    def __init__(self, liar: Liar, victim: AccountId) -> None:
        self.drops = 0
        self.drops_mail = 0
        self.doubles = False
        self._taken: dict[bytes, int] = {}
        liar.victim = victim
        liar.lie = self.lie

    def lie(self, frame: ServerFrame) -> Iterable[Said]:
        match frame:
            case LogEntries():
                entries = self._left(frame.stream, frame.entries)
                return (msgspec.structs.replace(frame, entries=entries),) if entries else ()
            case MailboxEntries():
                mail = self._left(frame.stream, frame.entries)
                return (msgspec.structs.replace(frame, entries=mail),) if mail else ()
            case _:
                return (frame,)

    def _left(self, stream: bytes, entries: tuple[E, ...]) -> tuple[E, ...]:
        left: list[E] = []
        for entry in entries:
            taken = self._taken.setdefault(stream, 0)
            if self._drops_one(entry):
                self._taken[stream] += 1
                continue
            left.append(msgspec.structs.replace(entry, seq=entry.seq - taken))
            if self.doubles and isinstance(entry, LogEntry):
                self._taken[stream] -= 1
                left.append(msgspec.structs.replace(entry, seq=entry.seq - taken + 1))
        return tuple(left)

    def _drops_one(self, entry: LogEntry | MailboxEntry) -> bool:
        if isinstance(entry, LogEntry):
            self.drops -= 1
            return self.drops >= 0
        self.drops_mail -= 1
        return self.drops_mail >= 0


async def test_what_the_server_drops_is_shown_and_comes(village: Village, liar: Liar) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    heard = Heard(bob)
    await alice.send("@bob", "0")
    await heard.texts(1)
    thief = Thief(liar, bob.account)
    said = ["0"]
    for number in range(1, 12):
        thief.drops = dropped = int(number % 4 != 0 and number != 11)
        said.append(str(number))
        await alice.send("@bob", said[-1])
        if not dropped:
            await heard.until(lambda _: texts(bob, "@alice")[-1] == said[-1])
    await whole(bob, "@alice", said)
    await heard.until(lambda _: fetching(heard)[-1].places == () and missing(heard)[-1] == 0)
    told = fetching(heard)
    assert max(sum(place.count for place in event.places) for event in told) >= 3
    assert missing(heard)[0] > 0
    assert bob.health().undecryptable_ever == 8
    assert next(each for each in bob.conversations() if each.target == "@alice").unread == len(said)
    assert [each.text for each in bob.search("7")] == ["7"]


async def test_what_the_server_doubles_is_shown_once(village: Village, liar: Liar) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    thief = Thief(liar, bob.account)
    thief.doubles = True
    said = [str(number) for number in range(5)]
    for text in said:
        await alice.send("@bob", text)
    await whole(bob, "@alice", said)
    assert len(Heard(bob).messages()) == 0


def hold_back_mail(liar: Liar, victim: AccountId) -> list[ServerFrame]:
    """Nothing of the victim's mailbox goes out; what is held back."""
    held: list[ServerFrame] = []

    def lie(frame: ServerFrame) -> Iterable[Said]:
        if isinstance(frame, MailboxEntries):
            held.append(frame)
            return ()
        return (frame,)

    liar.victim, liar.lie = victim, lie
    return held


async def test_a_message_before_its_key_waits_for_it(village: Village, liar: Liar) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    held = hold_back_mail(liar, bob.account)
    await alice.send("@bob", "first")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not unreadable(bob):
            await asyncio.sleep(0)
    assert held
    liar.lie = None
    liar.hang_up_on_the_victim()
    await whole(bob, "@alice", ["first"])


def lose_one_time_keys(me: Me) -> None:
    """The private halves of all keys that the server holds are gone: a device keeps the newest 5000."""
    for _ in range(101):
        me._core.keyring.device.new_one_time_keys(50)


async def test_a_lost_one_time_key_ends_as_a_message(village: Village) -> None:
    """The envelope never opens; bob begins a session of his own, and what alice says next goes by that."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    lose_one_time_keys(bob)
    await alice.send("@bob", "first")
    await alice.send("@bob", "second")
    await whole(bob, "@alice", ["first", "second"])
    await bob.send("@alice", "third")
    await whole(alice, "@bob", ["first", "second", "third"])
    assert bob._store.waiting() != []


async def test_a_fallback_key_that_two_begin_with_opens_for_both(village: Village, liar: Liar) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    words = alice.recovery_key
    await acquainted(alice, bob)

    def without(frame: ServerFrame) -> Iterable[Said]:
        if isinstance(frame, Claimed):
            keys = tuple(msgspec.structs.replace(each, one_time=b"") for each in frame.keys)
            return (msgspec.structs.replace(frame, keys=keys),)
        return (frame,)

    liar.victim, liar.lie = alice.account, without
    second = await second_of(village, alice, words)
    await acquainted(second, bob)
    await alice.send("@bob", "from the first")
    await whole(bob, "@alice", ["from the first"])
    await second.send("@bob", "from the second")
    await whole(bob, "@alice", ["from the first", "from the second"])
    await bob.send("@alice", "for both")
    for device in (alice, second):
        await whole(device, "@bob", ["from the first", "from the second", "for both"])


async def test_a_key_for_the_wrong_conversation_is_refused_and_made_good(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    honest = KeyShare.pack
    wrong: list[KeyShare] = []

    def pack(share: KeyShare) -> bytes:
        if not wrong:
            wrong.append(share)
            share = msgspec.structs.replace(share, conversation=alice.everyone)
        return honest(share)

    monkeypatch.setattr(KeyShare, "pack", pack)
    await alice.send("@bob", "first")
    assert wrong
    await whole(bob, "@alice", ["first"])


def forget_sessions(me: Me) -> None:
    """As if every session between devices had been lost."""
    store, core = me._store, me._core
    rows = [row for device in store.live_devices() for row in store.olm_sessions(device.device)]
    store.begin()
    store.apply(DropOlm(row.session) for row in rows)
    store.commit()
    core.keyring.forget()


async def test_both_lose_their_sessions_at_once(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 1)
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "first")
    await whole(bob, "@alice", ["first"])
    await bob.send("@alice", "second")
    await whole(alice, "@bob", ["first", "second"])
    forget_sessions(alice)
    forget_sessions(bob)
    await asyncio.gather(alice.send("@bob", "third"), bob.send("@alice", "fourth"))
    await alike(alice, bob, {"first", "second", "third", "fourth"})


async def test_one_side_loses_its_sessions(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 1)
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "first")
    await whole(bob, "@alice", ["first"])
    forget_sessions(bob)
    await alice.send("@bob", "second")
    await alice.send("@bob", "third")
    await whole(bob, "@alice", ["first", "second", "third"])


async def alike(one: Me, other: Me, said: set[str]) -> None:
    """Until both have all of it, in whatever order it came."""
    await alike_set(one, "@" + other.name, said)
    await alike_set(other, "@" + one.name, said)


async def test_ten_thousand_steps_of_a_session_are_skipped(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "first")
    row = alice._store.group_out(alice.resolve("@bob"))
    assert row is not None
    for _ in range(10_000):
        alice._core.keyring.group_out(row).seal(b"that goes nowhere")
    await alice.send("@bob", "second")
    await whole(bob, "@alice", ["first", "second"])


async def test_keys_and_messages_are_lost_while_sessions_change(
    village: Village, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every message brings a session of its own; of some the key is lost, of some the message, or what
    was given in its place. What was dropped right before an entry that did not open stands behind it."""
    monkeypatch.setattr(repair_asking, "PAUSE_MS", 500)
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 1)
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "0")
    await whole(bob, "@alice", ["0"])
    thief = Thief(liar, bob.account)
    said = ["0"]
    for number in range(1, 10):
        thief.drops, thief.drops_mail = int(number % 3 == 1), int(number % 3 == 2)
        said.append(str(number))
        await alice.send("@bob", said[-1])
    await alike_set(bob, "@alice", set(said))


async def test_two_devices_speak_at_once_through_a_thief(village: Village, liar: Liar) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    words = alice.recovery_key
    await acquainted(alice, bob)
    second = await second_of(village, alice, words)
    await acquainted(second, bob)
    await alice.send("@bob", "a")
    await second.send("@bob", "b")
    await alike_set(bob, "@alice", {"a", "b"})
    thief = Thief(liar, bob.account)
    said = {"a", "b"}
    for number in range(8):
        thief.drops = int(number < 6)
        pair = (f"a{number}", f"b{number}")
        said |= set(pair)
        await asyncio.gather(alice.send("@bob", pair[0]), second.send("@bob", pair[1]))
    for me, name in ((bob, "@alice"), (alice, "@bob"), (second, "@bob")):
        await alike_set(me, name, said)


async def alike_set(me: Me, name: str, said: set[str]) -> None:
    await Heard(me).until(lambda _: sorted(texts(me, name)) == sorted(said) and not unreadable(me))


async def test_a_device_is_revoked_while_messages_are_lost(village: Village, liar: Liar) -> None:
    alice, bob, carol = [await village.person(name) for name in ("alice", "bob", "carol")]
    words = bob.recovery_key
    await acquainted(alice, bob, carol)
    second = await second_of(village, bob, words)
    await acquainted(second, alice)
    await alice.send("@bob", "first")
    await whole(bob, "@alice", ["first"])
    await alice.send("@carol", "first")
    await whole(carol, "@alice", ["first"])
    thief = Thief(liar, carol.account)
    thief.drops = 1
    await asyncio.gather(
        alice.send("@carol", "second"),
        bob.revoke_device(second.device, password=PASSWORD),
        alice.send("@bob", "second"),
    )
    await alice.send("@carol", "third")
    await whole(carol, "@alice", ["first", "second", "third"])
    await whole(bob, "@alice", ["first", "second"])


async def test_another_own_device_gives_what_the_sender_is_not_there_to_give(
    village: Village, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alice is gone; another member has named what she said, and bob's other device has it."""
    monkeypatch.setattr(repair_asking, "PAUSE_MS", 500)
    alice, bob, carol = [await village.person(name) for name in ("alice", "bob", "carol")]
    words = bob.recovery_key
    await acquainted(alice, bob, carol)
    await alice.send("everyone", "zero")
    await whole(bob, "everyone", ["zero"])
    await whole(carol, "everyone", ["zero"])
    second = await second_of(village, bob, words)
    await bob.confirm_device(second.device)
    await acquainted(second, alice, carol)
    await alice.send("everyone", "one")
    await whole(second, "everyone", ["one"])
    await bob.close()
    await alice.send("everyone", "two")
    await whole(second, "everyone", ["one", "two"])
    await whole(carol, "everyone", ["zero", "one", "two"])
    await alice.close()
    thief = Thief(liar, AccountId(bytes(32)))
    thief.drops = 1
    liar.victim = bob.account
    bob = await village.keep(await coterie.open(village.home("bob"), password=PASSWORD, clock=village.clock))
    await carol.send("everyone", "as alice said")
    await whole(bob, "everyone", ["zero", "one", "two", "as alice said"])
