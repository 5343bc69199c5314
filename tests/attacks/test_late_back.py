"""Who was there before a restore of the server, and came back to it late, is given what it took meanwhile;
and nobody else is (encryption rule 24; docs/decisions/0062)."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.ids import LedgerId
from coterie.base.signing import LedgerKeys
from coterie.client.store.records import DeviceSince, DropReceived, MessageRow, PutSetting, Setting
from coterie.content.repair import Stood
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.tree import Tree
from coterie.wire.frames import LedgerGrew
from tests.attacks.asking import Asker, wanted
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import LEDGER, LEDGER_KEYS, NOW_MS, Peer
from tests.attacks.street import Victim
from tests.attacks.test_not_for_you import joined, told
from tests.attacks.test_owed import Fickle, another_device, fickle, publish, say
from tests.attacks.test_repair import last
from tests.attacks.test_vouching import LEFT, LEFT_KEYS, left_a_ledger

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def standing(
    signed: SignedManifest, *, keys: LedgerKeys = LEFT_KEYS, ledger: LedgerId = LEFT, index: int = 2
) -> Stood:
    """What shows that a list of devices stood in the ledger before."""
    manifest = signed.manifest
    hashed = name_hash(manifest.name)
    leaf = Leaf(LeafKind.MANIFEST, hashed, manifest.account, manifest.seq, signed.hash, NO_LEAF).pack()
    tree = Tree()
    for number in range(5):
        tree.append(leaf if number == index else secrets.token_bytes(40))
    head = sign_head(Head(ledger, tree.size, tree.root(), NOW_MS), keys)
    return Stood(head.light.pack(), leaf, index, tree.inclusion(index, tree.size))


def restored(bob: Victim) -> None:
    """The server's data is put back from a copy."""
    left_a_ledger(bob)
    bob.apply(PutSetting(Setting.RESTORED_MS, bob.now_ms.to_bytes(8, "big")))


def meanwhile(bob: Victim) -> MessageRow:
    say(bob, "meanwhile")
    return last(bob)


def back(alice: Peer, bob: Victim, fickle: Fickle) -> Asker:
    """A device of alice's comes back, and has keys."""
    late = joined(alice, bob, fickle)
    say(bob, "so that the device has keys")
    return Asker(late, bob, fickle)


def test_who_was_there_before_is_given_what_was_taken_before_it_was_back(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == ["meanwhile"]


def test_it_may_have_changed_its_devices_since(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    before = alice.signed
    third = Peer(alice.identity, alice.name)
    added = [msgspec.structs.replace(each.entry(), approved_by=alice.device) for each in (late.peer, third)]
    alice.signed = alice.sign(alice.entry(), *added, after=before)
    publish(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    late.asks(wanted(row), stood=standing(before))
    assert late.given() == ["meanwhile"]


def test_who_shows_nothing_is_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a new or stolen device asks for what was said before it came."""
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    late.asks(wanted(row))
    assert told(late) == [row.message]


@pytest.mark.parametrize(
    "false",
    ["key", "ledger", "now", "path", "index", "leaf", "head", "none"],
)
def test_what_does_not_prove_itself_counts_for_nothing(
    alice: Peer, bob: Victim, fickle: Fickle, false: str
) -> None:
    """Attack: a device that came later makes up where it stood."""
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    signed = alice.signed
    true = standing(signed)
    shown = {
        "key": standing(signed, keys=LedgerKeys.generate()),
        "ledger": standing(signed, ledger=LedgerId(b"none" * 4)),
        "now": standing(signed, keys=LEDGER_KEYS, ledger=LEDGER),
        "path": msgspec.structs.replace(true, path=(bytes(32), *true.path[1:])),
        "index": msgspec.structs.replace(true, index=3),
        "leaf": msgspec.structs.replace(true, leaf=b"no leaf"),
        "head": msgspec.structs.replace(true, head=b"no head"),
        "none": Stood(b"", b"", 0, ()),
    }[false]
    late.asks(wanted(row), stood=shown)
    assert told(late) == [row.message]


def test_nobody_goes_by_where_somebody_else_stood(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a proof of another account, which everybody can make who was there."""
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    late.asks(wanted(row), stood=standing(mallory.signed))
    assert late.given() == []


def test_a_device_that_was_added_since_is_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a thief adds a device, and shows where the account stood before."""
    restored(bob)
    row = meanwhile(bob)
    before = alice.signed
    late = back(alice, bob, fickle)
    late.asks(wanted(row), stood=standing(before))
    assert late.given() == []


def test_who_was_known_already_has_a_share_or_is_meant_to_have_none(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a device that was dormant, or left out, has by a restore what it did not get."""
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    bob.apply(DeviceSince(alice.account, late.peer.device, LEFT, 2))
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == []


def test_what_a_server_had_before_the_restore_is_for_nobody_who_came_later(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a device that joined behind a message has it by a restore."""
    row = meanwhile(bob)
    bob.now_ms += 1
    restored(bob)
    late = back(alice, bob, fickle)
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == []


@pytest.mark.parametrize(
    ("after_ms", "given"), [(limits.LATE_BACK_MS - 1, True), (limits.LATE_BACK_MS, False)]
)
def test_what_is_taken_long_after_a_restore_is_for_nobody_who_comes_back(
    alice: Peer, bob: Victim, fickle: Fickle, after_ms: int, *, given: bool
) -> None:
    """Attack: who takes over a server some time after a restore, with its old keys, makes up somebody who
    was there before, and reads what was said since."""
    restored(bob)
    bob.now_ms += after_ms
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == (["meanwhile"] if given else [])


def test_what_no_server_has_is_given_to_nobody(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    bob.apply(msgspec.structs.replace(row, seq=0))
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == []


@pytest.mark.parametrize("typed", ["before", "after"])
def test_what_waits_for_no_receipt_any_more_goes_by_when_it_was_typed(
    alice: Peer, bob: Victim, fickle: Fickle, typed: str
) -> None:
    restored(bob)
    row = meanwhile(bob)
    late = back(alice, bob, fickle)
    bob.apply(DropReceived(row.order, row.order))
    if typed == "before":
        bob.apply(msgspec.structs.replace(row, sent_ms=bob.now_ms - 1))
    late.asks(wanted(row), stood=standing(alice.signed))
    assert late.given() == (["meanwhile"] if typed == "after" else [])


def test_whose_list_is_not_proven_yet_waits(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    restored(bob)
    row = meanwhile(bob)
    made = another_device(alice, fickle, publish=False)
    late = Asker(made, bob, fickle)
    late.asks(wanted(row), stood=standing(alice.signed))
    publish(alice, fickle)
    assert late.given() == []
