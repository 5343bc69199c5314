"""Repair is no oracle: whoever could not have opened a message is not given it by asking
(encryption rule 24; docs/decisions/0038)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import SessionId
from coterie.client.commands import MarkVerified, OwnDeviceConfirmed, Tick
from coterie.client.store.records import MessageRow, ShareState
from coterie.content.padding import padded_size
from coterie.content.repair import Wanted
from coterie.e2ee.group import InnerMessage, LeftOut, SealedMessage, seal_message
from coterie.ledger.heads import BriefHead, SignedHead
from coterie.ledger.manifest import RECOVERY
from coterie.wire.frames import LedgerGrew
from tests.attacks.asking import Asker, revoke, wanted
from tests.attacks.peers import EVERYONE, Peer, Said
from tests.attacks.street import Victim, with_key
from tests.attacks.test_owed import Fickle, another_device, fickle, say

__all__ = ["fickle"]


def last(bob: Victim) -> MessageRow:
    row = bob.store.last_message(EVERYONE)
    assert row is not None
    return row


def test_who_was_given_the_key_is_given_the_message(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    say(bob, "for all of us")
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == ["for all of us"]
    row = last(bob)
    asker.asks(Wanted(EVERYONE, bob.device, b"", row.n, row.hash))
    assert asker.given() == ["for all of us"]
    asker.asks(Wanted(EVERYONE, bob.device, b"", row.n, b"x" * 32))
    assert asker.given() == []


def test_a_stranger_is_given_nothing(alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: somebody on the same server, who is not in the conversation, asks for what was said there."""
    bob.say(alice, "between us")
    row = bob.store.last_message(direct_id(alice.account, bob.account))
    assert row is not None
    asker = Asker(mallory, bob, fickle)
    asker.asks(wanted(row), Wanted(row.conversation, row.device, b"", row.n, row.hash))
    assert asker.given() == []


def test_a_device_that_came_later_is_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: whoever took over an account, or a ghost in its newest manifest, asks for what was said before
    it came; in the middle of a session, whose record it is in from there on."""
    say(bob, "before")
    before = last(bob)
    late = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "after")
    assert last(bob).session == before.session
    asker = Asker(late, bob, fickle)
    asker.asks(wanted(before), wanted(last(bob)))
    assert asker.given() == ["after"]


def test_a_ghost_is_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: the server hands on requests of a device that no manifest lists."""
    say(bob, "for all of us")
    asker = Asker(Peer(alice.identity, "alice"), bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == []


def test_a_revoked_device_is_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a stolen device, for which the message was sealed, asks again after it was revoked; the server
    has kept its request until then."""
    stolen = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "for all of us")
    asker = Asker(stolen, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == ["for all of us"]
    revoke(alice, stolen, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == []


def test_nothing_is_given_while_a_manifest_is_withheld(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: the server shows the leaf of the manifest that revokes a stolen device, and withholds the
    manifest itself, while that device asks."""
    stolen = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "for all of us")
    asker = Asker(stolen, bob, fickle)
    del fickle.peers[alice.account]
    revoke(alice, stolen, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert asker.given() == []


def test_what_is_asked_while_leaves_are_withheld_waits(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: the server speaks of a larger ledger, in which the device may be revoked, and does not give
    it."""
    stolen = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "for all of us")
    asker = Asker(stolen, bob, fickle)
    bob.core.trust._hinted = fickle.ledger.view.size + 1
    asker.asks(wanted(last(bob)))
    assert asker.given() == []
    bob.core.trust._hinted = 0
    bob.now_ms += 1000
    bob.command(Tick())
    assert asker.given() == ["for all of us"]


def test_a_device_that_is_owed_the_key_is_given_the_message(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    fickle.full.add(alice.device)
    say(bob, "left out of it")
    share = bob.store.share_of(SessionId(last(bob).session), alice.device)
    assert share is not None
    assert share.state is ShareState.LEFT_OUT
    fickle.full.clear()
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(last(bob)))
    assert "left out of it" in asker.given()


def test_one_message_is_given_three_times_and_restarts_do_not_matter(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    say(bob, "for all of us")
    asker = Asker(alice, bob, fickle)
    for _ in range(3):
        asker.asks(wanted(last(bob)), wanted(last(bob)))
        bob.core = bob.new_core()
        bob.connect()
    assert asker.given() == ["for all of us"] * limits.REPAIR_TIMES


def test_a_device_is_given_so_many_messages_an_hour(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPAIRS_PER_HOUR", 4)
    for number in range(6):
        say(bob, f"number {number}")
    rows = bob.store.history(EVERYONE, 10, None)
    asker = Asker(alice, bob, fickle)
    asker.asks(*map(wanted, rows))
    assert len(asker.given()) == 4
    bob.core = bob.new_core()
    bob.connect()
    asker.asks(*map(wanted, rows))
    assert asker.given() == []
    bob.now_ms += limits.HOUR_MS
    asker.asks(*map(wanted, rows))
    assert len(asker.given()) == 4


def test_who_asks_beyond_all_measure_is_not_opened_for_an_hour(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a flood of requests for nothing. What that device says then lies here unopened, and is opened
    when the hour is over: nothing of it is lost, but for what no disk would hold."""
    monkeypatch.setattr(limits, "REPAIR_REQUESTS_PER_HOUR", 3)
    monkeypatch.setattr(limits, "REPAIR_FLOOD_KEPT", 1)
    say(bob, "for all of us")
    asker = Asker(alice, bob, fickle)
    for _ in range(3):
        asker.asks(Wanted(EVERYONE, bob.device, b"?" * 16, 0, b""))
    asker.asks(wanted(last(bob)))
    assert asker.given() == []
    asker.asks(wanted(last(bob)))
    (waits,) = bob.waiting()
    assert waits.reason == "too-many-failures"
    bob.now_ms += limits.HOUR_MS
    bob.command(Tick())
    assert bob.waiting() == []
    assert asker.given() == ["for all of us"]


def own_phone(bob: Victim, fickle: Fickle, *, mine: bool = True) -> Peer:
    """Another device of bob's account; mine: he has said so."""
    phone = another_device(bob, fickle)
    if mine:
        bob.core.trust.own.expect((phone.device,))
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "so that the phone has keys")
    return phone


def from_alice(alice: Peer, bob: Victim, fickle: Fickle, n: int = 1) -> MessageRow:
    """A message of alice's that bob has opened, sealed under the ledger as it is now."""
    head = SignedHead.unpack(fickle.ledger.head()).brief.pack()
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, f"alice says {n}", n=n, head=head))
    row = last(bob)
    assert row.text == f"alice says {n}"
    return row


