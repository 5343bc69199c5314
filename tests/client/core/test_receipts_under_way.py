"""What is told stays due until the server has it: no envelope of it is kept."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.client.commands import Tick
from coterie.client.core.fresh_keys import FIRST_ID
from coterie.client.core.receipts import JITTER_MS, PAUSE_MS, RETRY_MS
from coterie.client.store.records import PeerFreshKey
from coterie.content.receipts import Receipt
from coterie.wire.frames import Accepted, ClientFrame, Envelopes, Refusal, ServerFrame
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import Peer
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle, fickle
from tests.client.core.test_receipts import accepted, accepted_and_keyed, keyed, pause, receipts_to

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


@pytest.fixture
def held(fickle: Fickle, monkeypatch: pytest.MonkeyPatch) -> list[Envelopes]:
    """Envelopes that are no keys, which the server does not answer."""
    unanswered: list[Envelopes] = []
    answer = fickle.answer

    def hold(frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Envelopes) and all(item.share is None for item in frame.items):
            fickle.got.append(frame)
            unanswered.append(frame)
            return None
        return answer(frame)

    monkeypatch.setattr(fickle, "answer", hold)
    return unanswered


def test_what_the_server_does_not_answer_is_due_and_told_anew(
    alice: Peer, bob: Victim, fickle: Fickle, held: list[Envelopes]
) -> None:
    """On the next connection, and after a start: no envelope of it is kept."""
    talk, out, olm = accepted_and_keyed(alice, bob)
    bob.log(alice.message(out, talk, "one", n=1))
    for again in (bob.connect, lambda: None, bob.connect):
        again()
        pause(bob)
        assert len(bob.store.receipts_due()) == 1
        assert bob.store.envelopes_out() == []
    bob.core = bob.new_core()
    bob.connect()
    pause(bob)
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, 0),)] * 3
    assert len({item.envelope for frame in held for item in frame.items}) == 3
    bob.frame(Accepted(held[-1].request, 0))
    assert bob.store.receipts_due() == []


def test_what_comes_before_the_answer_is_told_as_well(
    alice: Peer, bob: Victim, fickle: Fickle, held: list[Envelopes]
) -> None:
    talk, out, olm = accepted_and_keyed(alice, bob)
    bob.log(alice.message(out, talk, "one", n=1))
    pause(bob)
    bob.log(alice.message(out, talk, "two", n=2))
    bob.frame(Accepted(held[0].request, 0))
    assert len(bob.store.receipts_due()) == 1
    pause(bob)
    bob.log(alice.message(out, talk, "three", n=3))
    pause(bob)
    for given in held[1:]:
        assert len(bob.store.receipts_due()) == 1
        bob.frame(Accepted(given.request, 0))
    assert bob.store.receipts_due() == []
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, n),) for n in range(3)]


@pytest.mark.parametrize(("wait_ms", "waits_ms"), [(7000, 7000), (0, 0), (1 << 40, RETRY_MS)])
def test_what_a_busy_server_refused_is_told_anew_on_the_same_connection(
    alice: Peer, bob: Victim, fickle: Fickle, held: list[Envelopes], wait_ms: int, waits_ms: int
) -> None:
    talk, out, olm = accepted_and_keyed(alice, bob)
    bob.log(alice.message(out, talk, "one", n=1))
    pause(bob)
    bob.frame(Refusal(held[0].request, Code.BUSY.value, wait_ms))
    assert len(bob.store.receipts_due()) == 1
    bob.now_ms += waits_ms + PAUSE_MS - 1
    bob.command(Tick())
    assert len(held) == 1
    pause(bob)
    bob.frame(Accepted(held[1].request, 0))
    assert bob.store.receipts_due() == []
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, 0),)] * 2


def test_what_was_told_since_does_not_wait_for_what_was_refused(
    alice: Peer, bob: Victim, fickle: Fickle, held: list[Envelopes]
) -> None:
    talk, out, olm = accepted_and_keyed(alice, bob)
    for n, text in enumerate(("one", "two"), start=1):
        bob.log(alice.message(out, talk, text, n=n))
        pause(bob)
    bob.frame(Refusal(held[0].request, Code.BUSY.value, 0))
    pause(bob)
    assert len(held) == 2
    bob.frame(Accepted(held[1].request, 0))
    assert bob.store.receipts_due() == []
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, n),) for n in range(2)]


def test_who_cannot_be_given_it_is_told_with_the_next_message(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    talk, out, olm = accepted_and_keyed(alice, bob)
    bob.log(alice.message(out, talk, "one", n=1))
    bob.apply(PeerFreshKey(alice.device, FIRST_ID, alice.x_wing.public, bob.now_ms))
    fickle.full.add(alice.device)
    pause(bob)
    assert bob.store.receipts_due() == []
    fresh = bob.store.peer_fresh_key(alice.device)
    assert fresh is not None
    assert fresh.key == b""
    fickle.full.clear()
    pause(bob)
    bob.log(alice.message(out, talk, "two", n=2))
    pause(bob)
    assert receipts_to(alice, bob, fickle, olm)[-1] == (Receipt(talk, out.id, 1),)


def test_what_is_too_much_and_cannot_be_told_waits_once(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coterie.client.core.receipts.RECEIPTS_MOST", 1)
    talk = accepted(alice, bob)
    for n in (1, 2):
        out, _ = keyed(alice, bob)
        bob.log(alice.message(out, talk, f"{n}", n=n))
    keys = bob.store.peer_keys(alice.device)
    assert keys is not None
    bob.apply(msgspec.structs.replace(keys, x_wing_key=b""))
    before = len(fickle.items(alice))
    pause(bob)
    wake_at_ms = bob.core.wake_at_ms()
    assert len(fickle.items(alice)) == before
    assert wake_at_ms is not None
    assert wake_at_ms <= bob.now_ms + PAUSE_MS + JITTER_MS
    bob.apply(keys)
    pause(bob)
    pause(bob)
    assert len(fickle.items(alice)) == before + 2
    assert bob.store.receipts_due() == []
