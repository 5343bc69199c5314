"""Whom a person verified on one own device counts on the others, and is taken from no thief."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.ids import AccountId, EnvelopeId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import (
    ContactDeviceConfirmed,
    Disconnected,
    MarkVerified,
    OwnDeviceConfirmed,
    TakeBackVerified,
    Tick,
)
from coterie.client.core import trust_marks
from coterie.client.core.standing import first_seen
from coterie.client.core.trust_marks import JITTER_MS, PAUSE_MS, Doubted, Kept
from coterie.client.events import Verified
from coterie.client.store.records import Setting, Standing, WaitingReason
from coterie.client.store.sqlite import ClientStore
from coterie.content.trust_marks import TrustMark, TrustMarks, Word
from coterie.e2ee.pairwise import PlainKind, seal_envelope
from coterie.ledger.manifest import RECOVERY
from coterie.wire.frames import LedgerGrew
from tests.attacks.conftest import alice, bob, identities, mallory, server, store
from tests.attacks.peers import X_WING_ID, Peer, Posted
from tests.attacks.street import Server, Victim
from tests.attacks.test_owed import Fickle, another_device, fickle
from tests.attacks.test_unconfirmed import joins, publishes
from tests.client.core.told import contents_for

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server", "store"]


@pytest.fixture
def stranger(bob: Victim, fickle: Fickle) -> Peer:
    """Another device of bob's, of which he has not said that it is his."""
    made = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    assert [each.id for each in bob.core.trust.own.waiting()] == [made.device]
    return made


@pytest.fixture
def phone(bob: Victim, stranger: Peer) -> Peer:
    """The same, of which he has."""
    bob.command(OwnDeviceConfirmed(stranger.device))
    return stranger


def mark(
    about: AccountId, by: Peer, word: Word = Word.VERIFIED, at_ms: int = 5, device: bytes = b""
) -> TrustMark:
    return TrustMark(about, device, word, at_ms, by.device)


def tell(sender: Peer, victim: Victim, *marks: TrustMark) -> None:
    """Trust marks from a device come, in a new Olm session."""
    olm = sender.keys.start(victim.keys.curve25519, victim.one_time_key())
    envelope = EnvelopeId(secrets.token_bytes(16))
    content = TrustMarks(marks).pack()
    sealed = seal_envelope(
        olm, sender.party, victim.party, envelope, PlainKind.TRUST_MARKS, content, X_WING_ID,
        victim.x_wing.public,
    )  # fmt: skip
    victim.mail(Posted(sender, envelope, sealed))


def pause(victim: Victim) -> None:
    victim.now_ms += PAUSE_MS + JITTER_MS
    victim.command(Tick())


def told_to(phone: Peer, server: Fickle, bob: Victim) -> list[tuple[TrustMark, ...]]:
    """What the phone was told, in order; once, for it has each Olm message once."""
    return [TrustMarks.unpack(each).marks for each in contents_for(phone, server, bob, PlainKind.TRUST_MARKS)]


def verified(bob: Victim, account: AccountId) -> bool:
    return bob.core.people.person(account).verified


def doubted(bob: Victim) -> tuple[Doubted, ...]:
    """What waits for the person's word about the device that said it."""
    packed = bob.store.setting(Setting.TRUST_DOUBTED)
    return msgspec.msgpack.decode(packed, type=tuple[Doubted, ...]) if packed else ()


def test_what_was_verified_elsewhere_is_verified_here(bob: Victim, alice: Peer, phone: Peer) -> None:
    bob.shown.clear()
    tell(phone, bob, mark(alice.account, phone))
    assert verified(bob, alice.account)
    assert [event.person.account for event in bob.shown if isinstance(event, Verified)] == [alice.account]
    tell(phone, bob, mark(alice.account, phone, Word.TAKEN_BACK, 6))
    assert not verified(bob, alice.account)
    tell(phone, bob, mark(alice.account, phone, Word.VERIFIED, 5))
    assert not verified(bob, alice.account), "the newest word counts"


