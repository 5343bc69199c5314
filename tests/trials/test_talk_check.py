"""A ledger fed by hand: a clean talk has no fault, and each planted one is found and named."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId
from coterie.trials.ledger_of_talk import TalkLedger
from coterie.trials.talk_check import Written, find_faults
from coterie.trials.talk_records import Fault, FaultKind, HeldMessage, HeldStore, Participant, Unread

ALICE, BOB = AccountId(b"A" * 32), AccountId(b"B" * 32)
DESK, LAP, HIS = DeviceId(b"desk" * 4), DeviceId(b"lap." * 4), DeviceId(b"his." * 4)
PAIR, ALL = ConversationId(b"pair" * 4), ConversationId(b"all." * 4)
DIGEST = b"d" * 16
MESSAGES = tuple(MessageId(bytes((number,)) * 16) for number in range(1, 7))
OLD, FIRST, SECOND, THIRD, TO_ALL, HIS_ANSWER = MESSAGES


class Talk:
    """alice at her desk and her lap, and bob: three direct messages and one to everyone from the desk, one
    answer of bob's, and one to everyone from before the lap was there."""

    def __init__(self) -> None:
        self.ledger = TalkLedger()
        self.ledger.joined(Participant(DESK, ALICE, "desk", 1))
        self.ledger.joined(Participant(HIS, BOB, "his", 2))
        self.ledger.typed(DESK, ALL, OLD, DIGEST, 3, None)
        self.ledger.joined(Participant(LAP, ALICE, "lap", 4))
        for message in (FIRST, SECOND, THIRD):
            self.ledger.typed(DESK, PAIR, message, DIGEST, 5, (ALICE, BOB))
        self.ledger.typed(DESK, ALL, TO_ALL, DIGEST, 6, None)
        self.ledger.typed(HIS, PAIR, HIS_ANSWER, DIGEST, 7, (ALICE, BOB))
        self.seqs = {OLD: 1, FIRST: 1, SECOND: 2, THIRD: 3, TO_ALL: 2, HIS_ANSWER: 4}
        for message, seq in self.seqs.items():
            self.ledger.acknowledged(message, seq)
        self.stores = {device: self._store(device) for device in (DESK, LAP, HIS)}
        for device, store in self.stores.items():
            for each in store.messages:
                if each.device != device:
                    self.ledger.arrived(device, MessageId(each.message))

    def _store(self, device: DeviceId) -> HeldStore:
        there = [message for message in MESSAGES if not (device == LAP and message == OLD)]
        held = tuple(self.held(device, message, order) for order, message in enumerate(there, 1))
        others = {
            conversation: sum(each.conversation == conversation and not each.own for each in held)
            for conversation in (PAIR, ALL)
        }
        unread = tuple(Unread(each, count, count, 0) for each, count in others.items())
        return HeldStore(device, held, unread, (), 0, ())

    def held(self, device: DeviceId, message: MessageId, order: int) -> HeldMessage:
        sender = HIS if message == HIS_ANSWER else DESK
        conversation = ALL if message in (OLD, TO_ALL) else PAIR
        own = (device == HIS) == (sender == HIS)
        return HeldMessage(conversation, message, sender, order, self.seqs[message], own, True, True, DIGEST)

    def change(self, device: DeviceId, **changes: object) -> None:
        self.stores[device] = msgspec.structs.replace(self.stores[device], **changes)

    def change_message(self, at: DeviceId, message: MessageId, **changes: object) -> None:
        messages = tuple(
            msgspec.structs.replace(each, **changes) if each.message == message else each
            for each in self.stores[at].messages
        )
        self.change(at, messages=messages)

    def drop(self, device: DeviceId, message: MessageId) -> None:
        messages = tuple(each for each in self.stores[device].messages if each.message != message)
        self.change(device, messages=messages)

    def faults(self, entitled: dict[tuple[DeviceId, ConversationId], int] | None = None) -> list[Fault]:
        return list(find_faults(self.ledger, self.stores.values(), Written(entitled or {})))

    def kinds(self) -> set[tuple[FaultKind, str]]:
        return {(fault.kind, fault.where) for fault in self.faults()}


def test_a_clean_talk_has_no_fault() -> None:
    talk = Talk()
    assert talk.faults() == []
    assert talk.faults({(LAP, ALL): 1, (LAP, PAIR): 0}) == []
    assert talk.ledger.owed() == set()
    assert (talk.ledger.messages, talk.ledger.unacknowledged, talk.ledger.deliveries) == (6, 0, 1 + 5 + 5)


def test_behind_a_restore_what_was_typed_before_a_device_came_may_stand_anywhere() -> None:
    """A server that was restored gives it to all. What was typed since has to stand in order."""
    talk = Talk()
    ledger, stores = talk.ledger, talk.stores
    messages = (*stores[LAP].messages, talk.held(LAP, OLD, 99))
    talk.change(LAP, messages=messages)
    ledger.arrived(LAP, OLD)
    assert list(find_faults(ledger, stores.values(), None)) == []
    swap(talk)
    assert FaultKind.REORDERED in {each.kind for each in find_faults(ledger, stores.values(), None)}


