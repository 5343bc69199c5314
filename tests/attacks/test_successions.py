"""An identity that follows another by its word, and servers that say so by themselves (rules 2 and 22)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.changed_by import ChangedBy
from coterie.base.errors import PersonChanged, SecurityStop
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import AcceptIdentity, Disconnected, MarkVerified
from coterie.client.events import (
    NameReset,
    PersonAppeared,
)
from coterie.ledger.manifest import RECOVERY
from coterie.ledger.succession import sign_heir, sign_succession
from coterie.wire.frames import LedgerGrew
from tests.attacks.heirs import VAULT, Registrar, changes, follower, put, succeed, word_of
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow
from tests.attacks.test_resets import heir_of as beginner
from tests.attacks.test_resets import later, reset


@pytest.fixture
def heir(alice: Peer, bob: Victim, identities: dict[str, IdentityKeys]) -> Peer:
    assert bob.core.people.named(alice.name) == alice.account
    return follower(alice, identities["carol"])


def test_it_counts_at_once_and_nothing_goes_to_it_by_itself(alice: Peer, bob: Victim, heir: Peer) -> None:
    bob.command(Disconnected(None, final=False))
    bob.say(alice, "queued for the one before")
    bob.connect()
    sent = len(bob.server.sends())
    assert sent == 1
    server = succeed(bob, heir, word_of(alice, heir).pack())
    (told,) = changes(bob)
    assert (told.person.account, told.changed_ms, told.by) == (heir.account, NOW_MS, ChangedBy.DEVICE)
    assert not [event for event in bob.shown if isinstance(event, NameReset)]
    assert bob.core.people.named(alice.name) == heir.account
    with pytest.raises(SecurityStop):
        bob.say(alice, "to the one before")
    with pytest.raises(PersonChanged) as stopped:
        bob.say(heir, "to the new one")
    assert (stopped.value.by, stopped.value.verified) == (ChangedBy.DEVICE, False)
    assert server.items_for(heir) == []
    bob.command(AcceptIdentity(heir.account))
    bob.say(heir, "accepted")
    assert len(server.items_for(heir)) == 1
    bob.core = bob.new_core()
    bob.connect()
    row = bob.core.people.rows[heir.account]
    assert (row.changed_by, row.changed_ms) == (ChangedBy.DEVICE, NOW_MS)


def test_who_was_verified_has_to_be_verified_anew(alice: Peer, bob: Victim, heir: Peer) -> None:
    bob.command(MarkVerified(alice.account))
    succeed(bob, heir, word_of(alice, heir).pack())
    bob.command(AcceptIdentity(heir.account))
    with pytest.raises(PersonChanged) as stopped:
        bob.say(heir, "you?")
    assert stopped.value.verified


def refused(bob: Victim, alice: Peer, heir: Peer) -> None:
    """Nothing is believed of the heir, and nothing is sealed: neither for it, nor for the one before."""
    assert heir.account not in bob.core.people.rows
    assert changes(bob) == []
    sent = len(bob.server.sends())
    bob.say(alice, "still you?")
    assert len(bob.server.sends()) == sent
    assert bob.server.items_for(heir) == []


def test_a_server_gives_a_name_away_by_no_word(alice: Peer, bob: Victim, heir: Peer) -> None:
    """Attack: the server writes a leaf that says "published by an existing device", with keys of its own."""
    succeed(bob, heir, b"")
    refused(bob, alice, heir)


def test_the_identity_alone_is_not_enough(alice: Peer, bob: Victim, heir: Peer, mallory: Peer) -> None:
    """Attack: whoever has the private keys of Alice's account, and no device of hers that is live."""
    word = word_of(alice, heir)
    false = sign_succession(alice.signed, heir.signed, alice.identity, mallory.device, mallory.keys)
    registrar = succeed(bob, heir, false.pack())
    refused(bob, alice, heir)
    unsigned = msgspec.structs.replace(word, device_signature=mallory.keys.sign(word.payload))
    registrar.words[heir.account] = unsigned.pack()
    bob.connect()
    refused(bob, alice, heir)


def test_a_device_alone_is_not_enough(alice: Peer, bob: Victim, heir: Peer) -> None:
    """Attack: a device is lost whose password nobody knows; its key signs for an identity of the finder's."""
    word = word_of(alice, heir)
    false = msgspec.structs.replace(word, identity_signature=heir.identity.sign(word.payload))
    succeed(bob, heir, false.pack())
    refused(bob, alice, heir)


