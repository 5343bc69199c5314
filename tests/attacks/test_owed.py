"""Keys that devices are owed: they come when the reason has passed, once, and to nobody else (rule 24)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, EnvelopeId, MessageId
from coterie.client.commands import Say, Tick
from coterie.client.core.owed import PAUSE_MOST_MS
from coterie.content.body import Text, unpack
from coterie.e2ee.group import KeyShare, accept_share, open_message
from coterie.e2ee.pairwise import open_envelope_outer, open_plaintext
from coterie.wire.frames import (
    Accepted,
    Claim,
    Claimed,
    ClientFrame,
    Envelopes,
    LedgerGrew,
    Presence,
    Refusal,
    Send,
    ServerFrame,
)
from coterie.wire.frames.accounts import ClaimedKeys
from coterie.wire.frames.messages import EnvelopeItem, OnlinePerson
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import EVERYONE, NOW_MS, X_WING_ID, Peer
from tests.attacks.street import Server, Victim


@dataclass
class Fickle(Server):
    """Devices for which something is wrong, for as long as a test says so."""

    full: set[DeviceId] = field(default_factory=set)
    keyless: set[DeviceId] = field(default_factory=set)
    false: set[DeviceId] = field(default_factory=set)
    unknown: list[DeviceRef] = field(default_factory=list)
    others: dict[DeviceId, Peer] = field(default_factory=dict)
    """Further devices of accounts."""

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Envelopes):
            refs = tuple(
                DeviceRef(item.account, item.device) for item in frame.items if item.device in self.full
            )
            if refs:
                self.got.append(frame)
                return Refusal(frame.request, Code.MAILBOX_FULL.value, 0, refs)
        if isinstance(frame, Claim):
            self.got.append(frame)
            wanted = (
                self.others.get(DeviceId(ref.device)) or self.peers[AccountId(ref.account)]
                for ref in frame.devices
            )
            return Claimed(frame.request, tuple(self.claimed(peer) for peer in wanted))
        return super().answer(frame)

    def claimed(self, peer: Peer) -> ClaimedKeys:
        keys = super().claimed(peer)
        if peer.device in self.keyless:
            return msgspec.structs.replace(keys, one_time=b"", fallback=b"", x_wing=b"")
        if peer.device in self.false:
            return msgspec.structs.replace(keys, one_time=keys.one_time[:-1] + b"x")
        return keys

    def sent(self, frame: Send) -> ServerFrame:
        if self.unknown:
            named, self.unknown = tuple(self.unknown), []
            return Refusal(frame.request, Code.STALE_VIEW.value, 0, named, self.ledger.view.size)
        return Accepted(frame.request, 1)

    def items(self, peer: Peer) -> list[EnvelopeItem]:
        frames = [frame for frame in self.got if isinstance(frame, Envelopes)]
        return [item for frame in frames for item in frame.items if item.device == peer.device]


HOUR_MS = limits.HOUR_MS


def another_device(peer: Peer, server: Fickle, *, publish: bool = True) -> Peer:
    """A second device of an account, a Peer of its own; in the ledger unless that comes later."""
    made = Peer(peer.identity, peer.name)
    approved = msgspec.structs.replace(made.entry(), approved_by=peer.device)
    peer.signed = peer.sign(peer.entry(), approved, after=peer.signed)
    server.others[made.device] = made
    if publish:
        server.ledger.add(peer.signed)
    return made


def publish(peer: Peer, server: Fickle) -> None:
    """The account's newest manifest stands in the ledger."""
    server.ledger.add(peer.signed)


@pytest.fixture
def fickle(bob: Victim, server: Server) -> Fickle:
    made = Fickle(server.ledger, server.peers, server.got)
    bob.server = made
    return made


def say(bob: Victim, text: str) -> None:
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text(text)))


def pass_time(bob: Victim, ms: int) -> None:
    bob.now_ms += ms
    bob.command(Tick())


def share_in(bob: Victim, peer: Peer, item: EnvelopeItem) -> KeyShare:
    kind, message = open_envelope_outer(
        item.sealed,
        bob.account,
        bob.device,
        peer.account,
        peer.device,
        EnvelopeId(item.envelope),
        lambda id: peer.x_wing.private if id == X_WING_ID else None,
    )
    _, plaintext = peer.keys.open_first(bob.keys.curve25519, message)
    assert kind == 0
    return KeyShare.unpack(
        open_plaintext(plaintext, bob.party, peer.party, EnvelopeId(item.envelope)).content
    )


def text_of(share: KeyShare, frame: Send) -> str:
    """What the device reads of a message in the log, with the key that it was given."""
    body = unpack(open_message(accept_share(share), frame.ciphertext, frame.commitment).inner.body)
    assert isinstance(body, Text)
    return body.text


def reasons(bob: Victim) -> list[str]:
    return [row.reason for row in bob.store.owed()]


@pytest.mark.parametrize("reason", [Code.NO_PREKEY, Code.BAD_PREKEY])
def test_a_device_without_good_keys_gets_the_session_once_it_has_them(
    alice: Peer, bob: Victim, fickle: Fickle, reason: Code
) -> None:
    """Left out for its keys; tried again with growing pauses; the key is the one kept where it was left out,
    so that what waits there opens; and it comes once."""
    wrong = fickle.keyless if reason is Code.NO_PREKEY else fickle.false
    wrong.add(alice.device)
    say(bob, "one")
    say(bob, "two")
    assert reasons(bob) == [reason.value]
    newest = bob.store.last_message(EVERYONE)
    assert newest is not None
    assert newest.not_for
    pass_time(bob, HOUR_MS)
    assert fickle.items(alice) == []
    wrong.clear()
    pass_time(bob, HOUR_MS)
    (item,) = fickle.items(alice)
    share = share_in(bob, alice, item)
    assert [text_of(share, frame) for frame in fickle.sends()] == ["one", "two"]
    pass_time(bob, HOUR_MS)
    assert len(fickle.items(alice)) == 1
    assert reasons(bob) == []