def test_a_device_that_may_be_a_thiefs_verifies_nobody(bob: Victim, alice: Peer, stranger: Peer) -> None:
    """Attack: whoever came in by a stolen passphrase tells the other devices that somebody, whose place the
    server has taken, is verified. Nothing is taken until the person says that the device is theirs."""
    tell(stranger, bob, mark(alice.account, stranger))
    assert not verified(bob, alice.account)
    bob.command(MarkVerified(alice.account))
    bob.now_ms += 1
    tell(stranger, bob, mark(alice.account, stranger, Word.TAKEN_BACK, bob.now_ms + 10**12))
    assert not verified(bob, alice.account), "trust may always be taken back"
    bob.command(MarkVerified(alice.account))
    assert verified(bob, alice.account), "and the person here has the last word"
    bob.now_ms += 1
    bob.command(OwnDeviceConfirmed(stranger.device))
    bob.command(TakeBackVerified(alice.account))
    bob.now_ms += 10
    tell(stranger, bob, mark(alice.account, stranger, Word.VERIFIED, bob.now_ms))
    assert verified(bob, alice.account), "a time to come counted as the time it came at"


def test_a_device_that_may_be_a_thiefs_fills_no_store(
    bob: Victim, stranger: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: it takes back what nobody has said, of accounts without end."""
    monkeypatch.setattr(trust_marks, "DOUBTED_MOST", 2)
    unknown = [AccountId(secrets.token_bytes(32)) for _ in range(3)]
    tell(stranger, bob, *(mark(each, stranger, Word.TAKEN_BACK) for each in unknown))
    assert bob.store.setting(Setting.TRUST_MARKS) is None
    assert [each.mark.account for each in doubted(bob)] == unknown[1:]


def test_what_was_said_before_the_person_s_word_counts_after_it(
    bob: Victim, alice: Peer, mallory: Peer, stranger: Peer, fickle: Fickle
) -> None:
    """The newest of it. Whoever verifies somebody on a new device need not do so again because the question
    about that was still open elsewhere."""
    other = joins(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    tell(stranger, bob, mark(alice.account, stranger, at_ms=5), mark(mallory.account, stranger, at_ms=6))
    tell(stranger, bob, mark(mallory.account, stranger, Word.TAKEN_BACK, 7))
    tell(stranger, bob, mark(mallory.account, stranger, at_ms=6))
    tell(other, bob, mark(mallory.account, other, at_ms=9))
    assert not verified(bob, alice.account)
    bob.command(OwnDeviceConfirmed(stranger.device))
    assert verified(bob, alice.account)
    assert not verified(bob, mallory.account), "the other device is still asked about"
    assert {each.sender for each in doubted(bob)} == {other.device}


def test_what_a_denied_device_has_said_is_forgotten(
    bob: Victim, alice: Peer, stranger: Peer, fickle: Fickle
) -> None:
    """Attack: its words wait for the person's, and the person says no."""
    tell(stranger, bob, mark(alice.account, stranger))
    first, denied = bob.signed.manifest.devices
    revoked = msgspec.structs.replace(denied, revoked_ms=bob.now_ms, name="", curve25519=b"")
    bob.signed = bob.sign(first, revoked, after=bob.signed)
    fickle.ledger.add(bob.signed)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    assert bob.core.trust.own.waiting() == ()
    bob.connect()
    assert not verified(bob, alice.account)
    assert doubted(bob) == ()


@pytest.mark.parametrize("approved_by_it", [False, True])
def test_a_device_does_not_believe_one_that_may_have_been_a_thiefs_before_it_came(
    identities: dict[str, IdentityKeys],
    store: ClientStore,
    server: Server,
    alice: Peer,
    mallory: Peer,
    approved_by_it: bool,
) -> None:
    """Attack: a thief's device waits for "was this you?" on Bob's phone, and Bob signs in on a laptop. That
    never asked about it, and would hand on what it says. But where Bob let the laptop in by it, it is his."""
    fickle = Fickle(server.ledger, server.peers, server.got)
    phone = Peer(identities["bob"], "bob")
    for peer in (alice, mallory, phone):
        fickle.ledger.add(peer.signed)
    elder = joins(phone, fickle)
    laptop = Victim(identities["bob"], "bob", store, fickle)
    by = elder.device if approved_by_it else RECOVERY
    entry = msgspec.structs.replace(laptop.entry(), approved_by=by, marked=True)
    publishes(phone, fickle, (*phone.signed.manifest.devices, entry), elder if approved_by_it else phone)
    fickle.peers[phone.account] = phone
    laptop.connect()
    assert laptop.core.trust.own.waiting() == ()
    assert laptop.core.trust.own.doubtful() == (set() if approved_by_it else {elder.device})
    tell(elder, laptop, mark(alice.account, phone))
    assert verified(laptop, alice.account) is approved_by_it
    tell(phone, laptop, mark(mallory.account, phone))
    assert verified(laptop, mallory.account), "what came unmarked is the person's"


def test_nobody_else_says_who_is_verified(bob: Victim, alice: Peer, mallory: Peer, phone: Peer) -> None:
    """Attack: a member tells Bob's program that she is verified."""
    tell(mallory, bob, mark(mallory.account, mallory))
    assert not verified(bob, mallory.account)
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]