def test_a_revoked_device_says_nothing_any_more(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: the thief of a device has the account's private keys too, and a server helps him. The owner has
    revoked it: what it co-signs counts for nothing, on the list of now or on the one where it was live."""
    laptop = msgspec.structs.replace(mallory.entry(), id=DeviceId(b"l" * 16), approved_by=alice.device)
    listed = alice.sign(alice.entry(), laptop, after=alice.signed)
    alice.signed = listed
    grow(bob, server, listed)
    alice.signed = alice.sign(alice.entry(), laptop.revoked(NOW_MS), after=listed)
    grow(bob, server, alice.signed)
    heir = follower(alice, identities["carol"])
    of_now = sign_succession(alice.signed, heir.signed, alice.identity, laptop.id, mallory.keys)
    registrar = succeed(bob, heir, of_now.pack())
    refused(bob, alice, heir)
    before = sign_succession(listed, heir.signed, alice.identity, laptop.id, mallory.keys)
    registrar.words[heir.account] = before.pack()
    bob.connect()
    refused(bob, alice, heir)


def test_who_missed_the_revocation_is_shown_it_first(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: the same, at somebody who was away, from whom the server withholds the list that revokes."""
    laptop = msgspec.structs.replace(mallory.entry(), id=DeviceId(b"l" * 16), approved_by=alice.device)
    listed = alice.sign(alice.entry(), laptop, after=alice.signed)
    alice.signed = listed
    grow(bob, server, listed)
    newest = alice.sign(alice.entry(), laptop.revoked(NOW_MS), after=listed)
    server.ledger.add(newest)
    alice.signed = newest
    heir = follower(alice, identities["carol"])
    alice.signed = listed
    word = sign_succession(listed, heir.signed, alice.identity, laptop.id, mallory.keys)
    succeed(bob, heir, word.pack())
    refused(bob, alice, heir)


def test_a_word_for_one_heir_is_not_anothers(alice: Peer, bob: Victim, heir: Peer) -> None:
    """Attack: what Alice signed for her new identity is shown for the server's."""
    other = follower(alice, IdentityKeys.generate())
    succeed(bob, other, word_of(alice, heir).pack())
    refused(bob, alice, other)


def test_a_word_from_before_says_nothing_later(alice: Peer, bob: Victim, server: Server, heir: Peer) -> None:
    """Attack: a word that never got into the ledger is used after Alice has changed her account."""
    old = word_of(alice, heir)
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    grow(bob, server, alice.signed)
    succeed(bob, heir, old.pack())
    refused(bob, alice, heir)


def test_one_that_came_by_recovery_is_told_as_such(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    back = msgspec.structs.replace(mallory.entry(), id=DeviceId(b"b" * 16), approved_by=RECOVERY, marked=True)
    alice.signed = alice.sign(alice.entry(), back, after=alice.signed)
    grow(bob, server, alice.signed)
    heir = follower(alice, identities["carol"])
    heir.signed = sign_heir(alice.signed, heir.identity, back.id, mallory.keys, VAULT, NOW_MS)
    word = sign_succession(alice.signed, heir.signed, alice.identity, back.id, mallory.keys)
    succeed(bob, heir, word.pack())
    assert [each.by for each in changes(bob)] == [ChangedBy.RECOVERY]


def test_a_newcomer_knows_the_one_of_now_alone(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """Nobody of that name was known here: nothing is to be accepted, and the one before is nobody to meet."""
    before = Peer(IdentityKeys.generate(), "dave")
    server.ledger.add(before.signed)
    server.peers[before.account] = before
    heir = follower(before, identities["carol"])
    succeed(bob, heir, b"")
    assert bob.core.people.named(heir.name) == heir.account
    assert changes(bob) == []
    bob.core = bob.new_core()
    bob.connect()
    assert before.account not in bob.core.people.rows
    met = [event.person.account for event in bob.shown if isinstance(event, PersonAppeared)]
    assert before.account not in met


def test_who_was_away_follows_from_one_to_the_next(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    bob.command(MarkVerified(alice.account))
    registrar = Registrar(server)
    bob.server = registrar
    newest = follower(heir, IdentityKeys.generate())
    for before, after in ((alice, heir), (heir, newest)):
        registrar.peers[after.account] = after
        registrar.words[after.account] = word_of(before, after).pack()
        put(registrar, after)
    bob.frame(LedgerGrew(registrar.ledger.head()))
    assert bob.core.people.named(alice.name) == newest.account
    assert changes(bob)[-1].was_verified
    assert heir.account in bob.core.people.rows


def test_what_follows_a_reset_counts_with_it(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: the server begins a name anew, and has that identity go on as another one at once, so that no
    day passes before it counts."""
    begun = beginner(alice, identities["carol"])
    reset(bob, server, alice, begun)
    heir = follower(begun, IdentityKeys.generate())
    succeed(bob, heir, word_of(begun, heir).pack())
    assert bob.core.people.named(alice.name) == alice.account
    assert changes(bob) == []
    later(bob, limits.RESET_AFTER_MS)
    assert bob.core.people.named(alice.name) == heir.account
    with pytest.raises(PersonChanged):
        bob.say(heir, "you?")


def test_an_heir_whose_predecessor_is_withheld_is_not_believed(
    alice: Peer, bob: Victim, server: Server, heir: Peer
) -> None:
    """Attack: of two successions the server keeps the first one's account to itself, so that the second has
    nothing to be held against."""
    registrar = Registrar(server)
    bob.server = registrar
    newest = follower(heir, IdentityKeys.generate())
    for before, after in ((alice, heir), (heir, newest)):
        registrar.words[after.account] = word_of(before, after).pack()
        put(registrar, after)
    registrar.peers[newest.account] = newest
    bob.frame(LedgerGrew(registrar.ledger.head()))
    refused(bob, alice, newest)
    registrar.peers[heir.account] = heir
    bob.connect()
    assert bob.core.people.named(alice.name) == newest.account


def test_an_heir_that_came_before_the_one_before_is_asked_for_again(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """An answer need not hold all that was asked for; what had to wait for another account is not lost."""
    registrar = Registrar(server)
    bob.server = registrar
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    registrar.ledger.add(alice.signed)
    heir = follower(alice, identities["carol"])
    del registrar.peers[alice.account]
    succeed(bob, heir, word_of(alice, heir).pack())
    refused(bob, alice, heir)
    registrar.peers[alice.account] = alice
    bob.frame(LedgerGrew(registrar.ledger.head()))
    assert bob.core.people.named(alice.name) == heir.account
