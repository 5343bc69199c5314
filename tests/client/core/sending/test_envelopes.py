"""Envelopes until the server has them: given again in the same bytes, and settled once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import DeviceId, EnvelopeId, SessionId
from coterie.client.core import fanout
from coterie.client.core.requests import EnvelopesGiven
from coterie.client.store.records import EnvelopeOut, ShareState
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind
from coterie.wire.frames import Accepted, Claim, Claimed, ClientFrame, Envelopes, Refusal, Send, ServerFrame
from coterie.wire.frames.messages import EnvelopeItem
from coterie.wire.frames.messages import Share as SharedSession
from tests.attacks.peers import EVERYONE, NOW_MS, SERVER, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_owed import Fickle, pass_time, reasons, say, share_in, text_of
from tests.client.core.sending.test_lines import Silent

HOUR_MS = limits.HOUR_MS


@dataclass
class Deaf(Server):
    """Answers no envelopes."""

    heard: list[Envelopes] = field(default_factory=list)

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Envelopes):
            self.heard.append(frame)
            return None
        return super().answer(frame)


@dataclass
class SilentAndDeaf(Deaf):
    """Answers no messages either."""

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        answer = super().answer(frame)
        if isinstance(frame, Envelopes):
            self.got.append(frame)
        return None if isinstance(frame, Send) else answer


@pytest.fixture
def deaf(bob: Victim, server: Server) -> Deaf:
    made = Deaf(server.ledger, server.peers, server.got)
    bob.server = made
    return made


def items(frames: list[Envelopes]) -> list[EnvelopeItem]:
    return [item for frame in frames for item in frame.items]


@pytest.mark.parametrize("size", [1, 100])
def test_what_was_not_accepted_is_given_again_as_it_is(
    alice: Peer, bob: Victim, deaf: Deaf, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """In order, with the same bytes; a frame holds as many as it may, all for one conversation."""
    bob.say(alice, "for alice")
    say(bob, "for everybody")
    first, deaf.heard = deaf.heard, []
    assert {frame.to for frame in first} == {alice.account, b""}
    monkeypatch.setattr(fanout, "SLICE", size)
    bob.connect()
    assert items(deaf.heard) == items(first)
    assert {frame.to: len(frame.items) for frame in deaf.heard} == {alice.account: 1, b"": min(size, 2)}
    assert len(deaf.heard) == (3 if size == 1 else 2)


def test_an_answer_that_comes_twice_changes_nothing_the_second_time(
    alice: Peer, bob: Victim, deaf: Deaf
) -> None:
    say(bob, "one")
    (frame,) = deaf.heard
    given = EnvelopesGiven(frame.items, frame.to)
    for _ in range(2):
        bob.frame(Accepted(bob.core.requests.new(given, NOW_MS), 0))
        session = bob.store.group_out(EVERYONE)
        assert session is not None
        assert [share.state for share in bob.store.shares(session.session)] == [ShareState.SHARED] * 2
        assert bob.store.envelopes_out() == []


def without_share(bob: Victim, alice: Peer, item: EnvelopeItem | None = None) -> EnvelopeOut:
    """An envelope on its way that carries no session key."""
    made = item or EnvelopeItem(alice.account, alice.device, secrets.token_bytes(16), b"s" * 1400, None)
    id, packed = EnvelopeId(made.envelope), msgspec.msgpack.encode(made)
    return EnvelopeOut(id, b"", alice.device, packed, alice.account, NOW_MS)


@pytest.mark.parametrize("refused", [True, False])
def test_an_envelope_without_a_key_is_settled_and_no_share_with_it(
    alice: Peer, bob: Victim, deaf: Deaf, refused: bool
) -> None:
    bob.apply(without_share(bob, alice))
    bob.connect()
    (frame,) = deaf.heard
    if refused:
        bob.frame(Refusal(frame.request, Code.MAILBOX_FULL.value, 0, ()))
    else:
        bob.frame(Accepted(frame.request, 0))
    assert bob.store.envelopes_out() == []
    assert bob.store.owed() == []
    assert len(deaf.heard) == 1


def test_a_refused_share_that_is_known_no_more_is_only_dropped(alice: Peer, bob: Victim, deaf: Deaf) -> None:
    share = SharedSession(EVERYONE, b"s" * 32)
    item = EnvelopeItem(alice.account, alice.device, secrets.token_bytes(16), b"s" * 1400, share)
    bob.apply(without_share(bob, alice, item))
    bob.connect()
    (frame,) = deaf.heard
    bob.frame(Refusal(frame.request, Code.MAILBOX_FULL.value, 0, ()))
    assert bob.store.envelopes_out() == []
    assert bob.store.share_of(SessionId(b"s" * 32), DeviceId(alice.device)) is None


def test_a_refused_share_of_a_conversation_nobody_knows_holds_no_line(
    alice: Peer, bob: Victim, deaf: Deaf
) -> None:
    share = SharedSession(b"?" * 16, b"s" * 32)
    item = EnvelopeItem(alice.account, alice.device, secrets.token_bytes(16), b"s" * 1400, share)
    bob.apply(without_share(bob, alice, item))
    bob.connect()
    bob.shown.clear()
    bob.frame(Refusal(deaf.heard[0].request, Code.MAILBOX_FULL.value, 0, ()))
    assert bob.store.envelopes_out() == []
    assert bob.shown == []


def later(bob: Victim, ms: int) -> None:
    """The line was dead for so long; then there is another connection."""
    bob.now_ms += ms
    bob.connect()


@pytest.mark.parametrize(
    ("late_ms", "grown"),
    [
        (limits.GIVE_AGAIN_MS, False),
        (limits.GIVE_AGAIN_MS + 1, False),
        (limits.GIVE_AGAIN_MS + 1, True),
        (-2 * HOUR_MS, False),
    ],
)
def test_what_was_sealed_too_long_ago_is_sealed_anew(
    alice: Peer, bob: Victim, deaf: Deaf, late_ms: int, grown: bool
) -> None:
    """Also where the clock was put back. It is given before the message, and opens it; grown: once the leaves
    are here that came meanwhile."""
    bob.server = silent = SilentAndDeaf(deaf.ledger, deaf.peers, deaf.got)
    say(bob, "sealed before the line died")
    first = items(silent.heard)
    (send,) = silent.sends()
    silent.heard.clear()
    silent.got.clear()
    if grown:
        silent.ledger.put(Leaf(LeafKind.SERVER, SERVER_NAME_HASH, SERVER, 1, b"h" * 32, NO_LEAF))
    later(bob, late_ms)
    again = items(silent.heard)
    assert [(each.device, each.share) for each in again] == [(each.device, each.share) for each in first]
    assert (again == first) == (late_ms == limits.GIVE_AGAIN_MS)
    assert {row.envelope for row in bob.store.envelopes_out()} == {each.envelope for each in again}
    said = [type(frame) for frame in silent.got if isinstance(frame, Envelopes | Send)]
    assert said == [Envelopes, Send]
    (same,) = silent.sends()
    assert same.ciphertext == send.ciphertext
    (item,) = [each for each in again if each.device == alice.device]
    assert text_of(share_in(bob, alice, item), same) == "sealed before the line died"


def test_a_key_is_given_anew_where_its_message_waited_for_too_long(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """The server had the envelope, and keeps it for thirty days: its device may not have fetched it."""
    bob.server = silent = Silent(server.ledger, server.peers, server.got)
    silent.false.add(alice.device)
    say(bob, "waits")
    (send,) = silent.sends()
    (given,) = [item for frame in silent.got if isinstance(frame, Envelopes) for item in frame.items]
    silent.got.clear()
    later(bob, limits.GIVE_AGAIN_MS)
    assert [frame for frame in silent.got if isinstance(frame, Envelopes)] == []
    silent.got.clear()
    later(bob, 1)
    (anew,) = [item for frame in silent.got if isinstance(frame, Envelopes) for item in frame.items]
    assert anew.device == given.device
    assert anew.envelope != given.envelope
    assert [frame.ciphertext for frame in silent.sends()] == [send.ciphertext]
    assert reasons(bob) == [Code.BAD_PREKEY.value], "who was left out stays so, and for what reason"


def test_nothing_more_is_sealed_by_a_session_whose_envelope_was_given_up(
    bob: Victim, deaf: Deaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large conversation a session lasts for a week: its messages would name the device as left out."""
    monkeypatch.setattr(limits, "ROTATE_SMALL_DEVICES", 0)
    say(bob, "one")
    later(bob, limits.GIVE_AGAIN_MS + 1)
    say(bob, "two")
    one, two = deaf.sends()
    assert one.session != two.session
    newest = bob.store.last_message(EVERYONE)
    assert newest is not None
    assert newest.not_for == b""
    deaf.heard.clear()
    later(bob, limits.GIVE_AGAIN_MS + 1)
    say(bob, "three")
    given = {each.share.session for each in items(deaf.heard) if each.share is not None}
    assert given == {frame.session for frame in deaf.sends()}, "the old ones again, and a new one"
    assert len(given) == 3


