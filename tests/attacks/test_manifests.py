"""Forged, stale and forked manifests, names taken over, views that are split (encryption rules 2, 9,
19-21)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import SealBroken, SecurityStop
from coterie.base.ids import NO_HASH, AccountId, DeviceId, MessageId, UserName
from coterie.client.commands import Say
from coterie.client.events import DevicesChanged
from coterie.content.body import Text
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import FIRST, RECOVERY, DeviceEntry, SignedManifest, sign_manifest
from coterie.wire.frames import LedgerGrew
from coterie.wire.frames.accounts import AccountRecord
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, NOW_MS, Peer
from tests.attacks.street import Server, Victim

GHOST = DeviceId(b"g" * 16)


def ghost(approved_by: bytes) -> DeviceEntry:
    """A device that its owner never added."""
    keys = DeviceKeys.create()
    marked = approved_by == RECOVERY
    return DeviceEntry(GHOST, "ghost", keys.curve25519, keys.ed25519, NOW_MS, 0, approved_by, marked)


def devices_of(bob: Victim, peer: Peer) -> list[bytes]:
    """The devices of somebody that Bob would seal to."""
    row = bob.core.people.rows.get(peer.account)
    return [device.device for device in row.devices if device.live] if row else []


def grow(bob: Victim, server: Server, signed: SignedManifest) -> None:
    """The ledger gets a leaf, and Bob hears of it."""
    server.ledger.add(signed)
    bob.frame(LedgerGrew(server.ledger.head()))


def test_a_manifest_that_is_not_the_ledgers_is_refused(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: the ledger has the true manifest, the server hands out a fork of the same number with a ghost
    device, which some device of the account was made to sign. Rules 9 and 19: what counts is the leaf's
    hash."""
    true = alice.sign(alice.entry(), after=alice.signed)
    alice.signed = alice.sign(alice.entry(), ghost(alice.device), after=alice.signed)
    grow(bob, server, true)
    assert devices_of(bob, alice) == [alice.device]
    assert bob.core.people.rows[alice.account].seq == 1


def test_a_manifest_that_the_identity_did_not_sign_is_refused(
    alice: Peer, mallory: Peer, bob: Victim, server: Server
) -> None:
    """Attack: the server forges Alice's next manifest, ledger leaf and all; her identity did not sign. Rule
    1."""
    manifest = alice.sign(alice.entry(), ghost(alice.device), after=alice.signed).manifest
    alice.signed = sign_manifest(manifest, mallory.identity, alice.device, alice.keys)
    grow(bob, server, alice.signed)
    assert devices_of(bob, alice) == [alice.device]


