"""Names that begin anew, and servers that begin them by themselves (encryption rules 2, 19 and 22)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.errors import SecurityStop
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Disconnected, Tick
from coterie.client.events import AccountDeleted, NameReset, ResetState
from coterie.ledger.deletion import SignedDeletion, sign_deletion
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import SignedManifest, sign_manifest
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_endings import bury
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


def end_of(peer: Peer, cancelled: int = 0) -> SignedDeletion:
    return sign_deletion(peer.signed, peer.identity, peer.device, peer.keys, NOW_MS, cancelled=cancelled)


def test_the_end_of_the_identity_before_cancels_it(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Her name ends with her: who wanted it does not have it, a day later or ever."""
    reset(bob, server, alice, heir)
    signed = end_of(alice, cancelled=1)
    bury(bob, server, alice, signed.hash, signed.pack())
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.CANCELLED]
    (gone,) = [event for event in bob.shown if isinstance(event, AccountDeleted)]
    assert gone.person.account == alice.account
    later(bob, 2 * limits.RESET_AFTER_MS)
    assert bob.core.people.named(alice.name) == alice.account
    assert bob.core.people.is_deleted(alice.account)
    with pytest.raises(SecurityStop):
        bob.say(heir, "hello")
    assert server.sends() == []


def test_a_deletion_from_before_a_reset_ends_nothing_after_it(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: the server keeps what Alice signed for one number, and writes it under another one."""
    old = end_of(alice)
    reset(bob, server, alice, heir)
    bury(bob, server, alice, old.hash, old.pack())
    assert not bob.core.people.is_deleted(alice.account)


def test_whoever_begins_a_name_anew_cannot_end_it_for_the_one_before(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: the server begins Alice's name anew and ends what it began, or ends Alice's account by the word
    of the new identity. Rule 2: within the day the name is hers, and nobody is told that she is gone."""
    reset(bob, server, alice, heir)
    signed = end_of(heir)
    undertaker = bury(bob, server, heir, signed.hash, signed.pack())
    assert [event for event in bob.shown if isinstance(event, AccountDeleted)] == []
    assert states(bob) == [ResetState.ANNOUNCED]
    undertaker.of, undertaker.deletion = alice, signed.pack()
    bob.connect()
    assert not bob.core.people.is_deleted(alice.account)
    assert bob.core.people.named(alice.name) == alice.account
    bob.say(alice, "still you")
    assert undertaker.items_for(alice)


def test_an_end_by_the_new_identity_is_not_the_old_ones(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: a deletion in Alice's name and number, signed by the identity that wants her name."""
    reset(bob, server, alice, heir)
    true = end_of(alice, cancelled=1)
    forged = msgspec.structs.replace(true, identity_signature=heir.identity.sign(true.payload))
    bury(bob, server, alice, forged.hash, forged.pack())
    assert not bob.core.people.is_deleted(alice.account)


def test_an_end_over_a_reset_needs_a_live_device_too(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: whoever got hold of Alice's identity alone, no device of hers, ends her account over a reset,
    where a number between might look like a manifest that Bob has not seen. Rule 2: it follows directly."""
    reset(bob, server, alice, heir)
    signed = sign_deletion(alice.signed, alice.identity, heir.device, heir.keys, NOW_MS, cancelled=1)
    bury(bob, server, alice, signed.hash, signed.pack())
    assert not bob.core.people.is_deleted(alice.account)


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


def test_what_waits_is_not_sealed_for_the_one_before_by_who_comes_back_a_day_later(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Whoever holds alice's lost device must not get what was written before, only because bob's program was
    closed when the name became the other one's."""
    reset(bob, server, alice, heir)
    bob.command(Disconnected(None, final=False))
    bob.say(alice, "for the one before")
    sent = len(server.sends())
    bob.core = bob.new_core()
    bob.now_ms += limits.RESET_AFTER_MS
    bob.connect()
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.IN_EFFECT]
    assert len(server.sends()) == sent
    assert server.items_for(alice) == []


def test_nor_where_leaves_came_meanwhile(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """The reset counts in the turn in which they are here, before anything is sealed."""
    reset(bob, server, alice, heir)
    bob.command(Disconnected(None, final=False))
    bob.say(alice, "for the one before")
    sent = len(server.sends())
    mallory.signed = mallory.sign(mallory.entry(), after=mallory.signed)
    server.ledger.add(mallory.signed)
    bob.core = bob.new_core()
    bob.now_ms += limits.RESET_AFTER_MS
    bob.connect()
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.IN_EFFECT]
    assert len(server.sends()) == sent


def test_who_hears_of_the_one_before_later_believes_the_one_of_now(
    mallory: Peer, bob: Victim, server: Server
) -> None:
    """The one before is no news, and takes nothing back."""
    before = Peer(IdentityKeys.generate(), "dave")
    server.ledger.add(before.signed)
    after = Peer(IdentityKeys.generate(), "dave")
    after.signed = _as_reset(after, after.signed, before)
    reset(bob, server, before, after)
    server.peers[before.account] = before
    bob.frame(LedgerGrew(server.ledger.head()))
    assert before.account in bob.core.people.rows
    assert states(bob) == []
    later(bob, 2 * limits.RESET_AFTER_MS)
    assert bob.core.people.named(before.name) == after.account
    assert states(bob) == []


def test_who_was_away_for_the_no_does_not_believe_the_reset_first(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Its day is over when bob comes back, and the leaf that cancels it comes a moment later."""
    reset(bob, server, alice, heir)
    assert states(bob) == [ResetState.ANNOUNCED]
    bob.command(Disconnected(None, final=False))
    later(bob, limits.DAY_MS + 1)
    assert states(bob) == [ResetState.ANNOUNCED]
    manifest = alice.sign(alice.entry(), after=alice.signed).manifest
    passed = msgspec.structs.replace(manifest, seq=manifest.seq + 1)
    alice.signed = sign_manifest(passed, alice.identity, alice.device, alice.keys)
    server.ledger.add(alice.signed)
    bob.connect()
    assert states(bob) == [ResetState.ANNOUNCED, ResetState.CANCELLED]