def test_a_mark_counts_once_its_account_is_proven(bob: Victim, alice: Peer, phone: Peer) -> None:
    """And for no other account than the one it names."""
    row = bob.core.people.rows.pop(alice.account)
    tell(phone, bob, mark(alice.account, phone), mark(AccountId(b"?" * 32), phone))
    bob.core.people.rows[alice.account] = row
    assert not verified(bob, alice.account)
    bob.core = bob.new_core()
    bob.connect()
    assert verified(bob, alice.account)
    assert [row.account for row in bob.core.people.rows.values() if row.verified] == [alice.account]


def test_what_waits_for_its_account_gives_way_to_what_is_said_here(
    bob: Victim, alice: Peer, phone: Peer
) -> None:
    row = bob.core.people.rows.pop(alice.account)
    tell(phone, bob, mark(alice.account, phone, Word.TAKEN_BACK))
    bob.core.people.rows[alice.account] = row
    bob.command(MarkVerified(alice.account))
    bob.connect()
    assert verified(bob, alice.account)


def test_what_is_said_here_is_told_once(bob: Victim, alice: Peer, phone: Peer, fickle: Fickle) -> None:
    bob.say(alice, "so that there are sessions")
    bob.command(MarkVerified(alice.account))
    at_ms = bob.now_ms
    before = len(fickle.items(phone))
    pause(bob)
    pause(bob)
    bob.connect()
    pause(bob)
    assert len(fickle.items(phone)) == before + 1
    bob.command(MarkVerified(alice.account))
    bob.command(TakeBackVerified(alice.account))
    bob.command(TakeBackVerified(alice.account))
    back_ms = bob.now_ms
    pause(bob)
    assert told_to(phone, fickle, bob) == [
        (mark(alice.account, bob, at_ms=at_ms),),
        (mark(alice.account, bob, Word.TAKEN_BACK, max(back_ms, at_ms + 1)),),
    ]