def test_a_full_mailbox_gets_the_session_when_its_person_comes(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Room comes when somebody reads their mail: no pause counts then."""
    fickle.full.add(alice.device)
    say(bob, "alice's mailbox is full")
    assert reasons(bob) == [Code.MAILBOX_FULL.value]
    fickle.full.clear()
    before = len(fickle.items(alice))
    bob.frame(Presence((OnlinePerson(alice.account, alice.name, True),), False))
    assert len(fickle.items(alice)) == before + 1
    share = share_in(bob, alice, fickle.items(alice)[-1])
    assert text_of(share, fickle.sends()[0]) == "alice's mailbox is full"
    assert reasons(bob) == []


def test_a_device_that_joined_late_is_owed_no_more_than_from_then_on(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """A device added in the middle of a session, whose mailbox is full, gets the key of that moment: what
    was said before it came is not for it."""
    say(bob, "before")
    late = another_device(alice, fickle)
    fickle.full.add(late.device)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "after")
    fickle.full.clear()
    refused = len(fickle.items(late))
    pass_time(bob, HOUR_MS)
    assert len(fickle.items(late)) == refused + 1
    share = share_in(bob, late, fickle.items(late)[-1])
    before, after = fickle.sends()
    assert before.session == after.session
    assert share.index == 1
    assert text_of(share, after) == "after"
    with pytest.raises(SealBroken):
        text_of(share, before)


def test_an_unproven_device_gets_the_session_once_its_manifest_is_proven(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """The server named a device before its leaf was there: it is left out as unproven, told so, and is owed
    the key from the day on which the ledger proves it."""
    late = another_device(alice, fickle, publish=False)
    fickle.unknown = [DeviceRef(late.account, late.device)]
    say(bob, "not for the laptop yet")
    assert reasons(bob) == [Code.UNPROVEN.value]
    pass_time(bob, HOUR_MS)
    assert fickle.items(late) == []
    publish(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    (item,) = fickle.items(late)
    assert text_of(share_in(bob, late, item), fickle.sends()[0]) == "not for the laptop yet"
    assert reasons(bob) == []


def test_a_device_that_was_removed_is_owed_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a stolen device, left out for a full mailbox, is revoked and then has room again."""
    late = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    fickle.full.add(late.device)
    say(bob, "left out")
    (item, *_) = fickle.items(late)
    revoked = msgspec.structs.replace(late.entry(), revoked_ms=NOW_MS + 1, name="", curve25519=b"")
    alice.signed = alice.sign(alice.entry(), revoked, after=alice.signed)
    fickle.ledger.add(alice.signed)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    fickle.full.clear()
    tried = len(fickle.items(late))
    for _ in range(3):
        pass_time(bob, HOUR_MS)
        bob.frame(Presence((OnlinePerson(alice.account, alice.name, True),), False))
    assert len(fickle.items(late)) == tried
    assert item.device == late.device


def test_pauses_grow_and_end_with_the_key(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Nobody is asked for ever: each try waits twice as long, an hour at the most, and after thirty days the
    key is gone and with it the debt."""
    fickle.full.add(alice.device)
    say(bob, "left out")
    pauses = []
    for _ in range(14):
        wake_ms = bob.core._owed.wake_at_ms
        assert wake_ms is not None
        pauses.append(wake_ms - bob.now_ms)
        before = len(fickle.items(alice))
        pass_time(bob, pauses[-1])
        assert len(fickle.items(alice)) == before + 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_MOST_MS
    pass_time(bob, limits.KEEP_SENT_MS)
    before = len(fickle.items(alice))
    pass_time(bob, HOUR_MS)
    assert reasons(bob) == []
    assert len(fickle.items(alice)) == before
    assert bob.core._owed.wake_at_ms is None


def test_a_device_that_the_ledger_proves_gets_the_key_before_the_message_goes_again(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """The server named a device that came meanwhile: leaf, manifest and prekeys are fetched, then its key is
    sealed, and what was refused goes with the same bytes."""
    laptop = another_device(alice, fickle)
    fickle.unknown = [DeviceRef(alice.account, laptop.device)]
    bob.say(alice, "for both")
    refused, again = fickle.sends()
    assert refused.ciphertext == again.ciphertext
    (item,) = fickle.items(laptop)
    assert text_of(share_in(bob, laptop, item), again) == "for both"


@pytest.mark.parametrize("beyond_ms", [0, 1])
def test_what_is_owed_goes_on_a_new_session_where_the_old_one_was_never_answered(
    alice: Peer, bob: Victim, fickle: Fickle, beyond_ms: int
) -> None:
    """The one on which it was tried for weeks, and of which the device may never have heard, began with a key
    that is gone by then."""
    fickle.full.add(alice.device)
    say(bob, "alice's mailbox is full")
    tried = len(fickle.items(alice))
    bob.now_ms += limits.OLM_UNANSWERED_MS + beyond_ms
    fickle.full.clear()
    bob.frame(Presence((OnlinePerson(alice.account, alice.name, True),), False))
    assert len(fickle.items(alice)) == tried + 1
    share = share_in(bob, alice, fickle.items(alice)[-1])
    assert text_of(share, fickle.sends()[0]) == "alice's mailbox is full"
    assert len(bob.store.olm_sessions(alice.device)) == 1 + beyond_ms
    assert reasons(bob) == []
