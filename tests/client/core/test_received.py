"""What everybody has leaves the outbox, and nothing else does."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.ids import MessageId, SessionId
from coterie.client.commands import Say
from coterie.client.core import received
from coterie.client.core.received import _runs
from coterie.client.store.records import DropReceived, ReceiptRow
from coterie.content.body import Text
from coterie.content.receipts import Receipt
from coterie.wire.frames import LedgerGrew
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle, another_device, fickle
from tests.client.core.test_receipts import direct, last_session, told

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def test_only_what_everybody_has_leaves_the_outbox(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said elsewhere in between stays; what was told before a restart goes with the next."""
    monkeypatch.setattr(received, "SESSIONS_MAX", 0)
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.say(alice, "one")
    bob.command(Say(EVERYONE, b"", MessageId(bytes(16)), Text("to all")))
    bob.say(alice, "two")
    talk = direct(alice, bob)
    session = next(SessionId(row.session) for row in bob.store.history(talk, 9, None))

    def kept() -> list[str]:
        rows = [*bob.store.history(talk, 9, None), *bob.store.history(EVERYONE, 9, None)]
        return [row.text for row in rows if bob.store.outbox_row(row.order) is not None]

    bob.mail(told(alice, bob, Receipt(talk, session, 1)), told(phone, bob, Receipt(talk, session, 0)))
    assert kept() == ["two", "to all"]
    bob.core = bob.new_core()
    bob.connect()
    bob.mail(told(phone, bob, Receipt(talk, session, 1)))
    assert kept() == ["to all"]


def test_for_a_removed_device_nothing_is_kept_any_longer(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.say(alice, "one")
    talk, session = direct(alice, bob), last_session(fickle)
    bob.mail(told(alice, bob, Receipt(talk, session, 0)))
    (one,) = bob.store.history(talk, 9, None)
    assert bob.store.outbox_row(one.order) is not None
    bob.say(alice, "two")
    mine = bob.core.people.rows[bob.account]
    devices = [
        msgspec.structs.replace(each, revoked_ms=int(each.device == phone.device)) for each in mine.devices
    ]
    bob.apply(msgspec.structs.replace(mine, devices=tuple(devices)))
    bob.core = bob.new_core()
    bob.connect()
    bob.mail(told(alice, bob, Receipt(talk, session, 1)))
    assert [bob.store.outbox_row(row.order) for row in bob.store.history(talk, 9, None)] == [None] * 2


def test_what_a_failed_commit_let_go_goes_again(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    bob.say(alice, "one")
    talk, session = direct(alice, bob), last_session(fickle)
    (row,) = bob.store.history(talk, 9, None)
    held = received.Received(bob.store, bob.core.people)
    told_now = ReceiptRow(session, alice.device, 0)
    drop = [DropReceived(row.order, row.order)]
    assert held.more(session, told_now, [row]) == drop
    assert held.more(session, told_now, [row]) == []
    held.forget()
    assert held.more(session, told_now, [row]) == drop


def test_orders_that_follow_each_other_go_as_one() -> None:
    """What another conversation has in between is of another run."""
    for orders, runs in (
        ([], []),
        ([3], [(3, 3)]),
        ([1, 2, 3], [(1, 3)]),
        ([1, 2, 5, 6, 9], [(1, 2), (5, 6), (9, 9)]),
    ):
        assert [(each.first_order, each.last_order) for each in _runs(orders)] == runs
