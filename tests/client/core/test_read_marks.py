"""What was read on one own device is told the others, and taken from nobody else."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId, EnvelopeId
from coterie.client.commands import Disconnected, MarkRead, Tick
from coterie.client.core import read_marks
from coterie.client.core.read_marks import JITTER_MS, PAUSE_MS, WAITS_MS
from coterie.client.events import ConversationChanged, ConversationKind
from coterie.client.store.records import ConversationRow, DropPeerFreshKey, WaitingReason
from coterie.content.read_marks import ReadMark, ReadMarks
from coterie.e2ee.pairwise import PlainKind, seal_envelope
from coterie.e2ee.vodo import GroupOut
from coterie.wire.frames import LedgerGrew
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, X_WING_ID, Peer, Posted
from tests.attacks.street import Victim, with_key
from tests.attacks.test_owed import Fickle, another_device, fickle
from tests.client.core.told import contents_for

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


@pytest.fixture
def phone(bob: Victim, fickle: Fickle) -> Peer:
    """Another device of bob's, to which a session stands once he has said something."""
    made = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    return made


def told(sender: Peer, victim: Victim, content: bytes) -> Posted:
    """Read marks from a device, in a new Olm session."""
    olm = sender.keys.start(victim.keys.curve25519, victim.one_time_key())
    envelope = EnvelopeId(b"e" * 16)
    sealed = seal_envelope(
        olm,
        sender.party,
        victim.party,
        envelope,
        PlainKind.READ_MARKS,
        content,
        X_WING_ID,
        victim.x_wing.public,
    )
    return Posted(sender, envelope, sealed)


def hears(victim: Victim, sender: Peer, *texts: str) -> None:
    """Messages to everyone come, from seq 1 on."""
    out = with_key(sender, victim, EVERYONE)
    victim.log(*(sender.message(out, EVERYONE, text, n=n) for n, text in enumerate(texts, 1)))


def unread(victim: Victim) -> int:
    return victim.store.unread(EVERYONE)[0]


def pause(victim: Victim) -> None:
    victim.now_ms += PAUSE_MS + JITTER_MS
    victim.command(Tick())


def marks_for(phone: Peer, server: Fickle, bob: Victim) -> list[ReadMarks]:
    """What the phone reads in all its envelopes that are no keys; once, for it has each Olm message once."""
    return [ReadMarks.unpack(each) for each in contents_for(phone, server, bob, PlainKind.READ_MARKS)]


def test_what_an_own_device_read_is_read_here(bob: Victim, alice: Peer, phone: Peer) -> None:
    """Also what comes only after the mark; a conversation that is not here is passed over."""
    hears(bob, alice, "one", "two", "three")
    assert unread(bob) == 3
    bob.shown.clear()
    bob.mail(told(phone, bob, ReadMarks((ReadMark(EVERYONE, 2), ReadMark(b"?" * 16, 9))).pack()))
    assert unread(bob) == 1
    changed = [each.conversation for each in bob.shown if isinstance(each, ConversationChanged)]
    assert [(each.id, each.unread) for each in changed] == [(EVERYONE, 1)]


def test_nobody_else_says_what_is_read(bob: Victim, alice: Peer, phone: Peer) -> None:
    """Attack: a member tells Bob's program that he has read everything. It keeps no such word."""
    hears(bob, alice, "one")
    everything = ReadMarks((ReadMark(EVERYONE, 1 << 62),)).pack()
    bob.mail(told(alice, bob, everything))
    assert unread(bob) == 1
    bob.mail(told(phone, bob, everything[:-1]))
    assert unread(bob) == 1
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN] * 2


