"""Many messages at once: the sessions that they take begin together, and an envelope holds all their keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import chain, pairwise

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId, EnvelopeId, MessageId, SessionId
from coterie.client.commands import ContactDeviceConfirmed, Say
from coterie.client.core import ahead
from coterie.client.core.requests import EnvelopesGiven
from coterie.client.store.records import DropOlm, OutboxRow, OutboxState, PeerKeys, ShareState
from coterie.content.body import Text
from coterie.e2ee.group import KeyShare, KeyShares
from coterie.e2ee.pairwise import PlainKind, open_envelope_outer, open_plaintext
from coterie.e2ee.vodo import PRE_KEY, OlmSession
from coterie.wire.frames import Claim, ClientFrame, Envelopes, LedgerGrew, Refusal, Send
from coterie.wire.frames.messages import EnvelopeItem
from tests.attacks.peers import NOW_MS, X_WING_ID, Peer
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle, another_device, pass_time, say, text_of
from tests.attacks.test_unconfirmed import hears_of_it, thief
from tests.client.core.sending.test_envelopes import Deaf, deaf, later

__all__ = ["deaf", "thief"]


class Reader:
    """What a device of somebody can open of what bob has sent."""

    def __init__(self, bob: Victim, peer: Peer) -> None:
        self._bob = bob
        self._peer = peer
        self._session: OlmSession | None = None
        self.given: list[list[KeyShare]] = []
        """The keys in each envelope."""
        self._seen: set[bytes] = set()

    def texts(self, frames: Sequence[ClientFrame]) -> list[str]:
        """All that this device reads; a key comes before its message."""
        found: list[str] = []
        for frame in frames:
            if isinstance(frame, Envelopes):
                for item in frame.items:
                    if item.device == self._peer.device and item.envelope not in self._seen:
                        self._seen.add(item.envelope)
                        self._open(item)
            elif isinstance(frame, Send):
                keys = [key for keys in self.given for key in keys if key.session == frame.session]
                found += [text_of(keys[0], frame)] if keys else []
        return found

    def _open(self, item: EnvelopeItem) -> None:
        bob, peer = self._bob, self._peer
        kind, message = open_envelope_outer(
            item.sealed,
            bob.account,
            bob.device,
            peer.account,
            peer.device,
            EnvelopeId(item.envelope),
            lambda id: peer.x_wing.private if id == X_WING_ID else None,
        )
        if self._session is None or (kind == PRE_KEY and not self._session.matches(kind, message)):
            self._session, plaintext = peer.keys.open_first(bob.keys.curve25519, message)
        else:
            plaintext = self._session.open(kind, message)
        opened = open_plaintext(plaintext, bob.party, peer.party, EnvelopeId(item.envelope))
        if opened.kind == PlainKind.KEY_SHARE:
            shares: tuple[KeyShare, ...] = (KeyShare.unpack(opened.content),)
        else:
            assert opened.kind == PlainKind.KEY_SHARES
            shares = KeyShares.unpack(opened.content).shares
        assert item.share is not None
        assert tuple(share.session for share in shares) == item.share.sessions
        self.given.append(list(shares))


def say_all(bob: Victim, peer: Peer, count: int) -> list[str]:
    """So many messages in one turn."""
    talk = direct_id(bob.account, peer.account)
    texts = [f"message {number}" for number in range(count)]
    says = [Say(talk, peer.account, MessageId(secrets.token_bytes(16)), Text(text)) for text in texts]
    bob._turn(lambda: chain.from_iterable(bob.core.command(say, bob.now_ms) for say in says))
    return texts


def states(bob: Victim, sessions: list[SessionId]) -> list[list[ShareState]]:
    return [[share.state for share in bob.store.shares(session)] for session in sessions]


def sessions_of(frames: list[Send]) -> list[SessionId]:
    return [SessionId(each) for each in dict.fromkeys(frame.session for frame in frames)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session seals two messages."""
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 2)


@pytest.fixture
def talking(bob: Victim, alice: Peer, fickle: Fickle) -> Fickle:
    """bob has said something to alice already: an Olm session stands."""
    bob.say(alice, "before")
    return fickle


