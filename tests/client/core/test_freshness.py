"""A ledger that grows no more, and one that is shown to others alone (encryption rules 19 and 20)."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.client.commands import Disconnected, Tick
from coterie.client.events import LedgerDoubted
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import Leaf
from coterie.wire.frames import FetchLeaves, LedgerGrew
from tests.attacks.conftest import alice, bob, identities, mallory, server, store
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, NOW_MS, Peer
from tests.attacks.street import Ledger, Server, Victim, with_key

__all__ = ["alice", "bob", "identities", "mallory", "server", "store"]


def doubts(bob: Victim) -> list[Code | None]:
    return [each.code for each in bob.shown if isinstance(each, LedgerDoubted)]


def head_at(server: Server, time_ms: int) -> bytes:
    view = server.ledger.view
    return sign_head(Head(LEDGER, view.size, view.root(), time_ms), LEDGER_KEYS).pack()


def test_a_day_without_a_head_is_said_once_and_taken_back(bob: Victim, server: Server) -> None:
    due = bob.core.wake_at_ms()
    assert due is not None
    assert due <= NOW_MS + limits.HEAD_OLD_MS + 1
    bob.now_ms += limits.HEAD_OLD_MS
    bob.command(Tick())
    assert doubts(bob) == []
    bob.now_ms += 1
    bob.command(Tick())
    bob.command(Tick())
    assert doubts(bob) == [Code.LEDGER_OLD]
    bob.frame(LedgerGrew(head_at(server, NOW_MS)))
    assert doubts(bob) == [Code.LEDGER_OLD], "the same one again is none"
    bob.frame(LedgerGrew(head_at(server, bob.now_ms)))
    assert doubts(bob) == [Code.LEDGER_OLD, None]


def test_the_program_wakes_up_for_it(bob: Victim) -> None:
    bob.now_ms += 3 * limits.HOUR_MS
    assert bob.core.trust.freshness.wake_at_ms == NOW_MS + limits.HEAD_OLD_MS + 1
    bob.command(Disconnected(None, False))
    assert bob.core.trust.freshness.wake_at_ms is None


def test_it_is_said_again_with_each_connection_and_not_without_one(bob: Victim) -> None:
    bob.command(Disconnected(None, False))
    bob.now_ms += limits.HEAD_OLD_MS + 1
    bob.command(Tick())
    assert doubts(bob) == []
    for times in (1, 2):
        bob.connect()
        assert doubts(bob) == [Code.LEDGER_OLD] * times
        bob.command(Disconnected(None, False))
    bob.core = bob.new_core()
    bob.connect()
    assert doubts(bob) == [Code.LEDGER_OLD] * 3


def test_a_head_from_far_ahead_says_nothing_about_today(bob: Victim, server: Server) -> None:
    """Attack: a server that wants to stand still signs a head of next year first."""
    bob.frame(LedgerGrew(head_at(server, NOW_MS + 365 * limits.DAY_MS)))
    bob.now_ms += limits.HEAD_OLD_MS + 1
    bob.command(Tick())
    assert doubts(bob) == [Code.LEDGER_OLD]


@pytest.fixture
def frozen(bob: Victim, server: Server) -> Server:
    """Bob's server from now on: it shows no leaf beyond those that there are."""
    made = Server(Ledger(), server.peers)
    for packed in server.ledger.leaves:
        made.ledger.put(Leaf.unpack(packed))
    bob.server = made
    return made


def hear_of_more(alice: Peer, bob: Victim, server: Server) -> None:
    """The ledger grows, and a message of Alice's says so."""
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    server.ledger.add(alice.signed)
    view = server.ledger.view
    brief = sign_head(Head(LEDGER, view.size, view.root(), NOW_MS), LEDGER_KEYS).brief.pack()
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "there is more", head=brief))


def test_who_is_shown_less_than_others_sends_nothing_until_it_comes(
    alice: Peer, bob: Victim, server: Server, frozen: Server
) -> None:
    """Attack: the server freezes the ledger for Bob, so that he does not learn of a revocation. A message of
    somebody who was shown more says so: the leaves are asked for, and nothing is sealed without them."""
    hear_of_more(alice, bob, server)
    asked = [frame.start for frame in frozen.got if isinstance(frame, FetchLeaves)]
    assert asked == [frozen.ledger.view.size]
    assert doubts(bob) == [Code.LEDGER_WITHHELD]
    assert not bob.core.trust.current
    bob.say(alice, "by an old view")
    bob.command(Tick())
    assert len(doubts(bob)) == 1
    bob.connect()
    assert len(frozen.got) > len(asked) + 1, "asked again"
    assert frozen.sends() == []
    assert not bob.core.trust.witness.stopped, "no proof of fraud: it may be slow"
    frozen.ledger = server.ledger
    bob.connect()
    assert len(frozen.sends()) == 1
    assert doubts(bob)[-1] is None


def test_what_is_only_late_is_not_said(alice: Peer, bob: Victim, server: Server) -> None:
    hear_of_more(alice, bob, server)
    assert doubts(bob) == []
    assert bob.core.trust.synced
