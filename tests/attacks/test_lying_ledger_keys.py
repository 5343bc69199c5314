"""A server that hands out false keys, by the letters of docs/security.md: (a) swapped keys for a new contact,
(b) ghost devices, (f) an old manifest, (i) keys of a year ago. Nothing is sealed to them; and because such an
answer is not signed by the ledger, nobody is accused. (j), at login, stands in test_login.py."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import NameNotInLedger
from coterie.base.ids import DeviceId, MessageId, UserName
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Say
from coterie.client.events import NotInLedger
from coterie.content.body import Text
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import FIRST, DeviceEntry, Prekey, PrekeyKind, SignedManifest, sign_prekey
from coterie.wire.frames import Accepted, LedgerGrew, Refusal, Send, ServerFrame
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from coterie.wire.frames.accounts import DeviceKeys as StandingKeys
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.lying import (
    NOT_ACCUSED,
    Judge,
    bob,
    claimed_for,
    judge,
    newcomer,
    sealed_for,
    server,
    stopped,
)
from tests.attacks.peers import EVERYONE, NOW_MS, X_WING_ID, Peer
from tests.attacks.street import Server, Victim

__all__ = ["bob", "judge", "newcomer", "server"]
pytestmark = pytest.mark.slow
GHOST = DeviceId(b"g" * 16)
YEAR_MS = 365 * limits.DAY_MS


@dataclass
class Forging(Server):
    """Says these manifests and keys of somebody instead of the true ones."""

    of: bytes = b""
    manifests: tuple[bytes, ...] = ()
    keys: tuple[StandingKeys, ...] = ()

    def record(self, peer: Peer) -> AccountRecord:
        honest = super().record(peer)
        if peer.account != self.of:
            return honest
        return AccountRecord(peer.account, self.manifests, self.keys or honest.keys)


def harmless(bob: Victim, judge: Judge) -> None:
    """No stop, and nothing for a judge."""
    assert not stopped(bob)
    assert judge.verdict(bob) == NOT_ACCUSED


def ghost() -> DeviceEntry:
    keys = DeviceKeys.create()
    return DeviceEntry(GHOST, "ghost", keys.curve25519, keys.ed25519, NOW_MS, 0, FIRST, False)


def of_another(alice: Peer, other: Peer) -> SignedManifest:
    """Another identity under Alice's name, well signed by itself."""
    return other.signed


def with_another_device(alice: Peer, other: Peer) -> SignedManifest:
    """Her manifest with another device in it, under her old signatures."""
    forged = msgspec.structs.replace(alice.signed.manifest, devices=(other.entry(),))
    return msgspec.structs.replace(alice.signed, payload=forged.pack(), cosigner=other.device)


@pytest.mark.parametrize("forge", [of_another, with_another_device])
def test_a_swapped_keys_for_a_new_contact(
    alice: Peer,
    newcomer: Victim,
    server: Server,
    judge: Judge,
    identities: dict[str, IdentityKeys],
    forge: Callable[[Peer, Peer], SignedManifest],
) -> None:
    """Bob meets Alice for the first time, and the server gives him keys of its own in her place. Her leaf
    names another manifest, so she counts as unproven, and a message for her waits. He is told once that what
    is shown under her name is not in the ledger, and what he addresses to that name stops."""
    theirs = Peer(IdentityKeys.generate(), "alice")
    false = Forging(server.ledger, server.peers, server.got)
    x_wing = theirs.prekey(PrekeyKind.X_WING, theirs.x_wing.public, X_WING_ID)
    false.of, false.manifests = alice.account, (forge(alice, theirs).pack(),)
    false.keys = (StandingKeys(theirs.device, b"", x_wing),)
    newcomer.server = false
    newcomer.connect()
    newcomer.say(alice, "is it you?")
    assert sealed_for(server) == claimed_for(server) == set()
    assert alice.account not in newcomer.core.people.rows
    newcomer.connect()
    told = [event for event in newcomer.shown if isinstance(event, NotInLedger)]
    assert told == [NotInLedger(UserName("alice"))]
    with pytest.raises(NameNotInLedger):
        newcomer.core.trust.unledgered.check(UserName("alice"))
    newcomer.core.trust.unledgered.check(UserName("bob"))
    newcomer.server = server
    newcomer.connect()
    assert sealed_for(server) == {alice.device}
    newcomer.core.trust.unledgered.check(UserName("alice"))
    harmless(newcomer, judge)