def lose_from_store(talk: Talk) -> None:
    talk.drop(HIS, SECOND)


def lose_own(talk: Talk) -> None:
    talk.drop(DESK, THIRD)


def lose_event(talk: Talk) -> None:
    talk.ledger.told[LAP].remove(TO_ALL)


def tell_and_forget(talk: Talk) -> None:
    talk.ledger.arrived(LAP, OLD)


def lose_store(talk: Talk) -> None:
    del talk.stores[HIS]


def double_in_store(talk: Talk) -> None:
    again = talk.held(HIS, SECOND, 9)
    talk.change(HIS, messages=(*talk.stores[HIS].messages, again))


def double_event(talk: Talk) -> None:
    talk.ledger.arrived(HIS, SECOND)


def double_acknowledgement(talk: Talk) -> None:
    talk.ledger.acknowledged(FIRST, 1)


def share_a_place(talk: Talk) -> None:
    talk.change_message(HIS, SECOND, seq=1)
    talk.ledger.seqs[SECOND] = 1
    talk.change_message(DESK, SECOND, conversation=PAIR, seq=0, sent=False)
    talk.change_message(LAP, SECOND, seq=1, sent=False)


def swap(talk: Talk) -> None:
    talk.change_message(LAP, SECOND, order=30)


def leave_waiting(talk: Talk) -> None:
    talk.change(HIS, waiting=("no-key",))


def leave_broken(talk: Talk) -> None:
    talk.change(HIS, broken=1)


def mark_unreadable(talk: Talk) -> None:
    talk.change_message(HIS, SECOND, readable=False)


def alter_text(talk: Talk) -> None:
    talk.change_message(HIS, SECOND, digest=b"x" * 16)


def blame_another(talk: Talk) -> None:
    talk.change_message(HIS, SECOND, device=LAP)


def invent(talk: Talk) -> None:
    invented = msgspec.structs.replace(talk.held(HIS, FIRST, 9), message=b"?" * 16, seq=9)
    talk.change(HIS, messages=(*talk.stores[HIS].messages, invented))


def misplace(talk: Talk) -> None:
    talk.change_message(HIS, SECOND, seq=77)


def never_acknowledge(talk: Talk) -> None:
    del talk.ledger.acknowledgements[HIS_ANSWER]


def keep_in_the_outbox(talk: Talk) -> None:
    talk.change(DESK, unsent=("one is sealed",))


def count_wrongly(talk: Talk) -> None:
    talk.change(LAP, unread=(Unread(PAIR, 2, 2, 0),))


def show_wrongly(talk: Talk) -> None:
    talk.change(LAP, unread=(Unread(PAIR, 1, 0, 0),))


def count_what_was_read(talk: Talk) -> None:
    talk.change(LAP, unread=(Unread(PAIR, 1, 1, 30),))


def count_what_was_read_elsewhere(talk: Talk) -> None:
    talk.change(LAP, unread=(Unread(PAIR, 1, 1, 0, 1 << 40),))


def pass_over_what_came_by_repair_alone(talk: Talk) -> None:
    """It has no place in the log, so nobody's mark of elsewhere is behind it."""
    place_nowhere(talk)
    talk.change(LAP, unread=(Unread(PAIR, 0, 0, 0, 1 << 40),))


def place_nowhere(talk: Talk) -> None:
    held = tuple(
        msgspec.structs.replace(each, seq=0) if each.message == HIS_ANSWER else each
        for each in talk.stores[LAP].messages
    )
    talk.change(LAP, messages=held)


PLANTED: list[tuple[Callable[[Talk], None], FaultKind, str]] = [
    (lose_from_store, FaultKind.LOST, "his"),
    (lose_own, FaultKind.LOST, "desk"),
    (lose_event, FaultKind.LOST, "lap"),
    (tell_and_forget, FaultKind.LOST, "lap"),
    (lose_store, FaultKind.LOST, "his"),
    (double_in_store, FaultKind.DOUBLED, "his"),
    (double_event, FaultKind.DOUBLED, "his"),
    (double_acknowledgement, FaultKind.DOUBLED, "desk"),
    (share_a_place, FaultKind.DOUBLED, "his"),
    (swap, FaultKind.REORDERED, "lap"),
    (leave_waiting, FaultKind.UNREADABLE, "his"),
    (leave_broken, FaultKind.UNREADABLE, "his"),
    (mark_unreadable, FaultKind.UNREADABLE, "his"),
    (alter_text, FaultKind.ALTERED, "his"),
    (blame_another, FaultKind.ALTERED, "his"),
    (invent, FaultKind.ALTERED, "his"),
    (misplace, FaultKind.ALTERED, "his"),
    (never_acknowledge, FaultKind.UNSENT, "his"),
    (keep_in_the_outbox, FaultKind.UNSENT, "desk"),
    (count_wrongly, FaultKind.MISCOUNTED, "lap"),
    (show_wrongly, FaultKind.MISCOUNTED, "lap"),
    (count_what_was_read, FaultKind.MISCOUNTED, "lap"),
    (count_what_was_read_elsewhere, FaultKind.MISCOUNTED, "lap"),
    (pass_over_what_came_by_repair_alone, FaultKind.MISCOUNTED, "lap"),
]