def test_the_keys_of_a_turn_share_an_envelope(bob: Victim, alice: Peer, talking: Fickle) -> None:
    reader = Reader(bob, alice)
    assert reader.texts(talking.got) == ["before"]
    talking.got.clear()
    texts = say_all(bob, alice, 7)
    (item,) = talking.items(alice)
    assert reader.texts(talking.got) == texts
    used = sessions_of(talking.sends())
    assert len(used) == 4, "the one under way, and three more"
    assert item.share is not None
    assert list(item.share.sessions) == used[1:]
    for before, share in pairwise((reader.given[0][0], *reader.given[1])):
        assert share.predecessor == before.session
        assert share.index == 0
    assert states(bob, used) == [[ShareState.SHARED]] * 4
    session = bob.store.group_out(direct_id(bob.account, alice.account))
    assert session is not None
    assert (session.session, session.messages) == (used[-1], 2)


def test_an_envelope_holds_no_more_keys_than_it_may(bob: Victim, alice: Peer, talking: Fickle) -> None:
    reader = Reader(bob, alice)
    reader.texts(talking.got)
    talking.got.clear()
    texts = say_all(bob, alice, 16)
    assert reader.texts(talking.got) == texts
    assert [len(keys) for keys in reader.given[1:]] == [limits.KEYS_PER_ENVELOPE, 1, 3]


def test_what_fits_into_the_session_begins_none(bob: Victim, alice: Peer, talking: Fickle) -> None:
    talking.got.clear()
    say_all(bob, alice, 1)
    assert talking.items(alice) == []


def test_who_has_to_be_claimed_first_is_waited_for(bob: Victim, alice: Peer, talking: Fickle) -> None:
    """Each session begins alone then, as its turn comes."""
    phone = another_device(alice, talking)
    bob.frame(LedgerGrew(talking.ledger.head()))
    desk = Reader(bob, alice)
    desk.texts(talking.got)
    talking.got.clear()
    texts = say_all(bob, alice, 6)
    assert len([frame for frame in talking.got if isinstance(frame, Claim)]) == 1
    assert desk.texts(talking.got) == texts
    assert Reader(bob, phone).texts(talking.got) == texts


def test_a_device_whose_session_went_is_claimed_again(bob: Victim, alice: Peer, talking: Fickle) -> None:
    """It has the key of the session under way. Those behind it begin alone, once it can be given them."""
    phone = another_device(alice, talking)
    bob.frame(LedgerGrew(talking.ledger.head()))
    bob.say(alice, "to both")
    reader = Reader(bob, phone)
    desk = Reader(bob, alice)
    reader.texts(talking.got)
    desk.texts(talking.got)
    say_all(bob, alice, 1)
    talking.got.clear()
    (olm,) = bob.store.olm_sessions(phone.device)
    bob.apply(DropOlm(olm.session))
    texts = say_all(bob, alice, 5)
    assert len([frame for frame in talking.got if isinstance(frame, Claim)]) == 1
    assert desk.texts(talking.got)[-4:] == reader.texts(talking.got)[-4:] == texts[-4:]


def test_a_device_that_is_held_gets_none_of_them_until_it_is_confirmed(
    bob: Victim, alice: Peer, fickle: Fickle, thief: Peer
) -> None:
    """Although an Olm session stands to it, by which it reads what is for everyone."""
    hears_of_it(bob, fickle)
    say(bob, "for all")
    owed, desk = Reader(bob, thief), Reader(bob, alice)
    assert owed.texts(fickle.got) == desk.texts(fickle.got) == ["for all"]
    fickle.got.clear()
    texts = say_all(bob, alice, 5)
    assert desk.texts(fickle.got) == texts
    assert [len(keys) for keys in desk.given[1:]] == [1, 1, 1]
    assert fickle.items(thief) == []
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    owed.texts(fickle.got)
    assert owed.texts(fickle.sends()) == texts