def test_an_envelope_without_a_key_is_given_up_and_no_share_with_it(
    alice: Peer, bob: Victim, deaf: Deaf
) -> None:
    bob.apply(without_share(bob, alice))
    later(bob, limits.GIVE_AGAIN_MS + 1)
    assert bob.store.envelopes_out() == []
    assert deaf.heard == []
    assert bob.store.owed() == []


@dataclass
class Forgetful(Fickle):
    """Answers claims with no keys at all."""

    forgetting: bool = True

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if self.forgetting and isinstance(frame, Claim):
            self.got.append(frame)
            return Claimed(frame.request, ())
        return super().answer(frame)


def test_devices_that_the_server_names_no_keys_for_are_asked_for_again(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """An answer without a device is like one without its keys: left out, owed, and given once they come."""
    bob.server = forgetful = Forgetful(server.ledger, server.peers, server.got)
    say(bob, "one")
    assert reasons(bob) == [Code.NO_PREKEY.value] * 2
    pass_time(bob, HOUR_MS)
    assert forgetful.items(alice) == []
    forgetful.forgetting = False
    pass_time(bob, HOUR_MS)
    assert len(forgetful.items(alice)) == 1
    assert reasons(bob) == []


def test_a_session_of_many_devices_lasts_longer(
    bob: Victim, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROTATE_SMALL_DEVICES", 1)
    monkeypatch.setattr(limits, "ROTATE_SMALL_MESSAGES", 1)
    monkeypatch.setattr(limits, "ROTATE_LARGE_MESSAGES", 3)
    for text in ("one", "two", "three", "four"):
        say(bob, text)
    sessions = [send.session for send in server.sends()]
    assert sessions[0] == sessions[1] == sessions[2] != sessions[3]
    bob.now_ms += limits.ROTATE_SMALL_MS + 1
    say(bob, "five")
    assert server.sends()[4].session == sessions[3]
