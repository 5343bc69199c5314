"""An identity that follows another by its word, and servers that say so by themselves (rules 2 and 22)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code
from coterie.base.errors import PersonChanged, SecurityStop
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import AcceptIdentity, Disconnected, MarkVerified, ReplaceIdentity
from coterie.client.events import (
    AccountChangeAnswered,
    AccountDeleted,
    IdentityChanged,
    NameReset,
    PersonAppeared,
)
from coterie.client.following import follow
from coterie.client.store.records import Setting
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import RECOVERY, sign_manifest
from coterie.ledger.succession import SignedSuccession, heir_device, sign_heir, sign_succession
from coterie.wire.frames import LedgerGrew, Refusal, Succeed
from coterie.wire.frames.accounts import AccountRecord
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow
from tests.attacks.test_resets import heir_of as beginner
from tests.attacks.test_resets import later, reset

VAULT = bytes(32)


class Registrar(Server):
    """A server that says by what word somebody follows somebody else."""

    def __init__(self, before: Server) -> None:
        super().__init__(before.ledger, before.peers, before.got)
        self.words: dict[bytes, bytes] = {}

    def record(self, peer: Peer) -> AccountRecord:
        given = super().record(peer)
        word = self.words.get(peer.account, b"")
        return msgspec.structs.replace(given, succession=word)


def follower(before: Peer, identity: IdentityKeys) -> Peer:
    """The same person, on the same device, under another identity."""
    heir = Peer(identity, before.name)
    heir.device = heir_device(before.device, heir.account)
    heir.keys, heir.x_wing = before.keys, before.x_wing
    heir.signed = sign_heir(before.signed, identity, before.device, before.keys, VAULT, NOW_MS)
    return heir


def word_of(before: Peer, heir: Peer) -> SignedSuccession:
    return sign_succession(before.signed, heir.signed, before.identity, before.device, before.keys)


def succeed(bob: Victim, heir: Peer, word: bytes) -> Registrar:
    """The ledger gets the leaf, and Bob hears of it."""
    registrar = bob.server if isinstance(bob.server, Registrar) else Registrar(bob.server)
    registrar.peers[heir.account], registrar.words[heir.account] = heir, word
    bob.server = registrar
    put(registrar, heir)
    bob.frame(LedgerGrew(registrar.ledger.head()))
    return registrar


def put(server: Server, heir: Peer) -> None:
    hashed = name_hash(heir.name)
    index, leaf = server.ledger.view.newest_of_name(hashed) or (0, None)
    assert leaf is not None
    server.ledger.put(Leaf(LeafKind.SUCCESSION, hashed, heir.account, leaf.seq + 1, heir.signed.hash, index))


def changes(bob: Victim) -> list[IdentityChanged]:
    return [event for event in bob.shown if isinstance(event, IdentityChanged)]


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


def test_the_own_account_does_not_go_on_without_this_device(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: whoever has another device of Bob's and its password takes his account. Rule 20: Bob's program
    stops, and says that his identity is another one."""
    thief = msgspec.structs.replace(mallory.entry(), id=DeviceId(b"t" * 16), approved_by=bob.device)
    bob.signed = bob.sign(bob.entry(), thief, after=bob.signed)
    grow(bob, server, bob.signed)
    heir = Peer(identities["carol"], bob.name)
    heir.device, heir.keys = heir_device(thief.id, heir.account), mallory.keys
    heir.signed = sign_heir(bob.signed, heir.identity, thief.id, mallory.keys, VAULT, NOW_MS)
    his = msgspec.structs.replace(heir.signed.manifest, devices=heir.signed.manifest.devices[:1])
    heir.signed = sign_manifest(his, heir.identity, heir.device, mallory.keys)
    word = sign_succession(bob.signed, heir.signed, bob.identity, thief.id, mallory.keys)
    with pytest.raises(SecurityStop) as stopped:
        succeed(bob, heir, word.pack())
    assert stopped.value.code is Code.IDENTITY_CHANGED


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


def test_whoever_goes_along_stops_where_the_next_identity_leaves_it_out(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: while Bob's program is closed his account goes on twice, the second time by a thief and without
    this device."""
    registrar = Registrar(server)
    bob.server = registrar
    first = follower(bob, identities["carol"])
    theirs = Peer(IdentityKeys.generate(), bob.name)
    manifest = msgspec.structs.replace(theirs.signed.manifest, seq=3, previous=first.signed.hash)
    theirs.signed = sign_manifest(manifest, theirs.identity, theirs.device, theirs.keys)
    for before, after in ((bob, first), (first, theirs)):
        registrar.peers[after.account] = after
        registrar.words[after.account] = word_of(before, after).pack()
        put(registrar, after)
    bob.frame(LedgerGrew(registrar.ledger.head()))
    assert bob.core.heir in (None, first.account)
    bob.core, told = follow(bob.store, bob.core, first.account, NOW_MS)
    assert told.account == first.account
    assert bob.store.setting(Setting.OWN_SECRET) is None
    with pytest.raises(SecurityStop) as stopped:
        bob.connect()
    assert stopped.value.code is Code.IDENTITY_CHANGED


def test_what_was_given_and_not_answered_is_given_again(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """The server may have taken it: then it says `succeeded`, and the ledger says the rest."""
    vault = b"vault"
    command = ReplaceIdentity(b"c" * 16, bob.identity, identities["carol"], vault, b"a" * 32, b"r" * 32)
    bob.command(command)
    first = [frame for frame in server.got if isinstance(frame, Succeed)]
    bob.connect()
    given = [frame for frame in server.got if isinstance(frame, Succeed)]
    assert len(first) == 1
    assert [frame.manifest for frame in given] == [first[0].manifest] * 2
    bob.frame(Refusal(given[-1].request, Code.SUCCEEDED.value))
    assert bob.store.setting(Setting.PENDING_SUCCESSION) is not None
    assert not [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    bob.connect()
    last = [frame for frame in server.got if isinstance(frame, Succeed)][-1]
    bob.frame(Refusal(last.request, Code.BAD_MANIFEST.value))
    assert bob.store.setting(Setting.PENDING_SUCCESSION) is None
    answered = [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    assert [(each.change, each.code) for each in answered] == [(b"c" * 16, Code.BAD_MANIFEST)]


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
