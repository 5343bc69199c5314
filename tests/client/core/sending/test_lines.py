"""A line of messages: what holds it, what moves it on, and what no longer counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import RemoteError
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, SessionId, log_of
from coterie.client.core import window
from coterie.client.core.line import HOLD_MOST_MS, RETRY_MS
from coterie.client.core.requests import ClaimAsked
from coterie.client.events import MessageSent, MessageState, SendingStuck
from coterie.client.store.database import run
from coterie.client.store.records import DropGroupOut, OutboxRow, OutboxState, PruneOutbox
from coterie.e2ee.group import SealedMessage
from coterie.wire.frames import (
    Accepted,
    Claim,
    Claimed,
    ClientFrame,
    LedgerGrew,
    Refusal,
    Send,
    ServerFrame,
)
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import EVERYONE, NOW_MS, Peer, Said
from tests.attacks.street import Server, Victim
from tests.attacks.test_owed import Fickle, another_device, pass_time, reasons, say, share_in, text_of
from tests.attacks.test_stale_view import GHOST

HOUR_MS = limits.HOUR_MS


@dataclass
class Silent(Fickle):
    """Answers to messages and claims come when a test sends them."""

    mute: bool = True
    claims: list[Claim] = field(default_factory=list)
    hold_claims: bool = False

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if self.mute and isinstance(frame, Send):
            self.got.append(frame)
            return None
        if self.hold_claims and isinstance(frame, Claim):
            self.claims.append(frame)
            return None
        return super().answer(frame)


@pytest.fixture
def silent(bob: Victim, server: Server) -> Silent:
    made = Silent(server.ledger, server.peers, server.got)
    bob.server = made
    return made


def refusal(request: int, code: Code, *devices: DeviceRef) -> Refusal:
    return Refusal(request, code.value, 0, devices)


def stuck(bob: Victim) -> list[Code]:
    return [event.code for event in bob.shown if isinstance(event, SendingStuck)]


def test_an_answer_to_what_was_sent_again_since_does_not_count(bob: Victim, silent: Silent) -> None:
    """Two messages are refused, one after the other; between the answers both were sent again."""
    say(bob, "one")
    say(bob, "two")
    first, second = silent.sends()
    bob.frame(refusal(first.request, Code.BUSY))
    pass_time(bob, RETRY_MS)
    assert [each.message for each in silent.sends()[2:]] == [first.message, second.message]
    bob.frame(refusal(second.request, Code.SPEAKERS_ONLY))
    pass_time(bob, HOUR_MS)
    assert stuck(bob) == []
    assert len(silent.sends()) == 4


@pytest.mark.parametrize("code", [Code.OUT_OF_ORDER, Code.BUSY])
def test_what_passes_is_tried_again_a_second_later(bob: Victim, silent: Silent, code: Code) -> None:
    say(bob, "one")
    (send,) = silent.sends()
    bob.frame(refusal(send.request, code))
    pass_time(bob, RETRY_MS - 1)
    assert len(silent.sends()) == 1
    pass_time(bob, 1)
    assert [each.ciphertext for each in silent.sends()] == [send.ciphertext] * 2
    assert stuck(bob) == []


def test_where_the_server_is_busy_fewer_are_under_way(bob: Victim, silent: Silent) -> None:
    """Half as many, once for all that were. What was refused goes out again from the first on, by itself."""
    for number in range(window.FIRST + 10):
        say(bob, f"number {number}")
    first = silent.sends()
    assert len(first) == window.FIRST, "what came since waits"
    round_began = 0
    for expected in (first, first[: window.FIRST // 2]):
        for send in silent.sends()[round_began:]:
            bob.frame(refusal(send.request, Code.BUSY))
        round_began = len(silent.sends())
        pass_time(bob, RETRY_MS)
        again = silent.sends()[round_began:]
        assert [each.message for each in again] == [each.message for each in expected], "two windows of it"
    silent.mute = False
    for number, send in enumerate(silent.sends()[round_began:], 1):
        bob.frame(Accepted(send.request, number))
    assert bob.store.outbox_conversations() == []
    assert stuck(bob) == []


def test_a_line_that_the_server_closes_is_said_to_be_stuck_and_keeps_what_it_has(
    bob: Victim, silent: Silent
) -> None:
    """A refusal that time does not mend: nothing more is sealed, and a new connection starts again."""
    say(bob, "one")
    bob.frame(refusal(silent.sends()[0].request, Code.SPEAKERS_ONLY))
    assert stuck(bob) == [Code.SPEAKERS_ONLY]
    say(bob, "two")
    pass_time(bob, HOUR_MS)
    assert len(silent.sends()) == 1
    assert len(bob.store.outbox(EVERYONE, OutboxState.WAITING, 10)) == 1
    silent.mute = False
    bob.connect()
    assert bob.store.outbox_conversations() == []


def test_what_came_back_in_the_log_is_not_sent_once_more_by_its_answer(bob: Victim, silent: Silent) -> None:
    say(bob, "one")
    (send,) = silent.sends()
    sealed = SealedMessage(send.ciphertext, send.commitment, b"", b"", b"", 0)
    bob.log(Said(bob, EVERYONE, SessionId(send.session), MessageId(send.message), sealed))
    bob.frame(Accepted(send.request, 1))
    assert len([event for event in bob.shown if isinstance(event, MessageSent)]) == 1
    assert bob.store.outbox_conversations() == []


def test_an_answer_with_a_mac_stands_for_the_entry(bob: Victim, silent: Silent) -> None:
    """The message has the entry's number, time and MAC, and the log is read as far as that."""
    for number, text in enumerate(("one", "two"), 1):
        say(bob, text)
        bob.frame(Accepted(silent.sends()[-1].request, number, NOW_MS + number, b"mac %d" % number))
    (order,) = {event.message.order for event in bob.shown if isinstance(event, MessageSent)} - {1}
    row = bob.store.message(order)
    assert row is not None
    assert (row.state, row.seq, row.server_ms, row.mac) == (MessageState.SENT, 2, NOW_MS + 2, b"mac 2")
    position = bob.store.position(log_of(EVERYONE))
    assert position is not None
    assert position.seq == 2
    assert bob.store.outbox_conversations() == []


