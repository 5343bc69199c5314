"""Envelopes and entries that cannot be what they say: who sent them, what opens them, where they belong."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import DeviceId
from coterie.client.commands import Tick
from coterie.client.store.records import WaitingReason
from coterie.e2ee.vodo import DeviceKeys, GroupOut
from coterie.ledger.manifest import sign_manifest
from coterie.wire.frames import LedgerGrew
from tests.attacks.couple import garbled
from tests.attacks.peers import EVERYONE, NOW_MS, Peer
from tests.attacks.street import Server, Victim, with_key


def reasons(victim: Victim) -> list[WaitingReason]:
    return [row.reason for row in victim.waiting()]


def test_a_revoked_device_is_not_opened(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: whoever has a device that Alice revoked goes on with it, and the server delivers that. Rule 9:
    nothing of it is opened, and nothing of it is kept to be opened later."""
    lost, lost_keys = alice.device, alice.keys
    desk = alice.entry()
    alice.device, alice.keys = DeviceId(b"d" * 16), DeviceKeys.create()
    laptop = msgspec.structs.replace(alice.entry(), approved_by=lost)
    both = alice.sign(desk, laptop, after=alice.signed)
    alice.signed = sign_manifest(both.manifest, alice.identity, lost, lost_keys)
    server.ledger.add(alice.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    gone = msgspec.structs.replace(desk, revoked_ms=NOW_MS + 1, name="", curve25519=b"")
    alice.signed = alice.sign(gone, laptop, after=alice.signed)
    server.ledger.add(alice.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    assert bob.core.people.rows[alice.account].seq == 3
    alice.device, alice.keys = lost, lost_keys
    with_key(alice, bob, EVERYONE)
    assert bob.waiting() == []
    assert bob.store.olm_sessions(lost) == []


def test_a_device_that_fails_too_often_waits_an_hour(mallory: Peer, bob: Victim) -> None:
    """Attack: a member has Bob's program try envelope after envelope that does not open. Rule 10: after so
    many it tries no more of them for an hour, and loses nothing by that."""
    olm = mallory.keys.start(bob.keys.curve25519, bob.one_time_key())
    out = GroupOut.create()
    good = mallory.envelope(olm, bob, mallory.share_of(out, EVERYONE).pack())
    for _ in range(limits.OLM_FAILURES_PER_HOUR):
        bob.mail(garbled(good))
    assert set(reasons(bob)) == {WaitingReason.BROKEN}
    bob.mail(good)
    bob.log(mallory.message(out, EVERYONE, "at last"))
    assert set(reasons(bob)) == {
        WaitingReason.BROKEN,
        WaitingReason.TOO_MANY_FAILURES,
        WaitingReason.NO_KEY,
    }
    assert bob.texts(EVERYONE) == []
    bob.now_ms += limits.HOUR_MS
    bob.command(Tick())
    assert bob.texts(EVERYONE) == [("mallory", "at last")]
    assert set(reasons(bob)) == {WaitingReason.BROKEN}


def test_what_belongs_to_no_session_here_is_broken(mallory: Peer, bob: Victim) -> None:
    """Attack: an envelope of a session that this device never had a part in, which goes on as if it had."""
    stranger = DeviceKeys.create()
    (key,) = mallory.keys.new_one_time_keys(1)
    _, first = stranger.start(mallory.keys.curve25519, key).seal(b"first")
    elsewhere, _ = mallory.keys.open_first(stranger.curve25519, first)
    with_key(mallory, bob, EVERYONE)
    bob.mail(mallory.envelope(elsewhere, bob, mallory.share_of(GroupOut.create(), EVERYONE).pack()))
    assert reasons(bob) == [WaitingReason.BROKEN]
    assert len(bob.store.olm_sessions(mallory.device)) == 1


def test_nobody_joins_a_known_conversation_of_two(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: Mallory gives Bob a key for what Alice and Bob have open, to speak in it. Rule 9: only those
    two are in it."""
    direct = direct_id(alice.account, bob.account)
    bob.log(alice.message(with_key(alice, bob, direct), direct, "for bob"))
    bob.log(mallory.message(with_key(mallory, bob, direct), direct, "me too"))
    assert bob.texts(direct) == [("alice", "for bob")]
    assert set(reasons(bob)) == {WaitingReason.BROKEN, WaitingReason.NO_KEY}


def test_a_device_that_its_account_does_not_list_goes_on_waiting(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Attack: the server says that Alice has another device. A newer manifest without it opens
    nothing of it."""
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    posted = alice.envelope(olm, bob, alice.share_of(GroupOut.create(), EVERYONE).pack())
    device, alice.device = alice.device, DeviceId(b"x" * 16)
    bob.mail(posted)
    alice.device = device
    (before,) = bob.waiting()
    assert before.reason is WaitingReason.UNKNOWN_DEVICE
    bob.now_ms += 1
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    server.ledger.add(alice.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    assert bob.core.people.rows[alice.account].seq == 2
    assert bob.waiting() == [before]


def test_words_that_were_never_said_here_are_not_mine(alice: Peer, bob: Victim) -> None:
    """Attack: the server puts a message into the log that it says is Bob's own."""
    out = with_key(alice, bob, EVERYONE)
    forged = replace(alice.message(out, EVERYONE, "I, bob"), sender=bob)
    bob.log(forged)
    assert bob.texts(EVERYONE) == []
    assert bob.waiting() == []
