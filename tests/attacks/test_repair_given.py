"""What is given as a repair is what was said, by whom it was said, or it is nothing (encryption rule 24;
docs/decisions/0038)."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from coterie.base.conversations import direct_id, membership_hash
from coterie.client.commands import Tick
from coterie.content.body import Text, pack
from coterie.content.repair import Repair
from coterie.e2ee.group import InnerMessage, Parent
from coterie.e2ee.vodo import GroupOut
from coterie.wire.frames import LedgerGrew
from tests.attacks.asking import Asker
from tests.attacks.peers import EVERYONE, NOW_MS, Peer, Said
from tests.attacks.street import Victim, with_key
from tests.attacks.test_owed import Fickle, another_device, fickle

__all__ = ["fickle"]


def awaited(alice: Peer, bob: Victim, text: str = "of a key that never comes") -> Said:
    """A message of alice's in the log of everyone, which bob cannot open."""
    said = alice.message(GroupOut.create(), EVERYONE, text, n=1)
    bob.log(said)
    return said


def given_as(said: Said, text: str, n: int = 1) -> Repair:
    """Another text in the place of what was said, by whoever gives it."""
    inner = InnerMessage(
        EVERYONE, said.sender.account, said.sender.device, membership_hash(EVERYONE), said.message, n,
        bytes(32) if n > 1 else b"", (), (), NOW_MS, b"", pack(Text(text)),
    )  # fmt: skip
    return Repair(secrets.token_bytes(32), 0, inner.pack())


def honest(said: Said) -> Repair:
    return Repair(said.sealed.franking_key, said.sealed.index, said.sealed.inner)


def test_what_is_given_is_what_was_said(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a device says one thing to these people and gives another to those who ask. The commitment in
    the log is to the first."""
    said = awaited(alice, bob)
    asker = Asker(alice, bob, fickle)
    asker.gives(given_as(said, "another text"))
    assert bob.texts(EVERYONE) == []
    assert bob.store.undecryptable_now() == 1
    asker.gives(honest(said))
    assert bob.texts(EVERYONE) == [("alice", "of a key that never comes")]
    assert bob.store.undecryptable_now() == 0
    asker.gives(honest(said))
    assert len(bob.texts(EVERYONE)) == 1


def test_somebody_else_cannot_give_it(alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: with the server, which makes up an entry of alice's and commits to a text of its own."""
    said = awaited(alice, bob)
    Asker(mallory, bob, fickle).gives(honest(said))
    assert bob.texts(EVERYONE) == []


def test_another_own_device_cannot_put_words_into_anybodys_mouth(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: who holds an own device that is not revoked yet makes up a message of alice's, and the server
    an entry with a commitment to it. The word of an own device counts only where others have named the
    text."""
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.core.trust.own.expect((phone.device,))
    said = awaited(alice, bob, "that alice never said")
    Asker(phone, bob, fickle).gives(honest(said))
    assert bob.texts(EVERYONE) == []


def test_what_nobody_asked_for_is_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: messages that stand in no log, given as repairs."""
    bob.log(alice.message(with_key(alice, bob, EVERYONE), EVERYONE, "one", n=1))
    said = alice.message(GroupOut.create(), EVERYONE, "two", n=2)
    Asker(alice, bob, fickle).gives(honest(said))
    assert bob.texts(EVERYONE) == [("alice", "one")]


def test_what_never_came_has_to_be_what_was_named(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """A dropped message is known by the hash in the one behind it: another text under its number is refused,
    and the next device is asked at once."""
    out = with_key(alice, bob, EVERYONE)
    one, two = (alice.message(out, EVERYONE, text, n=n) for n, text in ((1, "one"), (2, "two")))
    named = (Parent(hashlib.sha256(two.sealed.inner).digest(), alice.device, 2),)
    bob.log(one, alice.message(out, EVERYONE, "three", n=3, parents=named))
    bob.now_ms += 2000
    bob.command(Tick())
    asker = Asker(alice, bob, fickle)
    (row,) = bob.store.awaited()
    assert (row.asked, row.next_ms) == (1, bob.now_ms + 60_000)
    asker.gives(given_as(two, "another two", 2))
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "three"]
    (row,) = bob.store.awaited()
    assert row.next_ms == bob.now_ms
    asker.gives(honest(two))
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "two", "three"]
    assert bob.store.awaited() == []
    kept = bob.store.history(EVERYONE, 3, None)[1]
    assert (kept.inner, kept.franking_key) == (two.sealed.inner, two.sealed.franking_key)


def test_nobody_gives_a_message_into_a_conversation_of_others(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: the server puts an entry of mallory's into the log of bob and alice; no key of hers would be
    taken for it, and no repair is."""
    bob.say(alice, "between us")
    talk = direct_id(alice.account, bob.account)
    said = mallory.message(GroupOut.create(), talk, "i am here, too", n=1)
    bob.log(said)
    Asker(mallory, bob, fickle).gives(honest(said))
    assert [text for _, text in bob.texts(talk)] == ["between us"]


def test_another_device_of_the_sender_speaks_for_it(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    said = awaited(alice, bob)
    phone = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    Asker(phone, bob, fickle).gives(honest(said))
    assert bob.texts(EVERYONE) == [("alice", "of a key that never comes")]


def test_an_own_device_speaks_where_others_have_named_the_text(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """And where only the own account has, nothing is believed."""
    phone = another_device(bob, fickle)
    bob.core.trust.own.expect((phone.device,))
    bob.frame(LedgerGrew(fickle.ledger.head()))
    out = with_key(alice, bob, EVERYONE)
    one, two = (alice.message(out, EVERYONE, text, n=n) for n, text in ((1, "one"), (2, "two")))
    named = (Parent(hashlib.sha256(two.sealed.inner).digest(), alice.device, 2),)
    bob.log(one, phone.message(with_key(phone, bob, EVERYONE), EVERYONE, "so she said", n=1, parents=named))
    asker = Asker(phone, bob, fickle)
    asker.gives(honest(two))
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "so she said"]
    from_mallory = with_key(mallory, bob, EVERYONE)
    (row,) = bob.store.awaited()
    assert row.named_by == bob.account
    bob.apply(msgspec.structs.replace(row, named_by=mallory.account))
    bob.log(mallory.message(from_mallory, EVERYONE, "yes", n=1, parents=named))
    asker.gives(honest(two))
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "two", "so she said", "yes"]
