"""Devices that were away for long: nothing is sealed for them, nobody counts them as left out, and no server
can make a device seem to be one (encryption rule 3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.client.commands import Say, Tick
from coterie.content.body import Text
from coterie.e2ee.pairwise import peek_prekey_id
from coterie.ledger.manifest import Prekey, PrekeyKind, SignedPrekey, sign_prekey
from coterie.wire.frames import Claim, ClientFrame, Envelopes, Presence, Refusal, ServerFrame
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from coterie.wire.frames.messages import OnlinePerson
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import EVERYONE, NOW_MS, X_WING_ID, Peer
from tests.attacks.street import Server, Victim

DAY_MS = limits.DAY_MS


@dataclass
class Aging(Server):
    """Hands out X-Wing prekeys that a test chooses, with a one-time key made at the same time, and has full
    mailboxes where it says so."""

    x_wing: dict[AccountId, bytes] = field(default_factory=dict)
    full: set[DeviceId] = field(default_factory=set)

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Envelopes):
            refs = tuple(
                DeviceRef(each.account, each.device) for each in frame.items if each.device in self.full
            )
            if refs:
                self.got.append(frame)
                return Refusal(frame.request, Code.MAILBOX_FULL.value, 0, refs)
        return super().answer(frame)

    def claimed(self, peer: Peer) -> ClaimedKeys:
        keys = super().claimed(peer)
        x_wing = self.x_wing.get(peer.account, keys.x_wing)
        made_ms = SignedPrekey.unpack(x_wing).prekey.created_ms
        old = SignedPrekey.unpack(keys.one_time).prekey
        fresh = sign_prekey(msgspec.structs.replace(old, created_ms=made_ms), peer.keys).pack()
        return msgspec.structs.replace(keys, one_time=fresh, x_wing=x_wing)

    def record(self, peer: Peer) -> AccountRecord:
        honest = super().record(peer)
        (keys,) = honest.keys
        x_wing = self.x_wing.get(peer.account, keys.x_wing)
        return msgspec.structs.replace(honest, keys=(msgspec.structs.replace(keys, x_wing=x_wing),))


@pytest.fixture
def aging(bob: Victim, server: Server) -> Aging:
    made = Aging(server.ledger, server.peers, server.got)
    bob.server = made
    return made


def x_wing(peer: Peer, id: int, created_ms: int) -> bytes:
    key = Prekey(PrekeyKind.X_WING, id, created_ms, peer.account, peer.device, peer.x_wing.public)
    return sign_prekey(key, peer.keys).pack()


def say(bob: Victim, text: str) -> None:
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text(text)))


def comes_back(bob: Victim, after_ms: int, others: Aging, *renewed: Peer) -> None:
    """Bob's program is started later, and asks for keys that have aged. renewed: who has new ones by then."""
    bob.now_ms += after_ms
    for peer in renewed:
        others.x_wing[peer.account] = x_wing(peer, X_WING_ID + 1, bob.now_ms)
    bob.core = bob.new_core()
    bob.connect()


@pytest.mark.parametrize("days", [30, 36, 100])
def test_a_dormant_device_is_not_sealed_to_nor_named_nor_claimed(
    alice: Peer, mallory: Peer, bob: Victim, aging: Aging, days: int
) -> None:
    """Also when its newest key is too old to be sealed to at all: the session goes on as ever. Keys of others
    are claimed, where none of them answered for a month."""
    say(bob, "while alice was there")
    assert len(aging.items_for(alice)) == 1
    comes_back(bob, days * DAY_MS, aging, mallory)
    aging.got.clear()
    for n in range(3):
        say(bob, f"{n}")
    assert aging.items_for(alice) == []
    assert len(aging.items_for(mallory)) == 1
    assert [left for frame in aging.got if isinstance(frame, Envelopes) for left in frame.left_out] == []
    claims = [frame for frame in aging.got if isinstance(frame, Claim)]
    assert [ref.device for frame in claims for ref in frame.devices] == [mallory.device]
    assert len({frame.session for frame in aging.sends()}) == 1
    assert len(aging.sends()) == 3
    newest = bob.store.last_message(EVERYONE)
    assert newest is not None
    assert newest.not_for == b""


def test_a_server_cannot_make_a_device_seem_dormant(
    alice: Peer, mallory: Peer, bob: Victim, aging: Aging
) -> None:
    """Attack: the server goes back to an X-Wing key that Alice's device has renewed since, so that everybody
    believes it dormant. Rule 3: ids count up, an older key is not taken."""
    say(bob, "one")
    comes_back(bob, 25 * DAY_MS, aging, alice, mallory)
    aging.x_wing[alice.account] = x_wing(alice, X_WING_ID, NOW_MS)
    comes_back(bob, 10 * DAY_MS, aging, mallory)
    say(bob, "two")
    assert peek_prekey_id(aging.items_for(alice)[-1]) == X_WING_ID + 1
    assert len(aging.items_for(alice)) == 2


def test_what_a_dormant_device_is_owed_comes_when_it_returns(
    alice: Peer, mallory: Peer, bob: Victim, aging: Aging
) -> None:
    """Not before, also where there would be room: it gets nothing until it has published a new key."""
    comes_back(bob, 25 * DAY_MS, aging, mallory)
    aging.full.add(alice.device)
    say(bob, "alice's mailbox is full")
    aging.full.clear()
    comes_back(bob, 6 * DAY_MS, aging, mallory)
    before = len(aging.items_for(alice))
    bob.now_ms += limits.HOUR_MS
    bob.command(Tick())
    assert len(aging.items_for(alice)) == before
    aging.x_wing[alice.account] = x_wing(alice, X_WING_ID + 1, bob.now_ms)
    bob.frame(Presence((OnlinePerson(alice.account, alice.name, True),), False))
    assert peek_prekey_id(aging.items_for(alice)[before]) == X_WING_ID + 1
    assert bob.store.owed() == []


def test_claims_for_a_device_without_a_good_x_wing_key_make_no_sessions_without_end(
    alice: Peer, bob: Victim, aging: Aging
) -> None:
    """Attack: the server hands out good one-time keys and a false X-Wing key with each. Every session would
    push out an older one, on which the device still sends. Rule 11: with a session, only keys are taken."""
    good = x_wing(alice, X_WING_ID, NOW_MS)
    aging.x_wing[alice.account] = good[:-1] + bytes((good[-1] ^ 1,))
    bob.connect()
    comes_back(bob, 8 * DAY_MS, aging)
    say(bob, "left out")
    sessions = bob.store.olm_sessions(alice.device)
    assert len(sessions) == 1
    for _ in range(limits.OLM_SESSIONS_PER_DEVICE + 1):
        bob.now_ms += limits.HOUR_MS
        bob.command(Tick())
    assert bob.store.olm_sessions(alice.device) == sessions
    assert len([frame for frame in aging.got if isinstance(frame, Claim)]) > limits.OLM_SESSIONS_PER_DEVICE
    aging.x_wing[alice.account] = good
    bob.now_ms += limits.HOUR_MS
    bob.command(Tick())
    assert len(aging.items_for(alice)) == 1
