"""Badly signed prekeys and keys of low order: whoever has none better is left out (encryption rules 3 and
9)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import EnvelopeId, MessageId
from coterie.client.commands import Say
from coterie.client.core.account_rows import account_row
from coterie.client.core.peer_prekeys import peer_keys
from coterie.client.store.records import PeerKeys
from coterie.content.body import Text
from coterie.e2ee.pairwise import open_envelope_outer
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import Prekey, PrekeyKind, SignedPrekey, sign_prekey
from coterie.wire.frames import Accepted, Envelopes, Refusal, Send, ServerFrame
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.neighbours import PRE_KEY
from tests.attacks.peers import EVERYONE, NOW_MS, X_WING_ID, Peer
from tests.attacks.street import Server, Victim

LOW_ORDER = bytes(32)


class FalseKeys(Server):
    """A server that hands out other one-time keys than the device's own."""

    forge: Callable[[Peer, bytes], bytes]

    def claimed(self, peer: Peer) -> ClaimedKeys:
        keys = peer.claimed()
        return msgspec.structs.replace(keys, one_time=self.forge(peer, keys.one_time))


def reason_for(bob: Victim, alice: Peer, forge: Callable[[Peer, bytes], bytes]) -> str:
    """Why Alice's device gets no key, where the server hands out forged ones: told to the server, and
    kept."""
    server = FalseKeys(bob.server.ledger, bob.server.peers, bob.server.got)
    server.forge = forge
    bob.server = server
    bob.say(alice, "is it you?")
    assert server.sends() == []
    assert server.items_for(alice) == []
    assert bob.store.olm_sessions(alice.device) == []
    told = {left.reason for frame in server.got if isinstance(frame, Envelopes) for left in frame.left_out}
    assert len(told) <= 1
    return told.pop() if told else ""


def signed_by_another(mallory: Peer) -> Callable[[Peer, bytes], bytes]:
    def forge(peer: Peer, packed: bytes) -> bytes:
        return sign_prekey(SignedPrekey.unpack(packed).prekey, mallory.keys).pack()

    return forge