def test_an_own_device_is_given_what_others_said_since_it_is_there(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: whoever got into an account has the first device give all that was said before. This device
    keeps no record of whom others sealed for: what counts is the ledger as the sender saw it."""
    before = from_alice(alice, bob, fickle)
    phone = own_phone(bob, fickle)
    after = from_alice(alice, bob, fickle, 2)
    asker = Asker(phone, bob, fickle)
    asker.asks(wanted(before), wanted(after))
    assert asker.given() == ["alice says 2"]


def test_an_own_device_that_nobody_has_answered_for_is_given_nothing(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    phone = own_phone(bob, fickle, mine=False)
    after = from_alice(alice, bob, fickle)
    asker = Asker(phone, bob, fickle)
    asker.asks(wanted(after))
    assert asker.given() == []
    bob.command(OwnDeviceConfirmed(phone.device))
    asker.asks(wanted(after))
    assert asker.given() == ["alice says 1"]


def test_nobody_else_is_given_what_others_said(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a member asks somebody who has not said it: only its sender speaks for a message, and each
    account among its own devices."""
    said = from_alice(alice, bob, fickle)
    asker = Asker(mallory, bob, fickle)
    asker.asks(wanted(said))
    assert asker.given() == []


def test_what_another_own_device_said_is_given_to_whom_it_was_sealed_for(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """The sender's other devices, which have no record: to devices that were there when it was sealed."""
    phone = own_phone(bob, fickle)
    said = from_phone(phone, bob, fickle, 1)
    late = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "so that alice's other device has keys")
    asker, newer = Asker(alice, bob, fickle), Asker(late, bob, fickle)
    asker.asks(wanted(said))
    newer.asks(wanted(said))
    assert (asker.given(), newer.given()) == (["the phone says 1"], [])
    again = from_phone(phone, bob, fickle, 2)
    newer.asks(wanted(again))
    assert newer.given() == ["the phone says 2"]


def from_phone(phone: Peer, bob: Victim, fickle: Fickle, n: int, head: bytes | None = None) -> MessageRow:
    known = SignedHead.unpack(fickle.ledger.head()).brief.pack() if head is None else head
    out = with_key(phone, bob, EVERYONE)
    bob.log(phone.message(out, EVERYONE, f"the phone says {n}", n=n, head=known))
    return last(bob)


@pytest.mark.parametrize("head", [b"", b"no head", BriefHead(1 << 40, bytes(32), 1, bytes(64)).pack()])
def test_what_says_nothing_of_the_ledger_is_given_by_its_sender_alone(
    alice: Peer, bob: Victim, fickle: Fickle, head: bytes
) -> None:
    phone = own_phone(bob, fickle)
    said = from_phone(phone, bob, fickle, 1, head)
    asker = Asker(alice, bob, fickle)
    asker.asks(wanted(said))
    assert asker.given() == []


def test_a_device_that_waits_for_its_persons_word_is_given_nothing(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: somebody got into the account of a verified person by their passphrase. The device was left out
    as unconfirmed, and is owed the key; asking gets it nothing before that."""
    bob.command(MarkVerified(alice.account))
    late = Peer(alice.identity, alice.name)
    marked = msgspec.structs.replace(late.entry(), approved_by=RECOVERY, marked=True)
    alice.signed = alice.sign(alice.entry(), marked, after=alice.signed)
    fickle.others[late.device] = late
    fickle.ledger.add(alice.signed)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "so that it has keys")
    bob.say(alice, "between us")
    row = bob.store.last_message(direct_id(alice.account, bob.account))
    assert row is not None
    share = bob.store.share_of(SessionId(row.session), late.device)
    assert share is not None
    assert share.reason == Code.UNCONFIRMED
    asker = Asker(late, bob, fickle)
    asker.asks(wanted(row))
    assert asker.given() == []


def test_who_was_revoked_while_its_request_waited_is_given_nothing(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a stolen device asks at the moment at which it is revoked."""
    stolen = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    say(bob, "for all of us")
    asker = Asker(stolen, bob, fickle)
    bob.core.trust._hinted = fickle.ledger.view.size + 1
    asker.asks(wanted(last(bob)))
    revoke(alice, stolen, bob, fickle)
    assert bob.core.trust.current
    bob.now_ms += 1000
    bob.command(Tick())
    assert asker.given() == []


def test_what_its_sender_held_back_from_a_device_is_held_back_here(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: somebody got into bob's account by his passphrase; alice has verified him, and her message
    names the device as one that waits for her word. Bob has said that it is his, by mistake."""
    phone = own_phone(bob, fickle)
    head = SignedHead.unpack(fickle.ledger.head()).brief.pack()
    out = with_key(alice, bob, EVERYONE)
    for n, reason in ((1, Code.UNCONFIRMED), (2, Code.NO_PREKEY)):
        said = alice.message(out, EVERYONE, f"number {n}", n=n, head=head)
        inner = msgspec.structs.replace(
            InnerMessage.unpack(said.sealed.inner), left_out=(LeftOut(bob.account, phone.device, reason),)
        )
        bob.log(resealed(said, seal_message(out, inner, padded_size)))
    asker = Asker(phone, bob, fickle)
    asker.asks(*map(wanted, bob.store.history(EVERYONE, 2, None)))
    assert asker.given() == ["number 2"]


def resealed(said: Said, sealed: SealedMessage) -> Said:
    return Said(said.sender, said.conversation, said.session, said.message, sealed)


def test_a_stranger_is_given_nothing_by_the_senders_other_device(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: somebody who was on the server before the message was sealed asks for what bob's phone has said
    to alice alone. This device keeps no record of whom that was sealed for."""
    phone = own_phone(bob, fickle)
    talk = direct_id(alice.account, bob.account)
    bob.say(alice, "the conversation begins")
    out = with_key(phone, bob, talk)
    head = SignedHead.unpack(fickle.ledger.head()).brief.pack()
    bob.log(phone.message(out, talk, "the phone says this", n=1, head=head))
    row = bob.store.last_message(talk)
    assert row is not None
    stranger, friend = Asker(mallory, bob, fickle), Asker(alice, bob, fickle)
    for asker in (stranger, friend):
        asker.asks(wanted(row))
    assert (stranger.given(), friend.given()) == ([], ["the phone says this"])
