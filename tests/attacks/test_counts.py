"""Dropped, doubled and re-numbered messages: every device counts what it says (encryption rule 14)."""

from __future__ import annotations

from coterie.client.core.gaps import KEY_WAIT_MS
from coterie.client.events import MessagesMissing
from coterie.client.store.records import Setting
from coterie.e2ee.group import Parent
from coterie.e2ee.vodo import GroupOut
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key


def missing(victim: Victim) -> list[tuple[str, int]]:
    """Everything that was told about missing messages, in order."""
    return [(each.name, each.count) for each in victim.shown if isinstance(each, MessagesMissing)]


def test_a_dropped_message_shows_once_and_until_it_comes(alice: Peer, bob: Victim) -> None:
    """Attack: the server leaves out one message. Rule 14: its number is missing, and that is told once; a
    restart does not tell it again. Where it comes after all, that is told too."""
    out = with_key(alice, bob, EVERYONE)
    said = [alice.message(out, EVERYONE, f"number {n}", n=n) for n in range(1, 5)]
    bob.log(said[0], said[2])
    assert missing(bob) == [("alice", 1)]
    bob.core = bob.new_core()
    bob.connect()
    bob.log(said[3])
    assert missing(bob) == [("alice", 1)]
    bob.log(said[1])
    assert missing(bob) == [("alice", 1), ("alice", 0)]
    assert [text for _, text in bob.texts(EVERYONE)] == ["number 1", "number 3", "number 4", "number 2"]


def test_what_was_said_before_ones_time_is_not_missing(alice: Peer, bob: Victim) -> None:
    """The first number that is held of a device begins its count."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "hello again", n=40))
    bob.log(alice.message(out, EVERYONE, "and again", n=41))
    assert missing(bob) == []


def test_what_waits_for_its_key_is_not_missing(alice: Peer, bob: Victim) -> None:
    """An entry that is here and cannot be opened yet is a matter of keys, for a minute."""
    out, unknown = with_key(alice, bob, EVERYONE), GroupOut.create()
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    early = GroupOut.from_pickle(unknown.pickle(b"k" * 32), b"k" * 32)
    bob.log(alice.message(unknown, EVERYONE, "two", n=2))
    bob.log(alice.message(out, EVERYONE, "three", n=3))
    assert missing(bob) == []
    with_key(alice, bob, EVERYONE, early)
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "three", "two"]
    assert missing(bob) == []


def test_no_entry_that_nobody_can_open_covers_a_dropped_message(alice: Peer, bob: Victim) -> None:
    """Attack: for each message that it drops the server puts another one there, which opens with no key."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1), alice.message(GroupOut.create(), EVERYONE, "x", n=9))
    bob.log(alice.message(out, EVERYONE, "three", n=3))
    assert missing(bob) == []
    for _ in range(2):
        bob.now_ms += KEY_WAIT_MS // 2
        bob.log(alice.message(GroupOut.create(), EVERYONE, "x", n=9))
    assert missing(bob) == [("alice", 1)]


def test_a_second_message_with_one_number_is_refused(alice: Peer, bob: Victim) -> None:
    """Attack: a device says two things under one number, one to these people and one to those. Rule 14: the
    second one is refused and counted, whatever its session and id."""
    bob.log(alice.message(with_key(alice, bob, EVERYONE), EVERYONE, "first", n=1))
    bob.log(alice.message(with_key(alice, bob, EVERYONE), EVERYONE, "another first", n=1))
    assert [text for _, text in bob.texts(EVERYONE)] == ["first"]
    assert bob.store.setting(Setting.BROKEN_COUNT) == (1).to_bytes(8, "big")


def test_the_newest_message_of_somebody_is_missed_by_what_others_had(
    alice: Peer, mallory: Peer, bob: Victim
) -> None:
    """Attack: the server drops all that somebody says from now on. Rule 14: others name it as a parent."""
    bob.log(alice.message(with_key(alice, bob, EVERYONE), EVERYONE, "one", n=1))
    out = with_key(mallory, bob, EVERYONE)
    had = (Parent(b"h" * 32, alice.device, 3),)
    bob.log(mallory.message(out, EVERYONE, "as alice said", n=1, parents=had))
    assert missing(bob) == [("alice", 2)]


def test_nobody_makes_somebody_else_seem_silenced_for_long(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: a member names messages that never were. Their device's own next number is what counts, and a
    number beyond all measure counts not at all."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    bob.log(alice.message(from_alice, EVERYONE, "one", n=1))
    for n, claim in ((1, 1 << 40), (2, 5)):
        named = (Parent(b"h" * 32, alice.device, claim),)
        bob.log(mallory.message(from_mallory, EVERYONE, f"lie {n}", n=n, parents=named))
    bob.log(alice.message(from_alice, EVERYONE, "two", n=2))
    assert missing(bob) == [("alice", 4), ("alice", 0)]