def test_an_answer_without_one_leaves_the_entry_to_come(bob: Victim, silent: Silent) -> None:
    say(bob, "one")
    bob.frame(Accepted(silent.sends()[0].request, 1))
    assert bob.store.position(log_of(EVERYONE)) is None
    assert bob.store.outbox_conversations() == []


def test_an_answer_may_not_pass_over_entries(bob: Victim, silent: Silent) -> None:
    """A false server: what belongs between would never be asked for."""
    say(bob, "one")
    with pytest.raises(RemoteError, match="a gap"):
        bob.frame(Accepted(silent.sends()[0].request, 2, NOW_MS, b"mac"))


def test_a_queued_row_without_its_message_holds_nothing_up(bob: Victim, server: Server) -> None:
    """A damaged store: the message that is there goes, the other is passed over."""
    bob.apply(OutboxRow(9, EVERYONE, MessageId(b"m" * 16), OutboxState.WAITING, NOW_MS))
    say(bob, "whole")
    (send,) = server.sends()
    assert send.message != b"m" * 16


def test_a_message_that_is_gone_is_not_sent_again_and_its_answer_changes_nothing(
    bob: Victim, silent: Silent
) -> None:
    """A damaged store: a sealed row whose message is not there."""
    say(bob, "one")
    say(bob, "two")
    one, two = silent.sends()
    run(bob.store._database, 'DELETE FROM message WHERE "message" = ?', (one.message,))
    bob.store.rollback()
    bob.frame(Accepted(one.request, 1))
    assert [row.message for row in bob.store.outbox(EVERYONE, OutboxState.SEALED, 5)] == [
        one.message,
        two.message,
    ]
    bob.connect()
    assert [each.message for each in silent.sends()[2:]] == [two.message]


