"""Names that begin anew, and servers that begin them by themselves (encryption rules 2, 19 and 22)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.errors import SecurityStop
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Tick
from coterie.client.events import NameReset, ResetState
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import SignedManifest, sign_manifest
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow


def heir_of(alice: Peer, carol: IdentityKeys) -> Peer:
    """Somebody who begins Alice's name anew: she herself without her keys, or the server."""
    heir = Peer(carol, alice.name)
    manifest = msgspec.structs.replace(
        heir.signed.manifest, seq=alice.signed.manifest.seq + 1, previous=alice.signed.hash
    )
    heir.signed = sign_manifest(manifest, heir.identity, heir.device, heir.keys)
    return heir


def reset(bob: Victim, server: Server, alice: Peer, heir: Peer) -> None:
    """The ledger gets the leaf, and Bob hears of it."""
    found = server.ledger.view.newest_of_name(name_hash(alice.name))
    assert found is not None
    server.peers[heir.account] = heir
    leaf = Leaf(
        LeafKind.RESET,
        name_hash(alice.name),
        heir.account,
        heir.signed.manifest.seq,
        heir.signed.hash,
        found[0],
    )
    server.ledger.put(leaf)
    bob.frame(LedgerGrew(server.ledger.head()))


def later(bob: Victim, ms: int) -> None:
    bob.now_ms += ms
    bob.command(Tick())


def states(bob: Victim) -> list[ResetState]:
    return [event.state for event in bob.shown if isinstance(event, NameReset)]


@pytest.fixture
def heir(alice: Peer, bob: Victim, identities: dict[str, IdentityKeys]) -> Peer:
    assert bob.core.people.named(alice.name) == alice.account
    return heir_of(alice, identities["carol"])


def test_a_reset_is_seen_at_once_and_counts_a_day_later(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: the server begins Alice's name anew with keys of its own, to be written to in her place. Rule
    2: everybody sees it, and for a day the name is still hers; rule 22: nothing that waits for her is ever
    sealed for the other identity."""
    reset(bob, server, alice, heir)
    assert states(bob) == [ResetState.ANNOUNCED]
    assert bob.core.people.named(alice.name) == alice.account
    bob.say(alice, "still you")
    assert server.items_for(alice)
    with pytest.raises(SecurityStop):
        bob.say(heir, "not yet")
    assert server.items_for(heir) == []
    later(bob, limits.RESET_AFTER_MS - 1)
    assert bob.core.people.named(alice.name) == alice.account
    bob.core = bob.new_core()
    bob.connect()
    assert bob.core.people.named(alice.name) == alice.account, "a restart does not shorten it"
    later(bob, 1)
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.IN_EFFECT]
    assert bob.core.people.named(alice.name) == heir.account
    assert [person.account for person in bob.core.people.everybody()].count(alice.account) == 0
    sent = len(server.sends())
    with pytest.raises(SecurityStop):
        bob.say(alice, "for the old one")
    assert len(server.sends()) == sent


def test_the_identity_before_cancels_it(alice: Peer, bob: Victim, server: Server, heir: Peer) -> None:
    reset(bob, server, alice, heir)
    manifest = alice.sign(alice.entry(), after=alice.signed).manifest
    passed = msgspec.structs.replace(manifest, seq=manifest.seq + 1)
    alice.signed = sign_manifest(passed, alice.identity, alice.device, alice.keys)
    grow(bob, server, alice.signed)
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.CANCELLED]
    assert bob.core.people.rows[alice.account].seq == 3
    later(bob, 2 * limits.RESET_AFTER_MS)
    assert bob.core.people.named(alice.name) == alice.account
    bob.core = bob.new_core()
    bob.connect()
    later(bob, 2 * limits.RESET_AFTER_MS)
    assert bob.core.people.named(alice.name) == alice.account
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    grow(bob, server, alice.signed)
    assert bob.core.people.rows[alice.account].seq == 4


def test_a_number_that_no_reset_took_is_not_passed_over(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: a manifest, one that revokes a device for example, is left out between two others. Rule 2: only
    a reset that stands in the ledger may be passed over."""
    left_out = alice.sign(alice.entry(), after=alice.signed)
    manifest = msgspec.structs.replace(left_out.manifest, seq=3)
    alice.signed = sign_manifest(manifest, alice.identity, alice.device, alice.keys)
    server.ledger.add(left_out)
    grow(bob, server, alice.signed)
    assert bob.core.people.rows[alice.account].seq == 1


def test_a_reset_brings_one_device_and_its_own_manifest(
    alice: Peer, bob: Victim, server: Server, heir: Peer, mallory: Peer
) -> None:
    """Attack: a reset whose manifest brings more than one device, or is another one than the leaf's."""
    two = heir.sign(heir.entry(), msgspec.structs.replace(mallory.entry(), approved_by=heir.device))
    heir.signed = _as_reset(heir, two, alice)
    reset(bob, server, alice, heir)
    assert heir.account not in bob.core.people.rows
    assert states(bob) == []


def _as_reset(heir: Peer, signed: SignedManifest, alice: Peer) -> SignedManifest:
    manifest = msgspec.structs.replace(signed.manifest, seq=2, previous=alice.signed.hash)
    return sign_manifest(manifest, heir.identity, heir.device, heir.keys)


def test_who_never_knew_the_one_before_knows_the_name_at_once(
    mallory: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    before = Peer(identities["carol"], "dave")
    server.ledger.add(before.signed)
    after = Peer(IdentityKeys.generate(), "dave")
    after.signed = _as_reset(after, after.signed, before)
    server.peers[before.account] = mallory
    reset(bob, server, before, after)
    assert bob.core.people.named(before.name) == after.account
    assert states(bob) == []