def test_many_devices_get_one_key_after_the_other(
    bob: Victim, alice: Peer, talking: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them in one turn would hold up the loop."""
    monkeypatch.setattr(ahead, "SHARE_AT_ONCE", 0)
    reader = Reader(bob, alice)
    reader.texts(talking.got)
    talking.got.clear()
    assert reader.texts(talking.got) == say_all(bob, alice, 0)
    texts = say_all(bob, alice, 5)
    assert reader.texts(talking.got) == texts
    assert [len(keys) for keys in reader.given[1:]] == [1, 1]


def test_where_nobody_can_be_given_the_next_keys_what_fits_goes(
    bob: Victim, alice: Peer, talking: Fickle
) -> None:
    """What alice's device gave for a key is none: the session that she has is used up, and no message is
    sealed that nobody there could open. Her keys are asked for anew, and the rest follows."""
    reader = Reader(bob, alice)
    reader.texts(talking.got)
    bob.apply(PeerKeys(alice.device, 0, b"", X_WING_ID, b"\xff" * 1216, bob.now_ms))
    talking.got.clear()
    texts = say_all(bob, alice, 3)
    assert talking.items(alice) == []
    assert reader.texts(talking.got) == texts[:1]
    pass_time(bob, limits.HOUR_MS)
    assert reader.texts(talking.got) == texts


def test_a_session_for_messages_that_are_gone_is_not_gone_on_with(
    bob: Victim, alice: Peer, talking: Fickle
) -> None:
    """In a damaged store. Its key was given once, and is not given again."""
    talk = direct_id(bob.account, alice.account)
    lost = [OutboxRow(order, talk, MessageId(bytes(16)), OutboxState.WAITING, NOW_MS) for order in (50, 51)]
    bob.apply(*lost)
    reader = Reader(bob, alice)
    reader.texts(talking.got)
    for _ in range(3):
        talking.got.clear()
        texts = say_all(bob, alice, 1)
        assert reader.texts(talking.got) == texts
    given = [key.session for keys in reader.given for key in keys]
    assert len(given) == len(set(given))


def test_whom_the_server_takes_no_envelope_for_is_left_out_of_all(
    bob: Victim, alice: Peer, talking: Fickle
) -> None:
    """And is owed all of them, which come when there is room again."""
    reader = Reader(bob, alice)
    reader.texts(talking.got)
    phone = another_device(alice, talking)
    bob.frame(LedgerGrew(talking.ledger.head()))
    bob.say(alice, "to both")
    beside = Reader(bob, phone)
    beside.texts(talking.got)
    talking.got.clear()
    talking.full.add(phone.device)
    texts = say_all(bob, alice, 4)
    used = sessions_of(talking.sends())[-2:]
    assert states(bob, used) == [[ShareState.SHARED, ShareState.LEFT_OUT]] * 2
    assert {(share.session, share.device) for share in bob.store.owed()} == {
        (session, phone.device) for session in used
    }
    assert reader.texts(talking.got) == texts
    talking.full.clear()
    bob.now_ms += limits.HOUR_MS
    bob.connect()
    beside.texts([frame for frame in talking.got if isinstance(frame, Envelopes) and len(frame.items) == 1])
    assert beside.texts(talking.sends())[-4:] == texts
    assert bob.store.owed() == []


def test_own_devices_that_the_server_refuses_are_named_for_each_session(
    bob: Victim, alice: Peer, talking: Fickle
) -> None:
    """Of the other person the server is not told: it must not take messages that nobody there could open."""
    talk = direct_id(bob.account, alice.account)
    sessions = (bytes([1]) * 32, bytes([2]) * 32)
    item = talking.items(alice)[0]
    assert item.share is not None
    several = msgspec.structs.replace(item.share, session=sessions[0], more=(sessions[1],))
    item = msgspec.structs.replace(item, account=bob.account, device=DeviceId(b"p" * 16), share=several)
    talking.got.clear()
    request = bob.core.requests.new(EnvelopesGiven((item,), alice.account), bob.now_ms)
    bob.frame(Refusal(request, Code.UNKNOWN_DEVICE.value, 0, ()))
    (frame,) = [frame for frame in talking.got if isinstance(frame, Envelopes)]
    assert [(each.conversation, each.session) for each in frame.left_out] == [
        (talk, session) for session in sessions
    ]


def test_what_was_sealed_too_long_ago_is_owed_for_each_session(bob: Victim, alice: Peer, deaf: Deaf) -> None:
    """The envelope was never given: all of its keys are given anew."""
    bob.say(alice, "before")
    reader = Reader(bob, alice)
    reader.texts(deaf.heard)
    deaf.heard.clear()
    texts = say_all(bob, alice, 5)
    (frame,) = deaf.heard
    (item,) = frame.items
    assert item.share is not None
    deaf.heard.clear()
    later(bob, limits.GIVE_AGAIN_MS + 1)
    given = [item for frame in deaf.heard for item in frame.items]
    assert {item.share.session for item in given if item.share is not None} >= set(item.share.sessions)
    assert item.envelope not in {each.envelope for each in given}
    reader.texts(deaf.heard)
    assert reader.texts(deaf.sends())[-5:] == texts
    assert AccountId(given[0].account) == alice.account
