"""What is given again, how much at once, and what is not given."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.ids import MessageId
from coterie.client.commands import Say, Tick
from coterie.client.core import repair_answering
from coterie.content.body import Text
from coterie.wire.frames import ClientFrame, Envelopes, LedgerGrew, ServerFrame
from tests.attacks.asking import Asker, wanted
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle, another_device, fickle, say
from tests.attacks.test_repair import last

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def ask(bob: Victim, ms: int = 61_000) -> None:
    bob.now_ms += ms
    bob.command(Tick())


class Silent(Fickle):
    """Takes no envelopes, as if the line were dead."""

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Envelopes):
            self.got.append(frame)
            return None
        return super().answer(frame)


def test_what_is_large_goes_in_a_frame_of_its_own(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Also when it is given again on the next connection."""
    say(bob, "small")
    bob.command(Say(EVERYONE, b"", MessageId(b"L" * 16), Text("x" * 20_000)))
    silent = Silent(fickle.ledger, fickle.peers, fickle.got)
    bob.server = silent
    rows = bob.store.history(EVERYONE, 2, None)
    asker = Asker(alice, bob, silent)
    asker.asks(wanted(rows[0]), wanted(rows[1]), wanted(rows[0]))
    fickle.got.clear()
    bob.connect()
    frames = [frame for frame in fickle.got if isinstance(frame, Envelopes)]
    large = [frame for frame in frames if any(len(item.sealed) > 8192 for item in frame.items)]
    assert [len(frame.items) for frame in large] == [1]
    assert sum(len(frame.items) for frame in frames) == 3
    assert asker.given() == ["small", "x" * 20_000, "small"]


def test_what_no_envelope_holds_is_not_given(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(bob, "for all of us")
    monkeypatch.setattr(repair_answering, "REPAIR_INNER_BYTES", 10)
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == []


def test_whoever_has_no_keys_and_what_is_not_sealed_yet_is_passed_over(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair_answering, "DEVICES_MOST", 1)
    say(bob, "for all of us")
    late = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    asker, other = Asker(late, bob, fickle), Asker(alice, bob, fickle)
    bob.core.trust._hinted = 1 << 30
    say(bob, "not sealed")
    queued = last(bob)
    assert queued.inner == b""
    bob.core.trust._hinted = 0
    asker.asks(wanted(queued))
    other.asks(wanted(queued))
    assert (asker.given(), other.given()) == ([], [])


def test_who_gives_nothing_that_can_be_sealed_says_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """A device that has a session, and no key to seal to."""
    say(bob, "for all of us")
    asker = Asker(alice, bob, fickle)
    keys = bob.store.peer_keys(alice.device)
    assert keys is not None
    bob.apply(msgspec.structs.replace(keys, x_wing_key=b""))
    before = len(fickle.items(alice))
    asker.asks(wanted(last(bob)))
    assert len(fickle.items(alice)) == before


def test_many_are_given_a_few_at_a_time(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair_answering, "AT_ONCE", 2)
    for number in range(5):
        say(bob, f"number {number}")
    asker = Asker(alice, bob, fickle)
    asker.asks(*map(wanted, bob.store.history(EVERYONE, 5, None)))
    given = [len(asker.given())]
    for _ in range(2):
        ask(bob, repair_answering.AGAIN_MS)
        given.append(len(asker.given()))
    assert given == [2, 2, 1]
    assert bob.core.repairs.answering.wake_at_ms is None
