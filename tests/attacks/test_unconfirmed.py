"""Devices that came to a verified person's account by recovery wait for a word (rules 8 and 24)."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import ContactDeviceConfirmed, Disconnected, MarkVerified, Say, Tick
from coterie.client.events import ContactDeviceQuestion, SendingStuck
from coterie.client.store.records import Setting
from coterie.content.body import Text
from coterie.ledger.manifest import RECOVERY, DeviceEntry, sign_manifest
from coterie.wire.frames import Envelopes, LedgerGrew
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_identity_change import reset
from tests.attacks.test_owed import Fickle, share_in, text_of


@pytest.fixture
def fickle(bob: Victim, server: Server) -> Fickle:
    made = Fickle(server.ledger, server.peers, server.got)
    bob.server = made
    return made


def joins(peer: Peer, server: Fickle, by: Peer | None = None) -> Peer:
    """One more device of the account, in the ledger: by recovery, or approved by another (marked) one."""
    made = Peer(peer.identity, peer.name)
    approved_by = by.device if by else RECOVERY
    entry = msgspec.structs.replace(made.entry(), approved_by=approved_by, marked=True)
    publishes(peer, server, (*peer.signed.manifest.devices, entry), by or peer)
    server.others[made.device] = made
    return made


def publishes(peer: Peer, server: Fickle, devices: tuple[DeviceEntry, ...], by: Peer) -> None:
    """The account's next manifest, co-signed by one of its devices."""
    manifest = peer.sign(*devices, after=peer.signed).manifest
    peer.signed = sign_manifest(manifest, peer.identity, by.device, by.keys)
    server.ledger.add(peer.signed)


def hears_of_it(bob: Victim, server: Fickle) -> None:
    bob.frame(LedgerGrew(server.ledger.head()))


def asked(bob: Victim) -> list[DeviceId]:
    return [event.device.id for event in bob.shown if isinstance(event, ContactDeviceQuestion)]


def left_out(server: Fickle) -> set[tuple[bytes, str]]:
    """What the server was told."""
    frames = [frame for frame in server.got if isinstance(frame, Envelopes)]
    return {(each.device, each.reason) for frame in frames for each in frame.left_out}


@pytest.fixture
def thief(alice: Peer, bob: Victim, fickle: Fickle) -> Peer:
    """Alice is verified; somebody with her passphrase has become a device of hers."""
    bob.command(MarkVerified(alice.account))
    stolen = joins(alice, fickle)
    hears_of_it(bob, fickle)
    return stolen


def test_what_is_for_a_verified_person_alone_is_not_for_it(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    """Attack: a thief with the passphrase reads on as a device of alice's. It is left out and owed, the
    server is told, and so is the person; whoever reads everyone reads it there too."""
    assert asked(bob) == [thief.device]
    bob.say(alice, "for alice alone")
    assert fickle.items(thief) == []
    assert left_out(fickle) == {(thief.device, Code.UNCONFIRMED.value)}
    assert len(fickle.items(alice)) == 1
    assert [row.reason for row in bob.store.owed()] == [Code.UNCONFIRMED.value]
    (message,) = bob.core.views.messages([bob.store.last_order()])
    assert [(each.name, each.reason) for each in message.not_for] == [("alice", Code.UNCONFIRMED)]
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text("for all")))
    assert len(fickle.items(thief)) == 1


