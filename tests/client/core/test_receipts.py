"""What was opened is told to the device that wrote it, and counts for nothing that it was never given."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId, EnvelopeId, SessionId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Tick
from coterie.client.core.receipts import JITTER_MS, PAUSE_MS, RETRY_MS, deliveries, state_once_sent
from coterie.client.events import DeliveryState, MessageDelivered, MessageState
from coterie.client.store.records import (
    DropPeerFreshKey,
    MessageAccepted,
    ReceiptDue,
    ShareRow,
    ShareState,
)
from coterie.content.receipts import RECEIPTS_MOST, Receipt, Receipts
from coterie.e2ee.pairwise import PlainKind, open_envelope_outer, open_plaintext, seal_envelope
from coterie.e2ee.vodo import PRE_KEY, GroupOut, OlmSession
from coterie.wire.frames import Accepted, LedgerGrew, Send
from coterie.wire.frames.shared import Refusal
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.heirs import follower, succeed, word_of
from tests.attacks.peers import EVERYONE, X_WING_ID, Peer, Posted
from tests.attacks.street import Server, Victim, with_key
from tests.attacks.test_owed import Fickle, another_device, fickle

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def direct(alice: Peer, bob: Victim) -> ConversationId:
    return direct_id(alice.account, bob.account)


def pause(victim: Victim) -> None:
    victim.now_ms += PAUSE_MS + JITTER_MS
    victim.command(Tick())


def told(sender: Peer, victim: Victim, *receipts: Receipt) -> Posted:
    """Receipts from a device, in a new Olm session."""
    olm = sender.keys.start(victim.keys.curve25519, victim.one_time_key())
    envelope = EnvelopeId(len(victim.shown).to_bytes(8, "big") + victim.one_time_key()[:8])
    sealed = seal_envelope(
        olm,
        sender.party,
        victim.party,
        envelope,
        PlainKind.RECEIPT,
        Receipts(receipts).pack(),
        X_WING_ID,
        victim.x_wing.public,
    )
    return Posted(sender, envelope, sealed)


def keyed(alice: Peer, bob: Victim, out: GroupOut | None = None) -> tuple[GroupOut, OlmSession]:
    """A sending session of alice's whose key bob has, and the Olm session that brought it."""
    session = out or GroupOut.create()
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    bob.mail(alice.envelope(olm, bob, alice.share_of(session, direct(alice, bob)).pack()))
    return session, olm


def accepted(alice: Peer, bob: Victim) -> ConversationId:
    """The conversation of both, in which bob has spoken."""
    bob.say(alice, "so that the conversation is accepted")
    return direct(alice, bob)


def accepted_and_keyed(alice: Peer, bob: Victim) -> tuple[ConversationId, GroupOut, OlmSession]:
    """That conversation, and what keyed() gives."""
    return accepted(alice, bob), *keyed(alice, bob)


def receipts_to(alice: Peer, bob: Victim, server: Fickle, olm: OlmSession) -> list[tuple[Receipt, ...]]:
    """What alice reads in envelopes that are no keys, on the session that she began; questions aside."""
    found = []
    for item in server.items(alice):
        id = EnvelopeId(item.envelope)
        kind, message = open_envelope_outer(
            item.sealed, bob.account, bob.device, alice.account, alice.device, id,
            lambda _: alice.x_wing.private,
        )  # fmt: skip
        if item.share is None and kind != PRE_KEY:
            opened = open_plaintext(olm.open(kind, message), bob.party, alice.party, id)
            if opened.kind == PlainKind.REPAIR_REQUEST:
                continue
            assert opened.kind == PlainKind.RECEIPT
            found.append(Receipts.unpack(opened.content).receipts)
    return found