def test_what_is_sent_again_has_the_same_bytes(bob: Victim, silent: Silent) -> None:
    """Across a new start of the core too: everything in it stands in the store."""
    for word in ("one", "two", "three"):
        say(bob, word)
    before = silent.sends()
    bob.connect()
    again = silent.sends()[3:]
    assert [msgspec.structs.replace(each, request=0) for each in again] == [
        msgspec.structs.replace(each, request=0) for each in before
    ]
    assert [each.previous for each in again] == [b"", before[0].message, before[1].message]


def test_a_device_that_was_revoked_while_its_keys_came_gets_nothing(
    alice: Peer, bob: Victim, silent: Silent
) -> None:
    late = another_device(alice, silent)
    bob.frame(LedgerGrew(silent.ledger.head()))
    silent.hold_claims, silent.mute = True, False
    say(bob, "not for the stolen one")
    (claim,) = silent.claims
    first, entry = alice.signed.manifest.devices
    revoked = msgspec.structs.replace(entry, revoked_ms=NOW_MS + 1, name="", curve25519=b"")
    alice.signed = alice.sign(first, revoked, after=alice.signed)
    silent.ledger.add(alice.signed)
    bob.frame(LedgerGrew(silent.ledger.head()))
    wanted = [silent.others.get(DeviceId(ref.device)) or silent.peers[_account(ref)] for ref in claim.devices]
    assert late in wanted
    bob.frame(Claimed(claim.request, tuple(silent.claimed(peer) for peer in wanted)))
    assert bob.store.olm_sessions(late.device) == []
    assert silent.items(late) == []
    assert late.device not in {share.device for share in bob.store.owed()}
    assert len(silent.items(alice)) == 1
    assert len(silent.sends()) == 1


def test_keys_that_come_for_a_conversation_nobody_knows_are_nothing(alice: Peer, bob: Victim) -> None:
    asked = ClaimAsked(
        (DeviceRef(alice.account, alice.device),), ConversationId(b"?" * 16), SessionId(b"s" * 32)
    )
    request = bob.core.requests.new(asked, NOW_MS)
    bob.frame(Claimed(request, (alice.claimed(),)))
    assert bob.store.olm_sessions(alice.device) == []


@pytest.mark.parametrize("kept", [True, False])
def test_a_device_left_out_of_a_session_that_has_ended_meanwhile(
    alice: Peer, bob: Victim, silent: Silent, kept: bool
) -> None:
    """Its keys do not come, and the session they were for is no longer the current one: it is owed the key
    from the start, where that is kept; the next session leaves it out for itself."""
    silent.hold_claims, silent.mute = True, False
    silent.keyless.add(alice.device)
    say(bob, "one")
    (claim,) = silent.claims
    old = bob.store.group_out(EVERYONE)
    assert old is not None
    bob.apply(DropGroupOut(EVERYONE), *(() if kept else (PruneOutbox(NOW_MS + 1),)))
    silent.hold_claims = False
    wanted = tuple(silent.peers[_account(ref)] for ref in claim.devices)
    bob.frame(Claimed(claim.request, tuple(silent.claimed(peer) for peer in wanted)))
    share = bob.store.share_of(old.session, alice.device)
    assert (share is not None) == kept
    (send,) = silent.sends()
    assert send.session != old.session
    assert reasons(bob) == [Code.NO_PREKEY.value]


def test_one_person_with_two_full_mailboxes_holds_the_line_once(
    alice: Peer, bob: Victim, silent: Silent
) -> None:
    late = another_device(alice, silent)
    bob.frame(LedgerGrew(silent.ledger.head()))
    silent.full |= {alice.device, late.device}
    bob.say(alice, "nobody there can open this")
    assert stuck(bob) == [Code.MAILBOX_FULL]
    wake_ms = bob.core._sending.wake_at_ms
    assert wake_ms is not None
    assert wake_ms - bob.now_ms == 2 * RETRY_MS


def test_a_repair_that_reaches_nobody_holds_the_line(alice: Peer, bob: Victim, silent: Silent) -> None:
    """The other person's mailbox is full, and the server names a device that does not exist: the message
    stays here until somebody there can open it."""
    silent.full.add(alice.device)
    bob.say(alice, "for alice")
    (send,) = silent.sends()
    bob.frame(refusal(send.request, Code.STALE_VIEW, DeviceRef(alice.account, GHOST)))
    pass_time(bob, HOUR_MS)
    assert len(silent.sends()) == 1
    line = bob.core._sending.line(direct_id(bob.account, alice.account))
    assert line.repair is not None
    assert line.retry_at_ms > bob.now_ms