def test_nobody_who_was_not_verified_is_held(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    laptop = joins(alice, fickle)
    hears_of_it(bob, fickle)
    bob.say(alice, "for both")
    assert len(fickle.items(laptop)) == 1
    assert asked(bob) == []


def test_one_word_gives_it_what_it_is_owed_and_holds_for_what_it_approves(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    """It was alice after all. The key comes at once and opens what waited; the device that it approved next
    carries on its mark and is asked about no more; another one that came by recovery is."""
    bob.say(alice, "one")
    bob.say(alice, "two")
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    (item,) = fickle.items(thief)
    share = share_in(bob, thief, item)
    assert [text_of(share, frame) for frame in fickle.sends()] == ["one", "two"]
    assert bob.store.owed() == []
    child = joins(alice, fickle, thief)
    hears_of_it(bob, fickle)
    second = joins(alice, fickle)
    hears_of_it(bob, fickle)
    assert asked(bob) == [thief.device, second.device]
    bob.say(alice, "three")
    assert (len(fickle.items(child)), fickle.items(second)) == (1, [])
    bob.command(ContactDeviceConfirmed(alice.account, child.device))
    assert bob.store.setting(Setting.CONFIRMED_DEVICES) == msgspec.msgpack.encode((bytes(thief.device),))


def test_a_word_about_the_child_of_a_held_device_is_one_about_its_root(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    child = joins(alice, fickle, thief)
    hears_of_it(bob, fickle)
    bob.say(alice, "not yet")
    assert fickle.items(child) == []
    bob.command(ContactDeviceConfirmed(alice.account, child.device))
    assert len(fickle.items(child)) == len(fickle.items(thief)) == 1


def test_a_device_whose_approver_lost_its_mark_is_a_root_of_its_own(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    child = joins(alice, fickle, thief)
    hears_of_it(bob, fickle)
    desk, root, last = alice.signed.manifest.devices
    publishes(alice, fickle, (desk, msgspec.structs.replace(root, marked=False), last), alice)
    hears_of_it(bob, fickle)
    bob.say(alice, "for the unmarked one")
    assert (len(fickle.items(thief)), fickle.items(child)) == (1, [])
    bob.command(ContactDeviceConfirmed(alice.account, child.device))
    assert len(fickle.items(child)) == 1


def test_a_server_that_insists_gets_no_key_for_it(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    """Attack: the server says that the view is stale, and names the device; it is named as left out again."""
    fickle.unknown = [DeviceRef(alice.account, thief.device)]
    bob.say(alice, "for alice alone")
    assert fickle.items(thief) == []
    assert left_out(fickle) == {(thief.device, Code.UNCONFIRMED.value)}


def test_a_device_that_comes_while_a_message_is_under_way_gets_no_key(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: it becomes a device between the sealing and the server's answer."""
    bob.command(MarkVerified(alice.account))
    stolen = joins(alice, fickle)
    fickle.unknown = [DeviceRef(alice.account, stolen.device)]
    bob.say(alice, "for alice alone")
    first, again = fickle.sends()
    assert first.ciphertext == again.ciphertext
    assert fickle.items(stolen) == []
    assert (stolen.device, Code.UNCONFIRMED.value) in left_out(fickle)


def test_who_is_verified_later_is_held_from_then_on(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """The session whose key it has ends before the next message."""
    laptop = joins(alice, fickle)
    hears_of_it(bob, fickle)
    bob.say(alice, "before")
    bob.command(MarkVerified(alice.account))
    assert asked(bob) == [laptop.device]
    bob.say(alice, "after")
    before, after = fickle.sends()
    assert before.session != after.session
    assert len(fickle.items(laptop)) == 1


def test_where_every_device_is_held_the_message_waits(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    """The person lost every other device: nothing is sent, the person is told why, and a word sends it."""
    desk, stolen = alice.signed.manifest.devices
    revoked = msgspec.structs.replace(desk, revoked_ms=1, name="", curve25519=b"")
    publishes(alice, fickle, (revoked, stolen), alice)
    hears_of_it(bob, fickle)
    bob.say(alice, "waits")
    assert fickle.sends() == []
    assert [event.code for event in bob.shown if isinstance(event, SendingStuck)] == [Code.UNCONFIRMED]
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    (sent,) = fickle.sends()
    (item,) = fickle.items(thief)
    assert text_of(share_in(bob, thief, item), sent) == "waits"


def test_words_about_devices_that_nobody_asked_about_change_nothing(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    for account, device in (
        (alice.account, alice.device),
        (alice.account, DeviceId(bytes(16))),
        (AccountId(bytes(32)), thief.device),
    ):
        bob.command(ContactDeviceConfirmed(account, device))
    assert bob.store.setting(Setting.CONFIRMED_DEVICES) is None
    assert bob.core.trust.held.of(AccountId(bytes(32))) == ()


def test_what_is_kept_of_it_lasts(alice: Peer, bob: Victim, fickle: Fickle, thief: Peer) -> None:
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    bob.core = bob.new_core()
    bob.connect()
    bob.say(alice, "for both")
    assert len(fickle.items(thief)) == 1


def test_a_word_without_a_connection_counts_with_the_next_one(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer
) -> None:
    bob.say(alice, "for both in the end")
    bob.command(Disconnected(None, final=False))
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    assert fickle.items(thief) == []
    bob.connect()
    bob.command(Tick())
    assert len(fickle.items(thief)) == 1


def test_nothing_is_given_later_while_it_is_withheld_whose_the_name_is(
    alice: Peer, bob: Victim, fickle: Fickle, thief: Peer, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: alice has begun her name anew, the server shows that and not to whom, and bob says of the
    device that was left out that it is hers. Found by orders of lies."""
    bob.say(alice, "for alice alone")
    new = reset(alice, identities["carol"], bob.server)
    del bob.server.peers[new.account]
    bob.frame(LedgerGrew(bob.server.ledger.head()))
    bob.command(ContactDeviceConfirmed(alice.account, thief.device))
    assert fickle.items(thief) == []
