"""Replayed pre-key, fallback and group messages, doubled and altered ones: each counts once."""

from __future__ import annotations

import secrets
from dataclasses import replace

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import MessageId
from coterie.client.store.records import DropOlm
from coterie.e2ee.vodo import GroupOut, OlmSession
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, respelled, with_key


def test_a_replayed_envelope_is_dropped_unopened(alice: Peer, bob: Victim) -> None:
    """Attack: the server delivers a first message again and again. Rule 10: known ids are dropped before
    opening, so that the replays count neither as a failure nor as news."""
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    direct = direct_id(alice.account, bob.account)
    out = GroupOut.create()
    posted = alice.envelope(olm, bob, alice.share_of(out, direct).pack())
    bob.mail(posted)
    for _ in range(limits.OLM_FAILURES_PER_HOUR + 1):
        bob.mail(posted)
    assert bob.waiting() == []
    later = GroupOut.create()
    bob.mail(alice.envelope(olm, bob, alice.share_of(later, direct).pack()))
    bob.log(alice.message(later, direct, "after all that"))
    assert bob.texts(direct) == [("alice", "after all that")]


def test_a_one_time_key_opens_one_session(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: somebody begins with a one-time key that was used before. Rule 11: it is gone after success."""
    key = bob.one_time_key()
    direct = direct_id(alice.account, bob.account)
    first = alice.keys.start(bob.keys.curve25519, key)
    bob.mail(alice.envelope(first, bob, alice.share_of(GroupOut.create(), direct).pack()))
    bob.core.keyring.forget()
    again = mallory.keys.start(bob.keys.curve25519, key)
    bob.mail(mallory.envelope(again, bob, mallory.share_of(GroupOut.create(), EVERYONE).pack()))
    assert [row.account for row in bob.waiting()] == [mallory.account]
    assert bob.store.olm_sessions(mallory.device) == []


def test_a_session_under_a_fallback_key_begins_once(mallory: Peer, bob: Victim) -> None:
    """Attack: a fallback key opens the same first message again and again, so an old session of a peer could
    be begun anew, ratchet and all, once its end here was dropped. Rule 11: its id is remembered for ever."""
    fallback = bob.fallback_key()
    olm = mallory.keys.start(bob.keys.curve25519, fallback)
    copy = OlmSession.from_pickle(olm.pickle(b"k" * 32), b"k" * 32)
    bob.mail(mallory.envelope(olm, bob, mallory.share_of(GroupOut.create(), EVERYONE).pack()))
    (row,) = bob.store.olm_sessions(mallory.device)
    bob.apply(DropOlm(row.session))
    bob.core.keyring.forget()
    replayed = GroupOut.create()
    bob.mail(mallory.envelope(copy, bob, mallory.share_of(replayed, EVERYONE).pack()))
    bob.log(mallory.message(replayed, EVERYONE, "from the past"))
    assert bob.texts(EVERYONE) == []
    assert bob.store.olm_sessions(mallory.device) == []


def test_a_doubled_message_counts_once(alice: Peer, bob: Victim) -> None:
    """Attack: the server puts one message into the log twice. Rule 14: known by its sender's device, its
    conversation and its id, and neither shown nor kept a second time."""
    out = with_key(alice, bob, EVERYONE)
    said = alice.message(out, EVERYONE, "once")
    bob.log(said)
    bob.log(said, said)
    assert bob.texts(EVERYONE) == [("alice", "once")]
    assert bob.waiting() == []


def test_a_message_under_another_id_is_refused(alice: Peer, bob: Victim) -> None:
    """Attack: the server doubles a message under an id that was never seen. Rule 14: the id stands inside."""
    out = with_key(alice, bob, EVERYONE)
    said = alice.message(out, EVERYONE, "once")
    bob.log(replace(said, message=MessageId(secrets.token_bytes(16))))
    assert bob.texts(EVERYONE) == []
    bob.log(said)
    assert bob.texts(EVERYONE) == [("alice", "once")]


def test_a_message_in_another_conversation_is_refused(alice: Peer, bob: Victim) -> None:
    """Attack: what was said to one is shown in another conversation. Rules 13 and 14: the session is found
    by its conversation, and the conversation stands inside; so even a sender who gives one key to two is
    refused."""
    direct = direct_id(alice.account, bob.account)
    out = GroupOut.create()
    with_key(alice, bob, direct, out)
    with_key(alice, bob, EVERYONE, out)
    said = alice.message(out, direct, "between us")
    bob.log(replace(said, conversation=EVERYONE))
    assert bob.texts(EVERYONE) == []
    bob.log(said)
    assert bob.texts(direct) == [("alice", "between us")]


def test_an_altered_encoding_is_the_same_message(alice: Peer, bob: Victim) -> None:
    """Attack: ciphertexts are malleable; the server delivers one message in two encodings, the second under
    an id of its own. Rule 14: nothing is known by its ciphertext."""
    out = with_key(alice, bob, EVERYONE)
    said = alice.message(out, EVERYONE, "once")
    bob.log(respelled(said))
    assert bob.texts(EVERYONE) == [("alice", "once")]
    bob.log(said)
    assert bob.waiting() == []
    bob.log(replace(respelled(said), message=MessageId(secrets.token_bytes(16))))
    assert bob.texts(EVERYONE) == [("alice", "once")]


def test_two_messages_under_one_index_are_not_both_believed(alice: Peer, bob: Victim) -> None:
    """Attack: a sender's ratchet was rolled back, or it forks it: two texts under one key. Rule 14: an
    index of a session counts once."""
    out = with_key(alice, bob, EVERYONE)
    copy = GroupOut.from_pickle(out.pickle(b"k" * 32), b"k" * 32)
    bob.log(alice.message(out, EVERYONE, "to bob"))
    bob.log(alice.message(copy, EVERYONE, "to bob again", n=2))
    assert bob.texts(EVERYONE) == [("alice", "to bob")]