@dataclass
class Wanting(Forging):
    """Refuses the first message, because a ghost lacks its key."""

    def sent(self, frame: Send) -> ServerFrame:
        if len(self.sends()) > 1:
            return Accepted(frame.request, 1)
        ref = (DeviceRef(self.of, GHOST),)
        return Refusal(frame.request, Code.STALE_VIEW.value, 0, ref, self.ledger.view.size)


def test_b_a_ghost_device_in_a_manifest_and_through_stale_view(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, judge: Judge
) -> None:
    """The server adds a device to Alice: in the manifest that it hands out, with a leaf of its own making,
    and by the word that a message cannot go on without it."""
    listed = alice.sign(alice.entry(), ghost(), after=alice.signed)
    by_nobody = msgspec.structs.replace(listed, identity_signature=mallory.signed.identity_signature)
    wanting = Wanting(server.ledger, server.peers, server.got)
    wanting.of, wanting.manifests = alice.account, (by_nobody.pack(),)
    bob.server = wanting
    bob.say(alice, "for alice alone")
    first, again = server.sends() or wanting.sends()
    assert first.ciphertext == again.ciphertext
    assert GHOST not in sealed_for(server) | claimed_for(server)
    server.ledger.add(by_nobody)
    bob.frame(LedgerGrew(server.ledger.head()))
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text("without her")))
    bob.say(alice, "this waits")
    assert GHOST not in sealed_for(server) | claimed_for(server)
    assert alice.account not in bob.core.people.rows or bob.core.trust.lacks(alice.account)
    harmless(bob, judge)


def test_f_an_old_manifest_again(alice: Peer, bob: Victim, server: Server, judge: Judge) -> None:
    """Alice has removed a device. The server grows the ledger, and still gives out her old manifest: she
    counts as unproven, and what is written waits for the right one."""
    lost = msgspec.structs.replace(ghost(), approved_by=alice.device)
    with_lost = alice.sign(alice.entry(), lost, after=alice.signed)
    alice.signed = with_lost
    server.ledger.add(with_lost)
    bob.frame(LedgerGrew(server.ledger.head()))
    without = alice.sign(alice.entry(), lost.revoked(NOW_MS), after=with_lost)
    server.ledger.add(without)
    bob.frame(LedgerGrew(server.ledger.head()))
    bob.say(alice, "not for the lost one")
    assert sealed_for(server) == set()
    alice.signed = without
    bob.connect()
    assert sealed_for(server) == {alice.device}
    harmless(bob, judge)


@pytest.mark.parametrize("kind", [PrekeyKind.ONE_TIME, PrekeyKind.FALLBACK, PrekeyKind.X_WING])
def test_i_prekeys_of_a_year_ago(
    alice: Peer, newcomer: Victim, server: Server, judge: Judge, kind: PrekeyKind
) -> None:
    """The private halves may have been stolen since: whoever is given nothing younger seals nothing, whatever
    the kind (decision 0035)."""
    old = newcomer.now_ms - YEAR_MS

    def aged(packed_key: bytes, prekey_kind: PrekeyKind, id: int) -> bytes:
        created = old if prekey_kind is kind else NOW_MS
        prekey = Prekey(prekey_kind, id, created, alice.account, alice.device, packed_key)
        return sign_prekey(prekey, alice.keys).pack()

    class Keeper(Server):
        def record(self, peer: Peer) -> AccountRecord:
            honest = super().record(peer)
            if peer is not alice:
                return honest
            x_wing = aged(alice.x_wing.public, PrekeyKind.X_WING, X_WING_ID)
            return msgspec.structs.replace(honest, keys=(StandingKeys(alice.device, b"", x_wing),))

        def claimed(self, peer: Peer) -> ClaimedKeys:
            (key,) = alice.keys.new_one_time_keys(1)
            x_wing = aged(alice.x_wing.public, PrekeyKind.X_WING, X_WING_ID)
            if kind is PrekeyKind.FALLBACK:
                return ClaimedKeys(alice.device, b"", aged(key, kind, 300), x_wing)
            return ClaimedKeys(alice.device, aged(key, PrekeyKind.ONE_TIME, 300), b"", x_wing)

    newcomer.server = Keeper(server.ledger, server.peers, server.got)
    newcomer.connect()
    newcomer.say(alice, "an old key")
    assert server.items_for(alice) == []
    assert server.sends() == newcomer.server.sends() == []
    harmless(newcomer, judge)
