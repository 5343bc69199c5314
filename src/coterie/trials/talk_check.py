"""What is lost, doubled, reordered or unreadable, by a ledger of talk and the stores of all its devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.trials.ledger_of_talk import TalkLedger, concerns
from coterie.trials.talk_records import Fault, FaultKind, HeldStore, Participant, TypedMessage

Entitled = Mapping[tuple[DeviceId, ConversationId], int]
"""The last seq of a conversation that a device is not entitled to, as the server keeps it."""


class Written(msgspec.Struct, frozen=True):
    """What servers have written. doubled: messages that stand twice in one log."""

    entitled: Entitled
    doubled: tuple[MessageId, ...] = ()


def find_faults(ledger: TalkLedger, stores: Iterable[HeldStore], written: Written | None) -> Iterator[Fault]:
    """Asked once everything is quiet and every store is closed. written None: the server was restored from a
    copy, so that places in logs were given twice, and messages sent again.

    Who is entitled can only add to what a device must hold: what was typed after the device was known to be
    there is owed to it whatever the server says.
    """
    entitled = None if written is None else written.entitled
    looked = {DeviceId(store.device): store for store in stores}
    for participant in ledger.present():
        store = looked.get(participant.device)
        if store is None:
            yield Fault(FaultKind.LOST, participant.label, "its store could not be looked into")
        else:
            yield from _StoreCheck(ledger, participant, store).faults(entitled)
    for message, device in ledger.misstated.items():
        what = f"{ledger.name_of(message)} was told as delivered before it was stored"
        yield Fault(FaultKind.MISSTATED, ledger.label(device), what)
    for typed in ledger.by_message.values():
        count = ledger.acknowledgements[typed.message]
        where, name = ledger.label(typed.device), ledger.name_of(typed.message)
        if count == 0 and typed.device not in ledger.gone:
            yield Fault(FaultKind.UNSENT, where, f"{name} was never acknowledged")
        elif count > 1 and entitled is not None:
            yield Fault(FaultKind.DOUBLED, where, f"{name} was acknowledged {count} times")
    for message in written.doubled if written is not None else ():
        yield Fault(FaultKind.DOUBLED, "server", f"{ledger.name_of(message)} stands twice in its log")


class _StoreCheck:
    """One device and its store."""

    def __init__(self, ledger: TalkLedger, participant: Participant, store: HeldStore) -> None:
        self._ledger = ledger
        self._participant = participant
        self._store = store

    def faults(self, entitled: Entitled | None) -> Iterator[Fault]:
        yield from self._missing(entitled or {})
        yield from self._told()
        yield from self._altered()
        yield from self._reordered(restored=entitled is None)
        if entitled is not None:
            yield from self._misplaced()
            yield from self._miscounted()
        store = self._store
        for reason in store.waiting:
            yield self._fault(FaultKind.UNREADABLE, f"an entry waits to be opened: {reason}")
        if store.broken:
            yield self._fault(FaultKind.UNREADABLE, f"{store.broken} entries did not open")
        for each in store.unsent:
            yield self._fault(FaultKind.UNSENT, each)

    def _fault(self, kind: FaultKind, what: str) -> Fault:
        return Fault(kind, self._participant.label, what)

    def _of(self, kind: FaultKind, message: bytes, what: str) -> Fault:
        return self._fault(kind, f"{self._ledger.name_of(MessageId(message))} {what}")

    def _missing(self, entitled: Entitled) -> Iterator[Fault]:
        held = Counter(each.message for each in self._store.messages)
        for typed in self._ledger.by_message.values():
            if typed.message not in held and self._must_hold(typed, entitled):
                yield self._of(FaultKind.LOST, typed.message, "is not in the store")
        for message, count in held.items():
            if count > 1:
                yield self._of(FaultKind.DOUBLED, message, f"is {count} times in the store")

    def _must_hold(self, typed: TypedMessage, entitled: Entitled) -> bool:
        if typed.device == self._participant.device:
            return True
        if typed.message not in self._ledger.acknowledgements or not concerns(self._participant, typed):
            return False
        if self._participant.moment < typed.moment:
            return True
        first = entitled.get((self._participant.device, typed.conversation))
        return first is not None and self._ledger.seqs[typed.message] > first

    def _told(self) -> Iterator[Fault]:
        """Each message of another device is told once, in an event; the order is that of the store."""
        told = Counter(self._ledger.told.get(self._participant.device, ()))
        received = {
            MessageId(each.message) for each in self._store.messages if not self._is_mine(each.device)
        }
        for message, count in told.items():
            if count > 1:
                yield self._of(FaultKind.DOUBLED, message, f"was told {count} times")
        for message in told.keys() - received:
            yield self._of(FaultKind.LOST, message, "was told, and is not in the store")
        for message in received - told.keys():
            yield self._of(FaultKind.LOST, message, "is in the store, and was never told")

    def _altered(self) -> Iterator[Fault]:
        for each in self._store.messages:
            typed = self._ledger.by_message.get(MessageId(each.message))
            if typed is None:
                yield self._of(FaultKind.ALTERED, each.message, "was typed by nobody")
                continue
            if not each.readable:
                yield self._of(FaultKind.UNREADABLE, each.message, "is marked as unreadable")
            as_typed = (typed.conversation, typed.device, typed.digest)
            if (each.conversation, each.device, each.digest) != as_typed:
                yield self._of(FaultKind.ALTERED, each.message, "is not as it was typed")

    def _misplaced(self) -> Iterator[Fault]:
        at: dict[tuple[bytes, int], bytes] = {}
        for each in self._store.messages:
            if not (each.sent and each.seq):
                continue
            if each.seq != self._ledger.seqs.get(MessageId(each.message), each.seq):
                yield self._of(FaultKind.ALTERED, each.message, f"stands at {each.seq} of the log")
            if at.setdefault((each.conversation, each.seq), each.message) != each.message:
                yield self._of(FaultKind.DOUBLED, each.message, f"shares place {each.seq} of the log")

    def _reordered(self, *, restored: bool) -> Iterator[Fault]:
        """Of each sending device in each conversation: in the order in which it typed. What was typed before
        this device was there may come late: a restored server is sent it again, and gives it to all."""
        highest: dict[tuple[bytes, bytes], int] = {}
        for each in sorted(self._store.messages, key=lambda each: each.order):
            typed = self._ledger.by_message.get(MessageId(each.message))
            if typed is None or (restored and typed.moment <= self._participant.moment):
                continue
            line = (each.conversation, each.device)
            before = highest.get(line, 0)
            if typed.place < before:
                yield self._of(FaultKind.REORDERED, each.message, f"stands behind number {before}")
            highest[line] = max(before, typed.place)

    def _miscounted(self) -> Iterator[Fault]:
        """A message that came by repair alone has no place in the log: no other device's mark passes it."""
        places: dict[bytes, list[tuple[int, int]]] = {}
        for message in self._store.messages:
            if not message.own:
                places.setdefault(message.conversation, []).append((message.order, message.seq))
        for each in self._store.unread:
            there = places.get(each.conversation, ())
            right = sum(order > each.read_order and (seq == 0 or seq > each.read_seq) for order, seq in there)
            name = f"conversation {each.conversation.hex()[:8]}"
            if each.counted != right:
                what = f"{name}: {each.counted} unread instead of {right}"
                yield self._fault(FaultKind.MISCOUNTED, what)
            if each.shown not in (-1, each.counted):
                what = f"{name}: {each.shown} unread shown, {each.counted} counted"
                yield self._fault(FaultKind.MISCOUNTED, what)

    def _is_mine(self, device: bytes) -> bool:
        return device == self._store.device
