"""Who typed what, what the server acknowledged, what every device was told.

Kept beside the product and without its help; talk_check.py says what follows from it. Pure: it is fed by hand
in tests, by processes in trials. Texts never come here, only their digests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId
from coterie.trials.talk_records import Participant, TypedMessage


class TalkLedger:
    """Everything that was reported; in any order, since reports of several processes cross each other."""

    def __init__(self) -> None:
        self.participants: dict[DeviceId, Participant] = {}
        self.by_message: dict[MessageId, TypedMessage] = {}
        self._places: Counter[tuple[DeviceId, ConversationId]] = Counter()
        self.seqs: dict[MessageId, int] = {}
        self.acknowledgements: Counter[MessageId] = Counter()
        self.told: dict[DeviceId, list[MessageId]] = {}
        self.deliveries_told: set[MessageId] = set()
        self.misstated: dict[MessageId, DeviceId] = {}
        """Messages that were told to be stored by a device, and were not in its store."""
        self.gone: set[DeviceId] = set()
        self._open: set[MessageId] = set()

    def joined(self, participant: Participant) -> None:
        self.participants[participant.device] = participant

    def left(self, device: DeviceId) -> None:
        """It is no device any more: nothing is for it, and nobody looks into its store."""
        self.gone.add(device)
        self._open -= {message for message in self._open if self.by_message[message].device == device}

    def typed(
        self,
        device: DeviceId,
        conversation: ConversationId,
        message: MessageId,
        digest: bytes,
        moment: int,
        between: tuple[AccountId, AccountId] | None,
    ) -> None:
        """One device's messages of a conversation are reported in the order in which they were typed."""
        place = self._places[device, conversation] = self._places[device, conversation] + 1
        self.by_message[message] = TypedMessage(message, conversation, device, digest, moment, place, between)
        if device not in self.gone and message not in self.acknowledgements:
            self._open.add(message)

    def moved(self, message: MessageId, device: DeviceId) -> None:
        """Who typed it has become another device before it was sealed: it is that one's to say."""
        typed = self.by_message[message]
        self.typed(device, typed.conversation, message, typed.digest, typed.moment, typed.between)

    def acknowledged(self, message: MessageId, seq: int) -> None:
        """The sender was told that the server has it on disk."""
        self.acknowledgements[message] += 1
        self._open.discard(message)
        self.seqs[message] = seq

    def delivered(self, message: MessageId) -> None:
        """Its sender was told that a device of the other person has stored it."""
        self.deliveries_told.add(message)

    def opened(self, device: DeviceId, found: Collection[MessageId]) -> None:
        """A device shows what its store holds: all that others were told to be stored there has to be."""
        participant = self.participants.get(device)
        if participant is None or not self._is_alone(participant):
            return
        for message in self.deliveries_told.difference(found):
            typed = self.by_message.get(message)
            if typed is not None and self._is_from_other(typed, participant):
                self.misstated[message] = device

    def arrived(self, device: DeviceId, message: MessageId) -> None:
        """An event told a device of a message of another device."""
        self.told.setdefault(device, []).append(message)

    @property
    def messages(self) -> int:
        return len(self.by_message)

    @property
    def unacknowledged(self) -> int:
        """How many messages of those who are there the server has still to take."""
        return len(self._open)

    @property
    def deliveries(self) -> int:
        """How often an event told of a message."""
        return sum(len(told) for told in self.told.values())

    def owed(self) -> set[tuple[DeviceId, MessageId]]:
        """Who has still to be told of what, of all that is acknowledged."""
        return self._owed(self.by_message.values())

    def owed_of(self, device: DeviceId) -> set[tuple[DeviceId, MessageId]]:
        """The same, of what one device has typed."""
        return self._owed(typed for typed in self.by_message.values() if typed.device == device)

    def _owed(self, messages: Iterable[TypedMessage]) -> set[tuple[DeviceId, MessageId]]:
        told = {device: set(found) for device, found in self.told.items()}
        return {
            (each.device, typed.message)
            for typed in messages
            if typed.message in self.acknowledgements
            for each in self.present()
            if each.device != typed.device and _there_before(each, typed)
            if typed.message not in told.get(each.device, ())
        }

    def present(self) -> tuple[Participant, ...]:
        """Who takes part and has not left."""
        return tuple(each for device, each in self.participants.items() if device not in self.gone)

    def _is_alone(self, participant: Participant) -> bool:
        """Whether its account never had another device: only then "stored there" means stored by it."""
        return sum(each.account == participant.account for each in self.participants.values()) == 1

    def _is_from_other(self, typed: TypedMessage, participant: Participant) -> bool:
        writer = self.participants.get(typed.device)
        between = typed.between or ()
        return writer is not None and writer.account != participant.account and participant.account in between

    def label(self, device: DeviceId) -> str:
        """How a person finds a device in what is printed."""
        known = self.participants.get(device)
        return known.label if known else f"device {device.hex()[:8]}"

    def name_of(self, message: MessageId) -> str:
        """A message in words: id, number, sender, conversation, place in the log."""
        typed = self.by_message.get(message)
        if typed is None:
            return f"message {message.hex()[:8]}"
        where = "everyone" if typed.between is None else f"conversation {typed.conversation.hex()[:8]}"
        seq = self.seqs.get(message, 0)
        sender = self.label(typed.device)
        return f"message {message.hex()[:8]} (number {typed.place} of {sender} in {where}, seq {seq})"


def concerns(participant: Participant, typed: TypedMessage) -> bool:
    """Whether a device is of the conversation in which this was typed."""
    return typed.between is None or participant.account in typed.between


def _there_before(participant: Participant, typed: TypedMessage) -> bool:
    return concerns(participant, typed) and participant.moment < typed.moment
