"""How often somebody is asked for what is awaited, and what the words of others about it are worth."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.content.repair import Repair
from coterie.e2ee.group import InnerMessage, Parent
from coterie.e2ee.vodo import GroupOut
from tests.attacks.asking import Asker
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key
from tests.attacks.test_owed import Fickle, fickle, say
from tests.client.core.test_repair_corners import ask, hash_of, numbers

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def test_no_device_is_asked_too_often(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What honest devices ask never has their envelopes kept unopened."""
    monkeypatch.setattr(limits, "REPAIR_ASKED_PER_HOUR", 2)
    say(bob, "so that there is a session")
    fickle.got.clear()
    for n in range(1, 5):
        bob.log(alice.message(GroupOut.create(), EVERYONE, f"lost {n}", n=n))
        ask(bob, 2000)
    assert len(fickle.items(alice)) == 2
    ask(bob, limits.HOUR_MS)
    assert len(fickle.items(alice)) == 3


def test_the_word_of_a_device_takes_the_place_of_what_others_said_of_it(
    alice: Peer, mallory: Peer, bob: Victim
) -> None:
    """Attack: a member names a hash that no message has, so that nothing which comes would fit it."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    said = numbers(alice, from_alice, 3)
    bob.log(said[0])
    false = (Parent(b"h" * 32, alice.device, 2),)
    bob.log(mallory.message(from_mallory, EVERYONE, "a lie", n=1, parents=false))
    bob.log(said[2])
    (row,) = bob.store.awaited()
    assert (row.first_n, row.last_n, row.hash, row.named_by) == (2, 2, hash_of(said[1]), alice.account)


def test_after_a_whole_round_nobody_is_hurried(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 3)
    bob.log(said[0], said[2])
    ask(bob, 2000)
    ask(bob)
    false = msgspec.structs.replace(InnerMessage.unpack(said[1].sealed.inner), time_ms=7).pack()
    (before,) = bob.store.awaited()
    Asker(alice, bob, fickle).gives(Repair(bytes(32), 0, false))
    assert bob.store.awaited() == [before]


def test_the_same_word_again_changes_nothing(alice: Peer, bob: Victim) -> None:
    """A message whose entry did not open comes again with a key, behind a run that it has named before."""
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 4)
    bob.log(said[0], said[2])
    (row,) = bob.store.awaited()
    assert row.hash == hash_of(said[1])
    bob.log(said[3])
    assert bob.store.awaited() == [row]