def test_what_follows_waits_for_what_is_sealed_already(alice: Peer, bob: Victim, silent: Silent) -> None:
    """Nobody of the other side has the key: the message before brings it there, or holds the line."""
    silent.full.add(alice.device)
    bob.say(alice, "one")
    bob.now_ms += HOLD_MOST_MS
    bob.say(alice, "two")
    assert len(silent.sends()) == 1
    session = bob.store.group_out(direct_id(bob.account, alice.account))
    assert session is not None
    assert session.session == silent.sends()[0].session


def test_a_repair_of_what_the_server_has_after_all_gives_no_key(
    alice: Peer, bob: Victim, silent: Silent
) -> None:
    """The message came back in the log, and the key that was kept for it is gone. What follows goes again."""
    say(bob, "old")
    (row,) = bob.store.outbox(EVERYONE, OutboxState.SEALED, 2)
    bob.apply(msgspec.structs.replace(row, state=OutboxState.SENT), PruneOutbox(NOW_MS + 1))
    say(bob, "new")
    old, new = silent.sends()
    before = len(silent.items(alice))
    bob.frame(refusal(old.request, Code.STALE_VIEW, DeviceRef(alice.account, alice.device)))
    _, _, again = silent.sends()
    assert (again.message, again.ciphertext) == (new.message, new.ciphertext)
    assert len(silent.items(alice)) == before


def test_a_key_stays_for_as_long_as_something_sealed_by_it_waits(
    alice: Peer, bob: Victim, silent: Silent
) -> None:
    """Rule 13: after more than thirty days, too, a device that the server names gets the session from its
    first message on."""
    say(bob, "old")
    (send,) = silent.sends()
    (item,) = silent.items(alice)
    bob.apply(PruneOutbox(NOW_MS + 1))
    bob.frame(refusal(send.request, Code.STALE_VIEW, DeviceRef(alice.account, alice.device)))
    _, again = silent.sends()
    assert again.ciphertext == send.ciphertext
    first, second = silent.items(alice)
    assert first == item
    assert text_of(share_in(bob, alice, second), again) == "old"


def test_a_device_that_came_after_the_kept_key_went_gets_the_key_as_it_is_now(
    alice: Peer, bob: Victim, silent: Silent
) -> None:
    """Something waits in the same line, by a session of which nothing is kept."""
    say(bob, "old")
    (row,) = bob.store.outbox(EVERYONE, OutboxState.SEALED, 2)
    bob.apply(msgspec.structs.replace(row, state=OutboxState.SENT), PruneOutbox(NOW_MS + 1))
    bob.apply(msgspec.structs.replace(row, order=99))
    late = another_device(alice, silent)
    bob.frame(LedgerGrew(silent.ledger.head()))
    say(bob, "new")
    old, new = silent.sends()
    assert old.session == new.session
    share = bob.store.share_of(SessionId(new.session), late.device)
    assert share is not None
    assert share.index == 1


def _account(ref: DeviceRef) -> AccountId:
    return AccountId(ref.account)


def test_lines_that_claim_at_once_begin_one_session(alice: Peer, bob: Victim, silent: Silent) -> None:
    """Each line that waits for keys of a device asks for itself. A session for each answer would push out, on
    both sides, the one on which the other seals: what it has sealed then opens nowhere (rule 11)."""
    silent.hold_claims, silent.mute = True, False
    say(bob, "to all")
    bob.say(alice, "to you")
    first, second = silent.claims
    for claim in (first, second):
        wanted = tuple(silent.peers[_account(ref)] for ref in claim.devices)
        bob.frame(Claimed(claim.request, tuple(silent.claimed(peer) for peer in wanted)))
    assert len(bob.store.olm_sessions(alice.device)) == 1
    assert len(silent.items(alice)) == len(silent.sends()) == 2
