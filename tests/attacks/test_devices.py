"""Somebody lists the id of another person's device as one of theirs (encryption rules 9 and 13)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.errors import SealBroken
from coterie.base.ids import EnvelopeId
from coterie.e2ee.pairwise import open_envelope_outer
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import PrekeyKind, sign_manifest
from coterie.wire.frames import Envelopes, LedgerGrew
from coterie.wire.frames.accounts import AccountRecord
from coterie.wire.frames.accounts import DeviceKeys as StandingKeys
from tests.attacks.peers import EVERYONE, X_WING_ID, Peer
from tests.attacks.street import Server, Victim, with_key


def borrow(mallory: Peer, alice: Peer) -> None:
    """Mallory's next device has the id of Alice's and keys of its own; it is the one that Mallory goes on
    with."""
    desk, cosigner, keys = mallory.entry(), mallory.device, mallory.keys
    mallory.device, mallory.keys = alice.device, DeviceKeys.create()
    borrowed = msgspec.structs.replace(mallory.entry(), approved_by=cosigner)
    manifest = mallory.sign(desk, borrowed, after=mallory.signed).manifest
    mallory.signed = sign_manifest(manifest, mallory.identity, cosigner, keys)


class Accomplice(Server):
    """A server that hands out Mallory's X-Wing key for the borrowed id."""

    def record(self, peer: Peer) -> AccountRecord:
        x_wing = peer.prekey(PrekeyKind.X_WING, peer.x_wing.public, X_WING_ID)
        keys = (StandingKeys(peer.device, b"", x_wing),)
        return AccountRecord(peer.account, (peer.signed.pack(),), keys)


def test_a_borrowed_device_id_opens_nothing(alice: Peer, mallory: Peer, bob: Victim, server: Server) -> None:
    """Attack: Mallory lists a device with the id of Alice's. Sessions and prekeys are found by device, so Bob
    would seal for Alice on Mallory's session and to Mallory's X-Wing key. Rule 9: an id that an account was
    proven with belongs to it, and a manifest that lists it again is refused."""
    bob.server = Accomplice(server.ledger, server.peers, server.got)
    borrow(mallory, alice)
    server.ledger.add(mallory.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    with_key(mallory, bob, EVERYONE)
    assert bob.store.olm_sessions(alice.device) == []
    bob.say(alice, "for alice alone")
    items = [item for frame in server.got if isinstance(frame, Envelopes) for item in frame.items]
    assert items
    for item in items:
        with pytest.raises(SealBroken):
            open_envelope_outer(
                item.sealed,
                bob.account,
                bob.device,
                alice.account,
                alice.device,
                EnvelopeId(item.envelope),
                lambda _: mallory.x_wing.private,
            )