def test_a_device_that_may_be_a_thiefs_is_told_nothing(
    bob: Victim, alice: Peer, stranger: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    before = len(fickle.items(stranger))
    bob.command(MarkVerified(alice.account))
    pause(bob)
    assert len(fickle.items(stranger)) == before
    bob.command(OwnDeviceConfirmed(stranger.device))
    pause(bob)
    assert len(fickle.items(stranger)) == before + 1


def test_confirmed_devices_of_others_are_marked_too(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    bob.command(MarkVerified(alice.account))
    laptop = joins(alice, fickle)
    tell(phone, bob, mark(alice.account, phone, Word.CONFIRMED, 7, laptop.device))
    bob.frame(LedgerGrew(fickle.ledger.head()))
    desk = joins(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    assert {each.device for each in bob.core.trust.held.of(alice.account)} == {laptop.device, desk.device}
    bob.connect()
    assert [each.device for each in bob.core.trust.held.of(alice.account)] == [desk.device]
    bob.command(ContactDeviceConfirmed(alice.account, desk.device))
    assert bob.core.trust.held.of(alice.account) == ()
    packed = bob.store.setting(Setting.TRUST_MARKS)
    assert packed is not None
    kept = msgspec.msgpack.decode(packed, type=tuple[Kept, ...])
    words = {(each.mark.device, each.mark.word) for each in kept}
    assert words == {(b"", Word.VERIFIED), (laptop.device, Word.CONFIRMED), (desk.device, Word.CONFIRMED)}


def test_more_than_fits_goes_in_several(
    bob: Victim, alice: Peer, mallory: Peer, phone: Peer, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_marks, "MARKS_MOST", 1)
    bob.say(alice, "so that there are sessions")
    bob.command(MarkVerified(alice.account))
    bob.command(MarkVerified(mallory.account))
    pause(bob)
    told = told_to(phone, fickle, bob)
    assert {each.account for (each,) in told} == {alice.account, mallory.account}


def test_nothing_is_told_without_a_connection_or_own_devices_that_are_proven(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.say(alice, "so that there are sessions")
    before = len(fickle.items(phone))
    bob.command(Disconnected(None, False))
    bob.command(MarkVerified(alice.account))
    pause(bob)
    assert len(fickle.items(phone)) == before
    bob.connect()
    bob.core.people.unproven.add(bob.account)
    pause(bob)
    assert len(fickle.items(phone)) == before
    bob.core.people.unproven.clear()
    pause(bob)
    assert len(fickle.items(phone)) == before + 1


def test_a_device_without_a_session_is_told_later(
    bob: Victim, alice: Peer, phone: Peer, fickle: Fickle
) -> None:
    bob.command(MarkVerified(alice.account))
    pause(bob)
    assert fickle.items(phone) == []
    assert bob.store.setting(Setting.TRUST_TOLD) is None
    bob.say(alice, "so that there are sessions")
    before = len(fickle.items(phone))
    bob.connect()
    pause(bob)
    assert len(fickle.items(phone)) == before + 1


def test_taking_back_opens_nothing(bob: Victim, alice: Peer, stranger: Peer, fickle: Fickle) -> None:
    """Attack: Bob holds back what he writes to Alice from a device that came to her account by passphrase.
    A thief's device at Bob's takes his verification of her back, so that nobody is asked about hers, nor
    about an identity after her."""
    bob.command(MarkVerified(alice.account))
    hers = joins(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.now_ms += 10
    tell(stranger, bob, mark(alice.account, stranger, Word.TAKEN_BACK, bob.now_ms))
    assert not verified(bob, alice.account)
    assert [each.device for each in bob.core.trust.held.of(alice.account)] == [hers.device]
    bob.say(alice, "for her alone")
    assert fickle.items(alice)
    assert not fickle.items(hers)
    people = bob.core.people
    heir = msgspec.structs.replace(people.rows[alice.account], account=AccountId(b"h" * 32), seq=9)
    assert first_seen(people, heir, bob.now_ms).standing is Standing.CHANGED_VERIFIED


def test_an_identity_that_followed_a_verified_one_waits_again(
    bob: Victim, alice: Peer, mallory: Peer
) -> None:
    """What was taken back is as if it had not been verified: nothing goes to it alone."""
    bob.command(MarkVerified(alice.account))
    rows = bob.core.people.rows
    heir = msgspec.structs.replace(
        rows[mallory.account], name=alice.name, seq=9, standing=Standing.CHANGED_VERIFIED
    )
    bob.core.people.saved(heir)
    bob.command(MarkVerified(mallory.account))
    assert verified(bob, mallory.account)
    bob.command(TakeBackVerified(mallory.account))
    assert bob.core.people.rows[mallory.account].standing is Standing.CHANGED_VERIFIED
