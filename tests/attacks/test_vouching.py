"""Who vouches for what a revoked device has said, behind a restore of the server (encryption rule 24;
docs/decisions/0042)."""

from __future__ import annotations

import msgspec

from coterie.base.ids import LedgerId
from coterie.base.signing import LedgerKeys
from coterie.client.core.lives import LedgerLeft
from coterie.client.store.records import DeviceSince, MessageRow, PutSetting, Setting
from coterie.ledger.heads import Head, SignedHead, sign_head
from tests.attacks.asking import Asker, revoke, wanted
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, NOW_MS, Peer
from tests.attacks.street import Victim, with_key
from tests.attacks.test_not_for_you import joined, told
from tests.attacks.test_owed import Fickle, fickle, say
from tests.attacks.test_repair import last, own_phone

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]

LEFT = LedgerId(b"left" * 4)
LEFT_KEYS = LedgerKeys.generate()


def left_a_ledger(bob: Victim, *others: Peer, leaf: int = 1) -> None:
    """The server's data has begun another life; in the one before these were there from a leaf on."""
    left = LedgerLeft(LEFT, LEFT_KEYS.public.pack())
    bob.apply(PutSetting(Setting.LEDGERS_LEFT, msgspec.msgpack.encode((left,))))
    for each in others:
        bob.apply(DeviceSince(each.account, each.device, LEFT, leaf))
    bob.core = bob.new_core()
    bob.connect()


def head_before(keys: LedgerKeys, size: int) -> bytes:
    return sign_head(Head(LEFT, size, bytes(32), NOW_MS), keys).brief.pack()


def of_a_phone(bob: Victim, fickle: Fickle, head: bytes) -> tuple[Peer, MessageRow]:
    """What another own device has said to everyone, and this one has opened."""
    phone = own_phone(bob, fickle)
    bob.log(phone.message(with_key(phone, bob, EVERYONE), EVERYONE, "said by the phone", n=1, head=head))
    return phone, last(bob)


def test_what_a_revoked_device_said_in_a_ledger_before_is_for_nobody_who_has_it_not(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Nobody can tell any more whom it was for. While the phone is there, it is asked."""
    phone, row = of_a_phone(bob, fickle, b"")
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(row))
    assert told(asker) == []
    revoke(bob, phone, bob, fickle)
    asker.asks(wanted(row))
    assert told(asker) == [row.message]


def test_what_a_revoked_device_said_in_a_ledger_before_is_given_to_whom_it_was_for(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Another device of its account knows who was there then, and tells who came later."""
    left_a_ledger(bob, alice)
    phone, row = of_a_phone(bob, fickle, head_before(LEFT_KEYS, size=2))
    revoke(bob, phone, bob, fickle)
    was_there, came_later = Asker(alice, bob, fickle), Asker(mallory, bob, fickle)
    was_there.asks(wanted(row))
    came_later.asks(wanted(row))
    assert was_there.given() == ["said by the phone"]
    assert told(came_later) == [row.message]
    assert came_later.given() == []


def test_who_joined_a_ledger_before_behind_a_message_is_not_given_it(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a ghost has what was said before it came after a restore of the server."""
    left_a_ledger(bob, alice, leaf=2)
    phone, row = of_a_phone(bob, fickle, head_before(LEFT_KEYS, size=2))
    revoke(bob, phone, bob, fickle)
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(row))
    assert asker.given() == []


def test_no_size_of_a_ledger_before_counts_that_its_own_key_has_not_signed(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: the server, or a member, says that a ghost was there when something was said."""
    left_a_ledger(bob, alice, leaf=2)
    phone, row = of_a_phone(bob, fickle, head_before(LedgerKeys.generate(), size=9))
    revoke(bob, phone, bob, fickle)
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(row))
    assert asker.given() == []


def test_who_was_there_in_a_ledger_before_is_given_what_was_said_in_this_one(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """It stands in the ledger of now from when somebody has brought it back; it was owed all of it."""
    _, row = of_a_phone(bob, fickle, SignedHead.unpack(fickle.ledger.head()).brief.pack())
    for each in bob.store.device_since(alice.account, alice.device):
        bob.apply(msgspec.structs.replace(each, leaf=fickle.ledger.view.size + 1))
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(row))
    assert asker.given() == []
    left_a_ledger(bob, alice, leaf=9)
    asker.asks(wanted(row))
    assert asker.given() == ["said by the phone"]


def test_what_a_revoked_device_said_in_this_ledger_is_not_called_forgotten(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Since when others are there is known late, perhaps: what may be for them is not called forgotten."""
    phone, row = of_a_phone(bob, fickle, SignedHead.unpack(fickle.ledger.head()).brief.pack())
    revoke(bob, phone, bob, fickle)
    asker = Asker(joined(alice, bob, fickle), bob, fickle)
    say(bob, "so that the device has keys")
    asker.asks(wanted(row))
    assert told(asker) == []
