"""A device that somebody else adds to one's account: its people are asked, until they answer (rule 20)."""

from __future__ import annotations

import secrets

from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import OwnDeviceConfirmed
from coterie.client.events import OwnDeviceQuestion
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import DeviceEntry
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim


def with_another(peer: Peer, server: Server, name: str) -> DeviceId:
    """The account's newest manifest lists one more device."""
    keys, id = DeviceKeys.create(), DeviceId(secrets.token_bytes(16))
    new = DeviceEntry(id, name, keys.curve25519, keys.ed25519, NOW_MS, 0, peer.device, False)
    peer.signed = peer.sign(*peer.signed.manifest.devices, new, after=peer.signed)
    server.ledger.add(peer.signed)
    return id


def asked(victim: Victim) -> list[DeviceId]:
    return [each.device.id for each in victim.shown if isinstance(each, OwnDeviceQuestion)]


def restarted(victim: Victim) -> list[DeviceId]:
    """What a new start of the program asks."""
    victim.core, victim.shown = victim.new_core(), []
    victim.connect()
    return asked(victim)


def test_a_device_that_came_is_asked_about_until_it_is_answered(bob: Victim, server: Server) -> None:
    """Attack: whoever has the passphrase becomes a device. Rule 20: all own devices ask, across restarts."""
    assert asked(bob) == []
    first = with_another(bob, server, "thief")
    bob.frame(LedgerGrew(server.ledger.head()))
    assert asked(bob) == [first]
    second = with_another(bob, server, "laptop")
    bob.frame(LedgerGrew(server.ledger.head()))
    assert asked(bob) == [first, second]
    assert restarted(bob) == [first, second]
    bob.command(OwnDeviceConfirmed(second))
    assert [each.id for each in bob.core.trust.own.waiting()] == [first]
    assert restarted(bob) == [first]
    bob.command(OwnDeviceConfirmed(first))
    assert restarted(bob) == []


def test_one_that_came_between_enrolment_and_the_first_connection_is_asked_about(
    identities: dict[str, IdentityKeys], store: ClientStore, server: Server, alice: Peer
) -> None:
    """A device knows those that stood in its manifest before it, and no later one."""
    victim = Victim(identities["bob"], "bob", store, server)
    server.peers[victim.account] = victim
    for peer in (alice, victim):
        server.ledger.add(peer.signed)
    later = with_another(victim, server, "thief")
    chain = victim.signed
    victim.connect()
    assert chain.manifest.seq == 2
    assert asked(victim) == [later]


def test_devices_of_others_raise_no_question(alice: Peer, bob: Victim, server: Server) -> None:
    with_another(alice, server, "laptop")
    bob.frame(LedgerGrew(server.ledger.head()))
    assert asked(bob) == []
    assert bob.store.setting(Setting.OWN_QUESTIONS) is None
