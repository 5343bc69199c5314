"""Behind a restore of the server every device counts anew; what it leaves out is noticed (decision 0046)."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from coterie.base.errors import LocalError
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.client.commands import Tick
from coterie.e2ee.group import InnerMessage, Parent, count_of
from tests.attacks.asking import Asker
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key
from tests.attacks.test_counts import missing
from tests.attacks.test_owed import Fickle, fickle
from tests.attacks.test_repair_given import honest

__all__ = ["fickle"]

ANEW = count_of(490_000)


def test_a_count_goes_on_in_the_next_one(alice: Peer, bob: Victim) -> None:
    """Also where something of before comes late: it counts for nothing any more."""
    out = with_key(alice, bob, EVERYONE)
    late = alice.message(out, EVERYONE, "two", n=2)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    bob.log(alice.message(out, EVERYONE, "anew", n=ANEW + 1))
    bob.log(late)
    bob.log(alice.message(out, EVERYONE, "and on", n=ANEW + 2))
    assert [text for _, text in bob.texts(EVERYONE)] == ["one", "anew", "two", "and on"]
    assert missing(bob) == []
    assert not bob.store.awaited()


def test_what_is_left_out_of_the_new_count_is_missing(alice: Peer, bob: Victim) -> None:
    """Attack: the server drops the first word after the restore. One is missing, not all numbers between."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    first = alice.message(out, EVERYONE, "first", n=ANEW + 1, parents=())
    bob.log(
        alice.message(
            out, EVERYONE, "second", n=ANEW + 2, parents=(Parent(first.sealed.hash, alice.device, ANEW + 1),)
        )
    )
    assert missing(bob) == [("alice", 1)]
    (run,) = bob.store.awaited()
    assert (run.first_n, run.last_n, run.hash) == (ANEW + 1, ANEW + 1, first.sealed.hash)
    bob.log(first)
    assert missing(bob) == [("alice", 1), ("alice", 0)]
    assert not bob.store.awaited()


def test_what_is_left_out_around_the_restore_is_asked_for(alice: Peer, bob: Victim) -> None:
    """Attack: a server restores itself so that a message is gone. The first of the new count names it."""
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    dropped = alice.message(out, EVERYONE, "three", n=3)
    last = (Parent(dropped.sealed.hash, alice.device, 3),)
    bob.log(alice.message(out, EVERYONE, "anew", n=ANEW + 1, parents=last))
    (run,) = bob.store.awaited()
    assert (run.first_n, run.last_n, run.hash) == (2, 3, dropped.sealed.hash)


def test_others_name_numbers_of_their_own_count(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """What others name of a count that its device has not begun here says nothing of the one before."""
    bob.log(alice.message(with_key(alice, bob, EVERYONE), EVERYONE, "one", n=1))
    had = (Parent(b"h" * 32, alice.device, ANEW + 3),)
    bob.log(mallory.message(with_key(mallory, bob, EVERYONE), EVERYONE, "as alice said", n=1, parents=had))
    assert missing(bob) == []
    assert not bob.store.awaited()


def test_the_same_words_under_two_numbers_stand_once(alice: Peer, bob: Victim) -> None:
    """A copy of a home seals again what the original has sent: nothing is missing under either number."""
    out, id = with_key(alice, bob, EVERYONE), MessageId(b"m" * 16)
    bob.log(alice.message(out, EVERYONE, "once", n=1, message=id))
    bob.log(alice.message(out, EVERYONE, "once", n=ANEW + 1, message=id))
    bob.log(alice.message(out, EVERYONE, "then", n=ANEW + 2))
    assert [text for _, text in bob.texts(EVERYONE)] == ["once", "then"]
    assert missing(bob) == []


def test_other_words_under_one_id_count_as_none(alice: Peer, bob: Victim) -> None:
    """Attack: a device says other things to others, and hides that behind an id that was used."""
    out, id = with_key(alice, bob, EVERYONE), MessageId(b"m" * 16)
    bob.log(alice.message(out, EVERYONE, "once", n=1, message=id))
    bob.log(alice.message(out, EVERYONE, "something else", n=2, message=id))
    bob.log(alice.message(out, EVERYONE, "then", n=3))
    assert [text for _, text in bob.texts(EVERYONE)] == ["once", "then"]
    assert missing(bob) == [("alice", 1)]


def test_the_same_words_come_by_repair_and_stand_once(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    out, id = with_key(alice, bob, EVERYONE), MessageId(b"m" * 16)
    bob.log(alice.message(out, EVERYONE, "once", n=1, message=id))
    again = alice.message(out, EVERYONE, "once", n=ANEW + 1, message=id)
    named = (Parent(again.sealed.hash, alice.device, ANEW + 1),)
    bob.log(alice.message(out, EVERYONE, "then", n=ANEW + 2, parents=named))
    assert missing(bob) == [("alice", 1)]
    bob.now_ms += 2000
    bob.command(Tick())
    Asker(alice, bob, fickle).gives(honest(again))
    assert [text for _, text in bob.texts(EVERYONE)] == ["once", "then"]
    assert missing(bob) == [("alice", 1), ("alice", 0)]
    assert not bob.store.awaited()


def test_what_comes_again_and_does_not_open_counts_as_none(alice: Peer, bob: Victim) -> None:
    out, id = with_key(alice, bob, EVERYONE), MessageId(b"m" * 16)
    bob.log(alice.message(out, EVERYONE, "once", n=1, message=id))
    again = alice.message(out, EVERYONE, "once", n=2, message=id)
    bob.log(replace(again, sealed=msgspec.structs.replace(again.sealed, commitment=bytes(32))))
    bob.log(alice.message(out, EVERYONE, "then", n=3))
    assert missing(bob) == [("alice", 1)]


@pytest.mark.parametrize(
    ("n", "previous"),
    [(ANEW, b""), (ANEW, bytes(32)), (ANEW + 1, bytes(32)), (ANEW + 2, b""), (1, bytes(32)), (2, b"")],
)
def test_a_message_says_whether_it_begins_a_count(n: int, previous: bytes) -> None:
    inner = InnerMessage(
        conversation=EVERYONE,
        account=AccountId(bytes(32)),
        device=DeviceId(bytes(16)),
        membership_hash=bytes(32),
        message=MessageId(bytes(16)),
        n=n,
        previous=previous,
        parents=(),
        left_out=(),
        time_ms=0,
        head=b"",
        body=b"",
    )
    with pytest.raises(LocalError):
        inner.pack()