@pytest.mark.parametrize(("plant", "kind", "where"), PLANTED, ids=lambda each: getattr(each, "__name__", ""))
def test_a_planted_fault_is_found(plant: Callable[[Talk], None], kind: FaultKind, where: str) -> None:
    talk = Talk()
    plant(talk)
    assert (kind, where) in talk.kinds()


@pytest.mark.parametrize(
    ("plant", "kinds"),
    [
        (lose_from_store, {FaultKind.LOST, FaultKind.MISCOUNTED}),
        (lose_event, {FaultKind.LOST}),
        (double_event, {FaultKind.DOUBLED}),
        (swap, {FaultKind.REORDERED}),
        (leave_waiting, {FaultKind.UNREADABLE}),
        (alter_text, {FaultKind.ALTERED}),
    ],
)
def test_a_fault_is_not_taken_for_another(plant: Callable[[Talk], None], kinds: set[FaultKind]) -> None:
    talk = Talk()
    plant(talk)
    assert {fault.kind for fault in talk.faults()} == kinds


def test_what_the_server_owes_a_device_is_asked_for_too() -> None:
    """OLD was typed before the lap was known to be there; the server says that it has a right to it."""
    (fault,) = Talk().faults({(LAP, ALL): 0})
    assert (fault.kind, fault.where) == (FaultKind.LOST, "lap")


def test_what_is_not_yet_acknowledged_is_owed_to_nobody() -> None:
    talk = Talk()
    talk.ledger.typed(DESK, ALL, MessageId(b"new." * 4), DIGEST, 9, None)
    assert talk.ledger.owed() == set()
    assert talk.ledger.unacknowledged == 1
    talk.ledger.acknowledged(MessageId(b"new." * 4), 3)
    assert talk.ledger.owed() == {(LAP, b"new." * 4), (HIS, b"new." * 4)} == talk.ledger.owed_of(DESK)
    assert talk.ledger.owed_of(LAP) == set()
    talk.ledger.arrived(LAP, MessageId(b"new." * 4))
    assert talk.ledger.owed() == {(HIS, b"new." * 4)}


def test_a_fault_says_where_without_any_text() -> None:
    talk = Talk()
    lose_from_store(talk)
    name = f"message {SECOND.hex()[:8]} (number 2 of desk in conversation {PAIR.hex()[:8]}, seq 2)"
    assert f"{name} is not in the store" in {fault.what for fault in talk.faults()}


def test_a_message_told_as_delivered_and_not_stored_is_misstated() -> None:
    talk = Talk()
    talk.ledger.delivered(FIRST)
    talk.ledger.opened(HIS, [FIRST, SECOND])
    assert not talk.ledger.misstated
    talk.ledger.delivered(THIRD)
    talk.ledger.delivered(HIS_ANSWER)
    talk.ledger.opened(HIS, [FIRST, SECOND])
    assert talk.ledger.misstated == {THIRD: HIS}
    found = [
        each
        for each in find_faults(talk.ledger, talk.stores.values(), Written({}))
        if each.kind is FaultKind.MISSTATED
    ]
    assert len(found) == 1
    assert "told as delivered" in found[0].what


def test_a_message_that_stands_twice_in_a_log_of_the_server_is_doubled() -> None:
    """Whatever its readers make of it: they drop the second one."""
    talk = Talk()
    faults = list(find_faults(talk.ledger, talk.stores.values(), Written({}, (FIRST,))))
    assert [(each.kind, each.where) for each in faults] == [(FaultKind.DOUBLED, "server")]


def test_who_has_other_devices_is_not_asked_what_they_store() -> None:
    talk = Talk()
    talk.ledger.delivered(HIS_ANSWER)
    talk.ledger.opened(DESK, [])
    assert not talk.ledger.misstated


def test_who_left_is_owed_nothing_and_nobody_waits_for_them() -> None:
    talk = Talk()
    late = MessageId(b"late" * 4)
    talk.ledger.typed(LAP, PAIR, late, DIGEST, 9, (ALICE, BOB))
    assert talk.ledger.unacknowledged == 1
    talk.ledger.left(LAP)
    assert talk.ledger.unacknowledged == 0
    del talk.stores[LAP]
    assert not list(find_faults(talk.ledger, talk.stores.values(), Written({})))
    talk.ledger.acknowledged(late, 5)
    assert {device for device, message in talk.ledger.owed() if message == late} == {DESK, HIS}


def test_what_came_by_repair_alone_is_unread_whatever_was_read_elsewhere() -> None:
    talk = Talk()
    place_nowhere(talk)
    talk.change(LAP, unread=(Unread(PAIR, 1, 1, 0, 1 << 40),))
    assert talk.faults() == []