def test_what_came_is_told_a_while_later_up_to_the_first_gap(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    talk, out, olm = accepted_and_keyed(alice, bob)
    first, second, third, fourth = (alice.message(out, talk, f"{n}", n=n) for n in range(1, 5))
    bob.log(first, second, fourth)
    before = len(fickle.items(alice))
    bob.command(Tick())
    assert len(fickle.items(alice)) == before
    pause(bob)
    pause(bob)
    asked_for_the_third = 1
    assert len(fickle.items(alice)) == before + 1 + asked_for_the_third
    bob.log(third)
    pause(bob)
    said = receipts_to(alice, bob, fickle, olm)
    assert said == [(Receipt(talk, out.id, 1),), (Receipt(talk, out.id, 3),)]
    assert bob.store.receipts_due() == []


def test_what_cannot_be_told_yet_is_told_a_while_later(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Her keys are not here yet when it is due, and neither of them says anything more."""
    talk, out, olm = accepted_and_keyed(alice, bob)
    keys = bob.store.peer_keys(alice.device)
    assert keys is not None
    bob.apply(msgspec.structs.replace(keys, x_wing_key=b"", x_wing_id=0), DropPeerFreshKey(alice.device))
    bob.log(alice.message(out, talk, "1"))
    pause(bob)
    assert receipts_to(alice, bob, fickle, olm) == []
    bob.apply(keys)
    pause(bob)
    assert [row.session for row in bob.store.receipts_due()] == [out.id]
    bob.now_ms += RETRY_MS
    bob.command(Tick())
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, 0),)]
    assert bob.store.receipts_due() == []


def test_nothing_is_due_to_an_account_that_goes_on_as_another_and_cannot_be_told(
    alice: Peer, bob: Victim, fickle: Fickle, identities: dict[str, IdentityKeys]
) -> None:
    _, out, _ = accepted_and_keyed(alice, bob)
    heir = follower(alice, identities["carol"])
    succeed(bob, heir, word_of(alice, heir).pack())
    keys = bob.store.peer_keys(alice.device)
    assert keys is not None
    bob.apply(msgspec.structs.replace(keys, x_wing_key=b"", x_wing_id=0), DropPeerFreshKey(alice.device))
    bob.log(alice.message(out, direct(alice, bob), "before"))
    assert bob.store.receipts_due() != []
    pause(bob)
    assert bob.store.receipts_due() == []


def test_a_stranger_hears_nothing_until_the_person_has_answered(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Else whoever writes learns when somebody they do not know is there."""
    talk = direct(alice, bob)
    out, olm = keyed(alice, bob)
    bob.log(alice.message(out, talk, "hello, stranger", n=1))
    pause(bob)
    assert fickle.items(alice) == []
    assert len(bob.store.receipts_due()) == 1
    bob.say(alice, "hello")
    pause(bob)
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, 0),)]


def test_of_everyone_nothing_is_told(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    bob.say(alice, "so that there are sessions")
    before = len(fickle.items(alice))
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "to all", n=1))
    pause(bob)
    assert len(fickle.items(alice)) == before
    assert bob.store.receipts_due() == []