def test_a_prekey_that_its_device_did_not_sign_is_refused(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: the server puts a key of its own in place of Alice's. Rule 3: her device signs each of them."""
    assert reason_for(bob, alice, signed_by_another(mallory)) == Code.BAD_PREKEY


def test_a_prekey_of_another_device_is_refused(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: a key that Alice's device signed in the name of another one. Rule 3: account and device stand
    in what is signed."""

    def forge(peer: Peer, packed: bytes) -> bytes:
        named = msgspec.structs.replace(SignedPrekey.unpack(packed).prekey, device=mallory.device)
        return sign_prekey(named, peer.keys).pack()

    assert reason_for(bob, alice, forge) == Code.BAD_PREKEY


def test_a_fallback_key_does_not_pass_for_a_one_time_key(alice: Peer, bob: Victim) -> None:
    """Attack: one key, signed as a fallback key, handed out to everybody as a one-time key. Rule 3: the
    kind is signed too."""

    def forge(peer: Peer, packed: bytes) -> bytes:
        return peer.prekey(PrekeyKind.FALLBACK, SignedPrekey.unpack(packed).prekey.key)

    assert reason_for(bob, alice, forge) == Code.BAD_PREKEY


@pytest.mark.parametrize("key", [LOW_ORDER, b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_prekey_of_low_order_is_refused(alice: Peer, bob: Victim, key: bytes) -> None:
    """Attack: a key with which every agreement has the same result, signed by a device that was made to.
    Rule 3: refused before anything is agreed."""
    assert reason_for(bob, alice, lambda peer, _: peer.prekey(PrekeyKind.ONE_TIME, key)) == Code.BAD_PREKEY


def test_an_x_wing_key_that_is_too_old_is_not_used(alice: Peer, bob: Victim) -> None:
    """Attack: the server goes on handing out an X-Wing key whose private half may have been stolen long ago.
    Rule 3: nothing older than 35 days is sealed to."""
    old = NOW_MS - limits.PREKEY_MAX_AGE_MS - 1

    class Keeper(Server):
        def _old(self, peer: Peer) -> bytes:
            key = Prekey(PrekeyKind.X_WING, X_WING_ID, old, peer.account, peer.device, peer.x_wing.public)
            return sign_prekey(key, peer.keys).pack()

        def claimed(self, peer: Peer) -> ClaimedKeys:
            return msgspec.structs.replace(peer.claimed(), x_wing=self._old(peer))

        def record(self, peer: Peer) -> AccountRecord:
            honest = super().record(peer)
            (keys,) = honest.keys
            return msgspec.structs.replace(
                honest, keys=(msgspec.structs.replace(keys, x_wing=self._old(peer)),)
            )

    bob.server = Keeper(bob.server.ledger, bob.server.peers, bob.server.got)
    bob.say(alice, "an old key")
    assert bob.server.items_for(alice) == []
    assert bob.server.sends() == []


def test_an_x_wing_key_that_grew_too_old_here_is_not_used_either(alice: Peer, bob: Victim) -> None:
    """The key was good when it came, the server keeps newer ones from us, and wants that device served. Rule
    3: it is left out."""

    class Wanting(Server):
        def sent(self, frame: Send) -> ServerFrame:
            if len(self.sends()) > 1:
                return Accepted(frame.request, 1)
            ref = DeviceRef(alice.account, alice.device)
            return Refusal(frame.request, Code.STALE_VIEW.value, 0, (ref,), self.ledger.view.size)

    bob.say(alice, "while it is young")
    bob.server = Wanting(bob.server.ledger, bob.server.peers)
    bob.now_ms += limits.PREKEY_MAX_AGE_MS + 1
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text("when it is old")))
    assert bob.server.items_for(alice) == []
    assert len(bob.server.sends()) == 2


def test_a_prekey_of_another_kind_does_not_stand_in_for_one(alice: Peer) -> None:
    """Attack: the server gives a well signed prekey of one kind in the place of another."""
    (device,) = account_row(alice.signed, None).devices
    x_wing = alice.prekey(PrekeyKind.X_WING, alice.x_wing.public, X_WING_ID)
    (one_time,) = alice.keys.new_one_time_keys(1)
    fallback = alice.prekey(PrekeyKind.FALLBACK, one_time)
    assert peer_keys(device, x_wing, fallback, None, NOW_MS) == PeerKeys(alice.device, 0, b"", 0, b"", 0)
    right = peer_keys(device, fallback, x_wing, None, NOW_MS)
    assert (right.fallback_key, right.x_wing_key) == (one_time, alice.x_wing.public)


@pytest.mark.parametrize("days", [65, 66])
def test_a_fallback_key_older_than_any_entitled_device_has_is_not_used(
    alice: Peer, bob: Victim, days: int
) -> None:
    """Attack: the server hands out a fallback key of long ago, whose private half may have been stolen. Rule
    3: a device that is not dormant has none older than 60 days, and nothing is begun with one over 65."""
    fallback = alice.keys.new_fallback()

    class Keeper(Server):
        def claimed(self, peer: Peer) -> ClaimedKeys:
            old = Prekey(
                PrekeyKind.FALLBACK,
                300,
                bob.now_ms - days * limits.DAY_MS,
                peer.account,
                peer.device,
                fallback,
            )
            honest = peer.claimed()
            return msgspec.structs.replace(honest, one_time=b"", fallback=sign_prekey(old, peer.keys).pack())

    bob.server = Keeper(bob.server.ledger, bob.server.peers, bob.server.got)
    bob.say(alice, "an old key")
    assert len(bob.server.items_for(alice)) == (days <= 65)


class Keeper(Server):
    """A server that kept a one-time key, and hands it out again and again."""

    one_time = b""
    fallback = b""

    def claimed(self, peer: Peer) -> ClaimedKeys:
        return msgspec.structs.replace(peer.claimed(), one_time=self.one_time, fallback=self.fallback)


def of_long_ago(bob: Victim, alice: Peer, thief: DeviceKeys, days: int) -> Keeper:
    """Alice's device signed this one-time key so many days ago; who stole its private half has it still."""
    (key,) = thief.new_one_time_keys(1)
    at_ms = bob.now_ms - days * limits.DAY_MS
    old = Prekey(PrekeyKind.ONE_TIME, 300, at_ms, alice.account, alice.device, key)
    keeper = Keeper(bob.server.ledger, bob.server.peers, bob.server.got)
    keeper.one_time = sign_prekey(old, alice.keys).pack()
    bob.server = keeper
    return keeper


def first_opened_by(keys: DeviceKeys, bob: Victim, alice: Peer) -> bool:
    """Whether the first envelope for Alice began with a key whose private half stands in here."""
    (item,) = (each for frame in bob.server.got if isinstance(frame, Envelopes) for each in frame.items)
    kind, first = open_envelope_outer(
        item.sealed,
        bob.account,
        bob.device,
        alice.account,
        alice.device,
        EnvelopeId(item.envelope),
        lambda _: alice.x_wing.private,
    )
    assert kind == PRE_KEY
    try:
        keys.open_first(bob.keys.curve25519, first)
    except SealBroken:
        return False
    return True


def test_a_one_time_key_of_a_year_ago_is_refused_and_the_fallback_is_used(alice: Peer, bob: Victim) -> None:
    """Attack: a device's disk was copied a year ago, its thief is the server, and hands out a one-time key of
    then: with the device's Curve25519 key, which stays, it opens the Olm layer of every new session, as if
    nothing had been renewed since. Rule 3: no session begins with one older than 35 days; the fallback key
    does in its place."""
    keeper = of_long_ago(bob, alice, DeviceKeys.create(), 365)
    keeper.fallback = alice.prekey(PrekeyKind.FALLBACK, alice.keys.new_fallback())
    bob.say(alice, "a year later")
    assert first_opened_by(alice.keys, bob, alice)
    assert len(bob.server.sends()) == 1


@pytest.mark.parametrize("days", [35, 36])
def test_where_there_is_no_other_key_nothing_is_sealed(alice: Peer, bob: Victim, days: int) -> None:
    thief = DeviceKeys.create()
    of_long_ago(bob, alice, thief, days)
    bob.say(alice, "an old key")
    assert len(bob.server.items_for(alice)) == (days == 35)
    if days == 35:
        assert not first_opened_by(alice.keys, bob, alice)


def test_a_wrong_one_time_key_leaves_the_fallback_key(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: the server spoils every one-time key. Nobody is out of reach by that."""
    keeper = of_long_ago(bob, alice, DeviceKeys.create(), 1)
    keeper.one_time = signed_by_another(mallory)(alice, keeper.one_time)
    keeper.fallback = alice.prekey(PrekeyKind.FALLBACK, alice.keys.new_fallback())
    bob.say(alice, "all the same")
    assert first_opened_by(alice.keys, bob, alice)