def test_what_is_read_is_told_once_and_a_while_later(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    hears(bob, alice, "one", "two")
    before = len(fickle.items(phone))
    order = bob.store.unread(EVERYONE)[1]
    bob.command(MarkRead(EVERYONE, order))
    bob.command(Tick())
    assert len(fickle.items(phone)) == before
    pause(bob)
    pause(bob)
    assert len(fickle.items(phone)) == before + 1
    bob.command(MarkRead(EVERYONE, order + 1))
    bob.command(MarkRead(EVERYONE, order + 1))
    pause(bob)
    bob.command(MarkRead(EVERYONE, order + 1))
    pause(bob)
    assert bob.store.envelopes_out() == []
    said = [ReadMarks((ReadMark(EVERYONE, seq),)) for seq in (1, 2)]
    assert marks_for(phone, fickle, bob) == said


def test_nothing_is_told_without_a_connection_and_all_of_it_with_the_next(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    hears(bob, alice, "one", "two")
    pause(bob)
    before = len(fickle.items(phone))
    bob.command(Disconnected(None, False))
    bob.command(MarkRead(EVERYONE, bob.store.unread(EVERYONE)[1] + 1))
    pause(bob)
    assert len(fickle.items(phone)) == before
    bob.connect()
    pause(bob)
    assert marks_for(phone, fickle, bob)[-1] == ReadMarks((ReadMark(EVERYONE, 2),))


def test_what_does_not_fit_comes_with_the_next(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_marks, "MARKS_MOST", 1)
    bob.say(alice, "so that there are sessions")
    talk = direct_id(bob.account, alice.account)
    hears(bob, alice, "one")
    out = with_key(alice, bob, talk)
    bob.log(alice.message(out, talk, "to you"))
    for conversation in (EVERYONE, talk):
        bob.command(MarkRead(conversation, bob.store.last_order()))
    pause(bob)
    pause(bob)
    said = marks_for(phone, fickle, bob)
    assert {each.marks[0].conversation for each in said} == {EVERYONE, talk}
    assert len(said) == 2


def test_while_the_own_devices_are_not_proven_nobody_is_told(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    hears(bob, alice, "one")
    before = len(fickle.items(phone))
    bob.core.people.unproven.add(bob.account)
    bob.command(MarkRead(EVERYONE, bob.store.last_order()))
    pause(bob)
    assert len(fickle.items(phone)) == before
    bob.core.people.unproven.clear()
    pause(bob)
    assert len(fickle.items(phone)) == before + 1


def test_a_device_without_a_session_is_told_nothing(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    hears(bob, alice, "one")
    bob.command(MarkRead(EVERYONE, bob.store.last_order()))
    pause(bob)
    assert fickle.items(phone) == []
    row = bob.store.conversation(EVERYONE)
    assert row is not None
    assert row.told_seq == 1


def test_what_waits_to_be_opened_is_not_read(bob: Victim, alice: Peer, phone: Peer, fickle: Fickle) -> None:
    """Until its key is here, or a day is over: it may never open."""
    bob.say(alice, "so that there are sessions")
    hears(bob, alice, "one")
    talk = direct_id(bob.account, alice.account)
    keyless, later = GroupOut.create(), GroupOut.create()
    bob.log(alice.message(keyless, EVERYONE, "two", n=2))
    bob.log(alice.message(later, talk, "to you"))
    bob.command(MarkRead(EVERYONE, bob.store.last_order()))
    pause(bob)
    with_key(alice, bob, talk, later)
    bob.command(MarkRead(talk, bob.store.last_order()))
    bob.now_ms += WAITS_MS
    pause(bob)
    said = [set(each.marks) for each in marks_for(phone, fickle, bob)]
    assert said == [{ReadMark(EVERYONE, 1)}, {ReadMark(EVERYONE, 2), ReadMark(talk, 1)}]


def test_a_conversation_without_a_log_is_not_told(bob: Victim, phone: Peer, fickle: Fickle) -> None:
    bob.apply(ConversationRow(ConversationId(b"c" * 16), ConversationKind.DIRECT, bytes(32)))
    bob.command(MarkRead(ConversationId(b"c" * 16), 1))
    pause(bob)
    assert fickle.items(phone) == []


def test_a_device_whose_keys_are_too_old_is_told_nothing(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    hears(bob, alice, "one")
    before = len(fickle.items(phone))
    keys = bob.store.peer_keys(phone.device)
    assert keys is not None
    old_ms = bob.now_ms - limits.PREKEY_MAX_AGE_MS - 1
    bob.apply(msgspec.structs.replace(keys, x_wing_created_ms=old_ms), DropPeerFreshKey(phone.device))
    bob.command(MarkRead(EVERYONE, bob.store.last_order()))
    pause(bob)
    assert len(fickle.items(phone)) == before