def test_a_key_that_was_given_late_is_receipted_from_there(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    talk = accepted(alice, bob)
    session = GroupOut.create()
    alice.message(session, talk, "before bob had the key", n=1)
    out, olm = keyed(alice, bob, session)
    bob.log(alice.message(out, talk, "with it", n=2))
    pause(bob)
    assert receipts_to(alice, bob, fickle, olm) == [(Receipt(talk, out.id, 1),)]


def test_what_is_due_survives_a_restart_and_a_lost_first_message_waits(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    talk = accepted(alice, bob)
    out = with_key(alice, bob, talk)
    first, second = (alice.message(out, talk, f"{n}", n=n) for n in (1, 2))
    bob.log(second)
    before = len(fickle.items(alice))
    pause(bob)
    assert len(fickle.items(alice)) == before
    bob.log(first)
    bob.core = bob.new_core()
    bob.connect()
    pause(bob)
    assert len(fickle.items(alice)) == before + 1


def test_a_removed_device_is_told_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    talk = accepted(alice, bob)
    out = with_key(alice, bob, talk)
    bob.log(alice.message(out, talk, "last words", n=1))
    before = len(fickle.items(alice))
    gone = msgspec.structs.replace(alice.entry(), revoked_ms=1, curve25519=b"")
    bob.apply(
        msgspec.structs.replace(
            bob.core.people.rows[alice.account],
            devices=tuple(
                msgspec.structs.replace(each, revoked_ms=gone.revoked_ms)
                for each in bob.core.people.rows[alice.account].devices
            ),
        )
    )
    bob.core = bob.new_core()
    bob.connect()
    pause(bob)
    assert len(fickle.items(alice)) == before
    assert bob.store.receipts_due() == []


def test_whoever_cannot_be_reached_is_told_later(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    talk = accepted(alice, bob)
    out = with_key(alice, bob, talk)
    bob.log(alice.message(out, talk, "one", n=1))
    keys = bob.store.peer_keys(alice.device)
    assert keys is not None
    bob.apply(msgspec.structs.replace(keys, x_wing_key=b""))
    before = len(fickle.items(alice))
    pause(bob)
    assert len(fickle.items(alice)) == before
    bob.apply(keys)
    bob.connect()
    pause(bob)
    assert len(fickle.items(alice)) == before + 1


def test_more_than_one_envelope_holds_comes_with_the_next(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    talk = accepted(alice, bob)
    for n in range(1, RECEIPTS_MOST + 2):
        out = with_key(alice, bob, talk)
        bob.log(alice.message(out, talk, f"{n}", n=n))
    bob.now_ms += limits.HOUR_MS
    pause(bob)
    assert len(bob.store.receipts_due()) == 1
    pause(bob)
    assert bob.store.receipts_due() == []


# what others tell


def states(bob: Victim, talk: ConversationId) -> list[MessageState]:
    return [row.state for row in bob.store.history(talk, 100, None)]


def delivered(bob: Victim) -> list[str]:
    return [event.message.text for event in bob.shown if isinstance(event, MessageDelivered)]


def last_session(server: Server) -> SessionId:
    return SessionId(server.sends()[-1].session)


def test_it_is_delivered_once_the_other_s_device_has_it(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    for text in ("one", "two", "three"):
        bob.say(alice, text)
    talk, session = direct(alice, bob), last_session(fickle)
    assert states(bob, talk) == [MessageState.SENT] * 3
    bob.mail(told(alice, bob, Receipt(talk, session, 1)))
    assert states(bob, talk) == [MessageState.DELIVERED] * 2 + [MessageState.SENT]
    assert delivered(bob) == ["one", "two"]
    bob.mail(told(alice, bob, Receipt(talk, session, 1)), told(alice, bob, Receipt(talk, session, 99)))
    assert delivered(bob) == ["one", "two", "three"]
    assert bob.store.receipt(session, alice.device) is not None
    assert [bob.store.outbox_row(row.order) for row in bob.store.history(talk, 9, None)] == [None] * 3


def test_it_leaves_the_outbox_once_every_device_has_it(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Own devices too; only somebody else's makes it delivered."""
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.say(alice, "one")
    talk, session = direct(alice, bob), last_session(fickle)
    (row,) = bob.store.history(talk, 9, None)
    bob.mail(told(phone, bob, Receipt(talk, session, 0)))
    assert states(bob, talk) == [MessageState.SENT]
    assert bob.store.outbox_row(row.order) is not None
    bob.mail(told(alice, bob, Receipt(talk, session, 0)))
    assert states(bob, talk) == [MessageState.DELIVERED]
    assert bob.store.outbox_row(row.order) is None


def test_a_device_says_nothing_of_what_came_before_its_key(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Alice's other device may have been away: that this one has the later message says nothing of it."""
    bob.say(alice, "one")
    bob.say(alice, "two")
    talk, session = direct(alice, bob), last_session(fickle)
    bob.apply(ShareRow(session, alice.device, alice.account, ShareState.PENDING, "", 1))
    bob.mail(told(alice, bob, Receipt(talk, session, 1)))
    assert states(bob, talk) == [MessageState.SENT, MessageState.DELIVERED]
    assert delivered(bob) == ["two"]
    one, two = bob.store.history(talk, 9, None)
    again = (msgspec.structs.replace(row, state=MessageState.SENT) for row in (one, two))
    assert [state_once_sent(bob.store, row, bob.account) for row in again] == states(bob, talk)


@pytest.mark.parametrize("false", ["stranger", "left out", "conversation", "session"])
def test_who_was_given_nothing_says_nothing(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle, false: str
) -> None:
    """Attack: somebody says that Alice has what she never got, so that it leaves Bob's outbox."""
    bob.say(alice, "one")
    talk, session = direct(alice, bob), last_session(fickle)
    sender, receipt = alice, Receipt(talk, session, 0)
    match false:
        case "stranger":
            sender = mallory
        case "left out":
            reason = Code.NO_PREKEY.value
            bob.apply(ShareRow(session, alice.device, alice.account, ShareState.LEFT_OUT, reason, 0))
        case "conversation":
            receipt = Receipt(EVERYONE, session, 0)
        case _:
            receipt = Receipt(talk, bytes(32), 0)
    bob.mail(told(sender, bob, receipt))
    assert states(bob, talk) == [MessageState.SENT]
    assert delivered(bob) == []
    (row,) = bob.store.history(talk, 9, None)
    assert bob.store.outbox_row(row.order) is not None


def test_a_receipt_may_come_before_the_server_s_answer(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Send] = []

    def hold(frame: Send) -> Refusal | None:
        held.append(frame)
        return None

    monkeypatch.setattr(fickle, "sent", hold)
    bob.say(alice, "one")
    talk, session = direct(alice, bob), SessionId(held[0].session)
    bob.mail(told(alice, bob, Receipt(talk, session, 0)))
    assert states(bob, talk) == [MessageState.QUEUED]
    bob.frame(Accepted(held[0].request, 1))
    assert states(bob, talk) == [MessageState.DELIVERED]
    (row,) = bob.store.history(talk, 9, None)
    assert bob.store.outbox_row(row.order) is None


def test_delivered_stays_delivered(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Also where the server gives the own message in the log later, or answers again."""
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.say(alice, "one")
    bob.say(alice, "two")
    talk, session = direct(alice, bob), last_session(fickle)
    bob.mail(told(phone, bob, Receipt(talk, session, 0)), told(alice, bob, Receipt(talk, session, 0)))
    one, two = bob.store.history(talk, 9, None)
    for row in (one, two):
        bob.apply(MessageAccepted(row.order, 5, 7, b"", state_once_sent(bob.store, row, bob.account)))
    assert states(bob, talk) == [MessageState.DELIVERED, MessageState.SENT]
    sent = msgspec.structs.replace(one, state=MessageState.SENT)
    assert state_once_sent(bob.store, sent, bob.account) is MessageState.DELIVERED


def test_what_became_of_it_on_each_device(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    phone = another_device(bob, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.say(alice, "one")
    talk, session = direct(alice, bob), last_session(fickle)
    (row,) = bob.store.history(talk, 9, None)

    def became() -> dict[bytes, DeliveryState]:
        return {each.device: each.state for each in deliveries(bob.store, bob.core.people, row)}

    assert became() == {alice.device: DeliveryState.UNDERWAY, phone.device: DeliveryState.UNDERWAY}
    bob.mail(told(alice, bob, Receipt(talk, session, 0)))
    assert became()[alice.device] is DeliveryState.RECEIVED
    reason = Code.NO_PREKEY.value
    bob.apply(ShareRow(session, phone.device, bob.account, ShareState.LEFT_OUT, reason, 0))
    assert became()[phone.device] is DeliveryState.LEFT_OUT


def test_what_is_noted_in_a_turn_that_fails_is_not(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    talk = accepted(alice, bob)
    out = with_key(alice, bob, talk)
    said = alice.message(out, talk, "one", n=1)
    bob.core.forget()
    bob.log(said)
    assert [type(each) for each in bob.store.receipts_due()] == [ReceiptDue]
