"""Dropped, doubled and re-numbered messages: every device counts what it says (encryption rule 14)."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.ids import log_of, mailbox_of
from coterie.client.commands import Connected
from coterie.client.core.gaps import KEY_WAIT_MS
from coterie.client.events import MessagesMissing
from coterie.client.store.records import Setting
from coterie.e2ee.group import Parent
from coterie.e2ee.vodo import GroupOut
from coterie.wire.frames import Ready
from coterie.wire.frames.connection import StreamEnd
from tests.attacks.peers import EVERYONE, LIFE, Peer
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
    assert [text for _, text in bob.texts(EVERYONE)] == ["number 1", "number 2", "number 3", "number 4"]


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
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "two", "three"]
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


def connect_as_dormant(victim: Victim, after: int, to: int) -> None:
    """A new connection, on which the server says that what stands in the log of everyone behind one place up
    to another came while the victim's device was dormant."""
    victim._seqs[log_of(EVERYONE)] = after
    mail = mailbox_of(victim.device)
    ends = (
        StreamEnd(mail, victim._seqs[mail], victim._seqs[mail]),
        StreamEnd(log_of(EVERYONE), after, to, after, to),
    )
    ledger = victim.server.ledger
    victim.command(Connected(Ready(1, ends, ledger.view.size, ledger.head(), 50), LIFE, b""))
    victim._seqs[log_of(EVERYONE)] = to


def test_no_server_makes_counts_begin_anew(alice: Peer, bob: Victim) -> None:
    """Attack: the server leaves out messages, and says that Bob's device was dormant meanwhile. Rule 14: a
    device knows by its own keys whether it may have been."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    bob.now_ms += 28 * limits.DAY_MS
    connect_as_dormant(bob, 1, 4)
    bob.log(alice.message(out, EVERYONE, "five", n=5))
    assert missing(bob) == [("alice", 3)]


def test_behind_a_dormant_time_counts_begin_anew(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """What was said meanwhile was not for Bob's device, whoever names it; what is left out afterwards is
    missing as ever. A message from before whose key comes late belongs to the count that was."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    unknown = GroupOut.create()
    early = GroupOut.from_pickle(unknown.pickle(b"k" * 32), b"k" * 32)
    had = (Parent(b"h" * 32, alice.device, 2),)
    bob.log(alice.message(from_alice, EVERYONE, "one", n=1))
    bob.log(mallory.message(from_mallory, EVERYONE, "one", n=1))
    bob.log(alice.message(unknown, EVERYONE, "two", n=2))
    bob.log(mallory.message(GroupOut.create(), EVERYONE, "of a key that never comes", n=2, parents=had))
    bob.now_ms += 31 * limits.DAY_MS
    connect_as_dormant(bob, 4, 9)
    assert missing(bob) == []
    had = (Parent(b"h" * 32, alice.device, 6),)
    bob.log(mallory.message(from_mallory, EVERYONE, "alice was here", n=4, parents=had))
    bob.log(alice.message(from_alice, EVERYONE, "seven", n=7))
    with_key(alice, bob, EVERYONE, early)
    assert missing(bob) == []
    assert [text for _, text in bob.texts(EVERYONE)][2] == "two"
    bob.log(alice.message(from_alice, EVERYONE, "nine", n=9))
    assert missing(bob) == [("alice", 1)]
    had = (Parent(b"h" * 32, alice.device, 10),)
    bob.log(mallory.message(from_mallory, EVERYONE, "there is one more", n=5, parents=had))
    assert missing(bob) == [("alice", 1), ("alice", 2)]


def test_what_is_left_out_before_a_dormant_time_is_missing(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """It is handed afterwards, and counted as what went before it."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    bob.now_ms += 31 * limits.DAY_MS
    connect_as_dormant(bob, 1, 9)
    bob._seqs[log_of(EVERYONE)] = 1
    had = (Parent(b"h" * 32, alice.device, 4),)
    from_mallory = with_key(mallory, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "three", n=3))
    bob.log(mallory.message(from_mallory, EVERYONE, "alice said four", n=1, parents=had))
    assert missing(bob) == [("alice", 1), ("alice", 2)]
    bob._seqs[log_of(EVERYONE)] = 9
    bob.log(alice.message(out, EVERYONE, "behind it", n=9))
    assert missing(bob) == [("alice", 1), ("alice", 2)]


def test_who_is_first_heard_from_before_a_dormant_time_is_counted_anew_behind_it(
    alice: Peer, bob: Victim
) -> None:
    out = with_key(alice, bob, EVERYONE)
    bob.now_ms += 31 * limits.DAY_MS
    connect_as_dormant(bob, 1, 9)
    bob._seqs[log_of(EVERYONE)] = 1
    bob.log(alice.message(out, EVERYONE, "from before", n=3))
    bob._seqs[log_of(EVERYONE)] = 9
    bob.log(alice.message(out, EVERYONE, "behind it", n=9))
    assert missing(bob) == []