def test_a_manifest_that_no_device_signed_is_refused(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: the identity's keys alone (a vault opened by force) add a device that hides how it came in.
    Rule 2: without a co-signature of a device only a device marked `recovery` may be new."""
    manifest = alice.sign(alice.entry(), ghost(alice.device), after=alice.signed).manifest
    alice.signed = sign_manifest(manifest, alice.identity, alice.device, DeviceKeys.create())
    grow(bob, server, alice.signed)
    assert devices_of(bob, alice) == [alice.device]


def test_a_stale_manifest_is_not_enough(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: a device was revoked, and the server hands out the manifest before that. Rule 9: the newest
    leaf's manifest, or nothing is said to that person."""
    lost = DeviceId(b"l" * 16)
    entry = msgspec.structs.replace(ghost(alice.device), id=lost)
    with_lost = alice.sign(alice.entry(), entry, after=alice.signed)
    alice.signed = with_lost
    grow(bob, server, with_lost)
    assert devices_of(bob, alice) == [alice.device, lost]
    without = alice.sign(alice.entry(), entry.revoked(NOW_MS), after=with_lost)
    grow(bob, server, without)
    bob.say(alice, "not for the lost one")
    assert server.sends() == []
    alice.signed = without
    bob.connect()
    assert len(server.sends()) == 1
    assert devices_of(bob, alice) == [alice.device]


def test_in_everyone_nothing_is_sealed_for_a_stale_manifest(
    alice: Peer, mallory: Peer, bob: Victim, server: Server
) -> None:
    """Attack: as before, in the conversation of all. Rule 21: who is not proven is left out, the others
    read."""
    server.ledger.add(alice.sign(alice.entry(), after=alice.signed))
    bob.frame(LedgerGrew(server.ledger.head()))
    bob.command(Say(EVERYONE, b"", MessageId(b"m" * 16), Text("to who is proven")))
    assert len(server.sends()) == 1
    assert server.items_for(mallory)
    assert server.items_for(alice) == []


def test_a_manifest_that_does_not_follow_the_known_one_is_refused(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Attack: identity keys and server together replace Alice's whole list of devices, in a fork of a
    manifest that Bob knows. Rule 2: by hash from the known one on; no device vanishes."""
    keys = DeviceKeys.create()
    other = DeviceEntry(GHOST, "ghost", keys.curve25519, keys.ed25519, NOW_MS, 0, FIRST, False)
    manifest = alice.sign(other, after=alice.signed).manifest
    alice.signed = sign_manifest(manifest, alice.identity, GHOST, keys)
    grow(bob, server, alice.signed)
    assert devices_of(bob, alice) == [alice.device]


def test_a_fork_of_the_known_manifest_is_refused(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: a successor, well signed, of another first manifest than the one that Bob knows. Rule 2."""
    other = sign_manifest(
        msgspec.structs.replace(alice.signed.manifest, time_ms=NOW_MS + 1),
        alice.identity,
        alice.device,
        alice.keys,
    )
    alice.signed = alice.sign(alice.entry(), ghost(alice.device), after=other)
    grow(bob, server, alice.signed)
    assert devices_of(bob, alice) == [alice.device]


def test_a_name_is_not_taken_over(alice: Peer, mallory: Peer, bob: Victim, server: Server) -> None:
    """Attack: the server gives Alice's name to Mallory's account. Rule 19: every client checks each leaf
    against the one before it of that name."""
    index, leaf = server.ledger.view.newest_of_name(name_hash(alice.name)) or (0, None)
    taken = Leaf(LeafKind.MANIFEST, name_hash(alice.name), mallory.account, 2, b"h" * 32, index)
    assert leaf is not None
    with pytest.raises(SealBroken) as alarm:
        lie(bob, server, taken)
    assert alarm.value.code is Code.LEDGER_SPLIT
    assert bob.core.people.named(alice.name) == alice.account


def test_a_leaf_follows_the_newest_of_its_name(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: a leaf that passes over what the ledger recorded of that name last. Rule 19: each names the one
    before it by index."""
    skipping = Leaf(LeafKind.MANIFEST, name_hash(alice.name), alice.account, 2, b"h" * 32, -1)
    with pytest.raises(SealBroken) as alarm:
        lie(bob, server, skipping)
    assert alarm.value.code is Code.LEDGER_SPLIT


def test_a_name_does_not_begin_twice(alice: Peer, mallory: Peer, bob: Victim, server: Server) -> None:
    """Attack: a second first leaf of Alice's name, or of an account that has a name. Rule 19."""
    for name, account in ((alice.name, AccountId(b"n" * 32)), (UserName("malice"), mallory.account)):
        leaf = Leaf(LeafKind.MANIFEST, name_hash(name), account, 1, b"h" * 32, -1)
        with pytest.raises(SealBroken) as alarm:
            lie(bob, server, leaf)
        assert alarm.value.code is Code.LEDGER_SPLIT


def lie(bob: Victim, server: Server, leaf: Leaf) -> None:
    """A leaf that contradicts the ledger, under a head that the ledger key signed all the same."""
    tree = server.ledger.view.tree
    server.ledger.leaves.append(leaf.pack())
    tree.append(leaf.pack())
    try:
        bob.frame(LedgerGrew(server.ledger.head()))
    finally:
        del server.ledger.leaves[-1]


def test_leaves_that_are_not_those_of_the_head_stop_everything(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Attack: one ledger for Bob and another for everybody else. Rule 20: the root is computed, and a head
    over another one is proof."""
    server.ledger.add(alice.sign(alice.entry(), after=alice.signed))
    leaf = Leaf.unpack(server.ledger.leaves[-1])
    server.ledger.leaves[-1] = msgspec.structs.replace(leaf, hash=b"h" * 32).pack()
    with pytest.raises(SecurityStop) as stop:
        bob.frame(LedgerGrew(server.ledger.head()))
    assert stop.value.code is Code.LEDGER_SPLIT


def test_two_heads_of_one_size_stop_everything(bob: Victim, server: Server) -> None:
    """Attack: a signed head over another past. Rule 20."""
    other = Head(LEDGER, server.ledger.view.size, NO_HASH, NOW_MS)
    with pytest.raises(SecurityStop) as stop:
        bob.frame(LedgerGrew(sign_head(other, LEDGER_KEYS).pack()))
    assert stop.value.code is Code.LEDGER_SPLIT


class Whole(Server):
    """A server that gives every manifest of Alice from the first one on."""

    first: SignedManifest

    def record(self, peer: Peer) -> AccountRecord:
        record = super().record(peer)
        return msgspec.structs.replace(record, manifests=(self.first.pack(), *record.manifests))


def test_a_chain_that_begins_before_the_known_manifest_goes_on_from_it(
    alice: Peer, bob: Victim, server: Server
) -> None:
    whole = Whole(server.ledger, server.peers, server.got)
    whole.first, bob.server = alice.signed, whole
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    grow(bob, server, alice.signed)
    assert bob.core.people.rows[alice.account].seq == 2


def test_a_list_of_the_same_devices_is_no_change_of_devices(alice: Peer, bob: Victim, server: Server) -> None:
    """Another password, or a no to a reset, is a new manifest; that a device was added or removed would be
    more than it says."""
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    grow(bob, server, alice.signed)
    assert bob.core.people.rows[alice.account].seq == 2
    assert [event for event in bob.shown if isinstance(event, DevicesChanged)] == []
    renamed = msgspec.structs.replace(alice.entry(), name="kitchen")
    alice.signed = alice.sign(renamed, after=alice.signed)
    grow(bob, server, alice.signed)
    (told,) = [event for event in bob.shown if isinstance(event, DevicesChanged)]
    assert (told.person.account, told.by_recovery, told.published_ms) == (alice.account, False, NOW_MS)
