"""Sessions end and their keys go: what a thief of a device finds opens little (encryption rules 15, 16)."""

from __future__ import annotations

import secrets

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId, MessageId
from coterie.client.commands import Say, Tick
from coterie.client.store.records import WaitingReason
from coterie.content.body import Text
from coterie.e2ee.vodo import GroupOut
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key

TEN_MINUTES_MS = 10 * 60 * 1000


def sessions(victim: Victim) -> list[bytes]:
    return [frame.session for frame in victim.server.sends()]


def pickle(victim: Victim, sender: Peer, conversation: ConversationId, out: GroupOut) -> bytes:
    """What is kept of somebody's session."""
    row = victim.store.group_in(conversation, sender.account, sender.device, out.id)
    assert row is not None
    return row.pickle


def tick(victim: Victim, after_ms: int) -> None:
    victim.now_ms += after_ms
    victim.command(Tick())


def test_a_direct_session_ends_when_the_other_one_speaks_but_not_sooner_than_ten_minutes(
    alice: Peer, bob: Victim
) -> None:
    """Attack: whoever once took a session's key reads on. Rule 15: each change of speaker brings a new one,
    sealed by ratchets that have moved since, every ten minutes at the most."""
    direct = direct_id(alice.account, bob.account)
    out = with_key(alice, bob, direct)
    bob.say(alice, "one")
    bob.log(alice.message(out, direct, "answer", n=1))
    bob.say(alice, "two")
    bob.now_ms += TEN_MINUTES_MS
    bob.say(alice, "three")
    bob.now_ms += 1
    bob.say(alice, "four")
    bob.say(alice, "five")
    first, second, third, fourth, fifth = sessions(bob)
    assert first == second == third != fourth == fifth
    bob.now_ms += TEN_MINUTES_MS + 1
    bob.say(alice, "nobody else spoke since")
    assert sessions(bob)[-1] == fifth


def test_in_everyone_a_change_of_speaker_ends_no_session(alice: Peer, bob: Victim) -> None:
    out = with_key(alice, bob, EVERYONE)
    for number in range(2):
        bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text("to all")))
        bob.log(alice.message(out, EVERYONE, "said", n=1 + number))
        bob.now_ms += TEN_MINUTES_MS + 1
    first, second = sessions(bob)
    assert first == second


def test_the_key_of_a_session_goes_a_day_after_the_next_one_began(alice: Peer, bob: Victim) -> None:
    """Attack: a thief takes the device and has what the server kept. Rule 16: keys of sessions that others
    have left behind are gone, and a message under one is refused, also where its key is given again."""
    old = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(old, EVERYONE, "old", n=1))
    copy = GroupOut.from_pickle(old.pickle(b"k" * 32), b"k" * 32)
    new = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(new, EVERYONE, "new", n=2))
    tick(bob, limits.DAY_MS - 1)
    assert pickle(bob, alice, EVERYONE, old)
    tick(bob, limits.PRUNE_EVERY_MS)
    assert pickle(bob, alice, EVERYONE, old) == b""
    assert pickle(bob, alice, EVERYONE, new)
    bob.log(alice.message(copy, EVERYONE, "too late", n=3))
    with_key(alice, bob, EVERYONE, copy)
    bob.log(alice.message(copy, EVERYONE, "later still", n=4))
    bob.log(alice.message(new, EVERYONE, "on time", n=3))
    assert [text for _, text in bob.texts(EVERYONE)] == ["old", "new", "on time"]
    assert {row.reason for row in bob.waiting()} == {WaitingReason.NO_KEY}


def test_a_session_that_nothing_followed_keeps_its_key(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Nothing is lost: a quiet sender goes on under the same session, whatever others do."""
    out, other = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "before", n=1))
    bob.log(mallory.message(other, EVERYONE, "between", n=1))
    with_key(alice, bob, EVERYONE)
    tick(bob, 40 * limits.DAY_MS)
    bob.log(alice.message(out, EVERYONE, "after", n=2))
    assert [text for _, text in bob.texts(EVERYONE)] == ["before", "between", "after"]


def test_keys_of_own_sessions_go_once_nobody_needs_them(alice: Peer, bob: Victim) -> None:
    """Rule 13: the first key of a sending session opens all of it, so it is kept no longer than needed: while
    a restored server may have to get the message again."""
    bob.say(alice, "one")
    (session,) = set(sessions(bob))
    row = bob.store.group_out(direct_id(alice.account, bob.account))
    assert row is not None
    assert row.session == session
    assert bob.store.kept_key(row.session) is not None
    bob.now_ms += limits.ROTATE_DIRECT_MS + 1
    bob.say(alice, "two")
    tick(bob, limits.PRUNE_EVERY_MS)
    assert bob.store.kept_key(row.session) is not None
    tick(bob, limits.KEEP_SENT_MS)
    assert bob.store.kept_key(row.session) is None
