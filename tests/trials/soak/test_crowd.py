"""What clients report becomes the ledger of talk, also where one becomes another device meanwhile."""

from __future__ import annotations

from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId
from coterie.trials.soak.crowd import Crowd
from coterie.trials.soak.speech import Acknowledged, Joined, Opened, Typed
from coterie.trials.talk_check import Written, find_faults
from coterie.trials.talk_records import FoundMessage, HeldMessage, HeldStore

ALICE, BOB = AccountId(b"a" * 32), AccountId(b"b" * 32)
BEFORE, AFTERWARDS, HIS = DeviceId(b"1" * 16), DeviceId(b"2" * 16), DeviceId(b"3" * 16)
PAIR = direct_id(ALICE, BOB)
FIRST, WAITING, NEXT = (MessageId(bytes([number]) * 16) for number in range(3))


def digest(message: MessageId) -> bytes:
    return message[:8]


def typed(crowd: Crowd, *messages: MessageId) -> None:
    for message in messages:
        crowd.take(Typed(0, PAIR, message, digest(message), crowd.next_moment()))


def found(message: MessageId, device: DeviceId, seq: int) -> FoundMessage:
    return FoundMessage(ConversationId(PAIR), message, device, seq, bool(seq), digest(message))


def held(message: MessageId, device: DeviceId, seq: int, *, own: bool) -> HeldMessage:
    return HeldMessage(PAIR, message, device, seq, seq, own, True, True, digest(message))


def test_what_waited_when_a_copy_became_another_device_is_said_by_that_one() -> None:
    """It has no number of the device before, and is owed an answer by the server."""
    crowd = Crowd()
    crowd.take(Joined(0, ALICE, BEFORE, "alice", ""))
    crowd.take(Joined(1, BOB, HIS, "bob", ""))
    crowd.will_talk(0, 1)
    typed(crowd, FIRST, WAITING)
    crowd.take(Acknowledged(0, FIRST, 1))
    crowd.copies.add(0)
    crowd.take(Opened(0, AFTERWARDS, (found(FIRST, BEFORE, 1), found(WAITING, AFTERWARDS, 0))))
    assert crowd.ledger.unacknowledged == 1
    crowd.take(Joined(0, ALICE, AFTERWARDS, "alice", ""))
    typed(crowd, NEXT)
    said = [(FIRST, BEFORE, 1), (WAITING, AFTERWARDS, 2), (NEXT, AFTERWARDS, 3)]
    for message, _, seq in said[1:]:
        crowd.take(Acknowledged(0, message, seq))
    for message, _, _ in said:
        crowd.ledger.arrived(HIS, message)
    stores = [
        HeldStore(device, tuple(held(*each, own=device == AFTERWARDS) for each in said), (), (), 0, ())
        for device in (AFTERWARDS, HIS)
    ]
    assert list(find_faults(crowd.ledger, stores, Written({}))) == []
