"""Whoever denies a reset when it counts already: everybody agrees with the ledger (rules 2 and 22)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.errors import PersonChanged, SecurityStop
from coterie.base.signing import IdentityKeys
from coterie.client.commands import AcceptIdentity, MarkVerified
from coterie.client.events import (
    AccountDeleted,
)
from coterie.ledger.manifest import sign_manifest
from tests.attacks.heirs import changes
from tests.attacks.peers import Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow
from tests.attacks.test_resets import heir_of as beginner
from tests.attacks.test_resets import later, reset


def test_a_late_no_is_a_no_and_the_name_comes_back_as_another_identity(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """A manifest of the one before comes directly after a reset that counts here already: all who have the
    ledger agree that the reset is void. Who has the keys of the one before by now nobody knows."""
    begun = beginner(alice, identities["carol"])
    reset(bob, server, alice, begun)
    later(bob, limits.RESET_AFTER_MS)
    bob.command(AcceptIdentity(begun.account))
    bob.command(MarkVerified(begun.account))
    assert bob.core.people.named(alice.name) == begun.account
    passed = alice.sign(alice.entry(), after=alice.signed).manifest
    alice.signed = sign_manifest(
        msgspec.structs.replace(passed, seq=passed.seq + 1), alice.identity, alice.device, alice.keys
    )
    bob.shown.clear()
    grow(bob, server, alice.signed)
    assert bob.core.people.named(alice.name) == alice.account
    assert bob.core.people.is_replaced(begun.account)
    (told,) = changes(bob)
    assert (told.person.account, told.was_verified) == (alice.account, True)
    with pytest.raises(PersonChanged) as stopped:
        bob.say(alice, "you again?")
    assert stopped.value.verified
    with pytest.raises(SecurityStop):
        bob.say(begun, "and you?")
    bob.core = bob.new_core()
    bob.connect()
    assert bob.core.people.named(alice.name) == alice.account
    assert not [event for event in bob.shown if isinstance(event, AccountDeleted)]


def test_a_late_no_of_somebody_unknown_makes_them_somebody_to_accept(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Bob met the name when it had begun anew; the one before was nobody to him."""
    before = Peer(IdentityKeys.generate(), "dave")
    server.ledger.add(before.signed)
    server.peers[before.account] = mallory
    begun = beginner(before, identities["carol"])
    reset(bob, server, before, begun)
    assert bob.core.people.named(before.name) == begun.account
    passed = before.sign(before.entry(), after=before.signed).manifest
    before.signed = sign_manifest(
        msgspec.structs.replace(passed, seq=passed.seq + 1), before.identity, before.device, before.keys
    )
    server.peers[before.account] = before
    grow(bob, server, before.signed)
    assert bob.core.people.named(before.name) == before.account
    with pytest.raises(PersonChanged):
        bob.say(before, "you?")


def test_ones_own_late_no_is_ones_own(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """Another own device has said it. One does not accept oneself; and of a reset that never came to this
    device there is nothing to take back."""
    begun = beginner(bob, identities["carol"])
    reset(bob, server, bob, begun)
    later(bob, limits.RESET_AFTER_MS)
    passed = bob.sign(bob.entry(), after=bob.signed).manifest
    bob.signed = sign_manifest(
        msgspec.structs.replace(passed, seq=passed.seq + 1), bob.identity, bob.device, bob.keys
    )
    grow(bob, server, bob.signed)
    assert bob.core.people.named(bob.name) == bob.account
    assert not bob.core.people.rows[bob.account].waits
