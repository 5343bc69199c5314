"""Who takes part in a soak, and what they report: into the ledger of talk, and into what is counted."""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId
from coterie.trials.ledger_of_talk import TalkLedger
from coterie.trials.soak.speech import (
    Acknowledged,
    Arrived,
    Closed,
    Delivered,
    Done,
    Drained,
    Exhausted,
    Failed,
    Joined,
    Looked,
    Marked,
    Opened,
    Report,
    Trouble,
    Typed,
    Typing,
)
from coterie.trials.talk_records import HeldStore, Participant

CLAIMER = 1_000_000
"""The client that takes everybody's keys; it says and hears nothing."""


class Crowd:
    """take() every report; everything else only says what was taken."""

    def __init__(self) -> None:
        self.ledger = TalkLedger()
        self.joined: dict[int, Joined] = {}
        self.moment = 0
        """Counts what was ordered and reported, so that "before" means something."""
        self.drained: dict[int, bool] = {}
        """Client -> whether all was well with it then."""
        self.closed: set[int] = set()
        self.stores: dict[int, HeldStore] = {}
        self.exhaustions = 0
        """How often some devices had nothing left but their fallback key."""
        self.gone: set[int] = set()
        """Clients whose devices were revoked: they learn it, and nothing more is asked of them."""
        self.copies: set[int] = set()
        """Clients whose homes come from a copy: they hold less than they once did."""
        self.failures: list[Failed] = []
        self.troubles: list[Trouble] = []
        self._between: dict[ConversationId, tuple[AccountId, AccountId]] = {}
        self._devices: Counter[bytes] = Counter()
        self._device_of: dict[int, DeviceId] = {}
        self._typing: dict[bytes, int] = {}
        """digest of a text that may have reached an outbox -> moment."""
        self.marks: dict[int, dict[bytes, int]] = {}
        """client -> conversation -> order up to which it was marked as read."""

    def next_moment(self) -> int:
        self.moment += 1
        return self.moment

    def will_talk(self, client: int, to: int | None) -> None:
        """A direct conversation between the accounts of two clients may begin."""
        if to is not None:
            pair = (AccountId(self.joined[client].account), AccountId(self.joined[to].account))
            self._between[direct_id(*pair)] = pair

    def left(self, client: int, device: DeviceId) -> None:
        """Its device is being revoked."""
        self.gone.add(client)
        self.ledger.left(device)

    def devices(self) -> tuple[tuple[bytes, bytes], ...]:
        """(account, device) of all that take part."""
        return tuple((each.account, each.device) for client, each in self.joined.items() if client != CLAIMER)

    def take(self, report: Report) -> None:
        match report:
            case Arrived() | Typing() | Typed() | Acknowledged() | Delivered() | Opened() | Marked():
                self._take_talk(report)
            case Joined():
                self._joined(report)
            case Done():
                pass
            case Closed(client):
                self.closed.add(client)
            case Drained(client, is_well):
                self.drained[client] = is_well
            case Exhausted(_, _, fallbacks):
                self.exhaustions += fallbacks > 0
            case Looked(client, held):
                self.stores[client] = held
            case Failed(client):
                if client not in self.gone:
                    self.failures.append(report)
            case Trouble():
                self.troubles.append(report)
            case _:
                assert_never(report)

    def _take_talk(
        self, report: Arrived | Typing | Typed | Acknowledged | Delivered | Opened | Marked
    ) -> None:
        match report:
            case Arrived(client, message):
                self.ledger.arrived(self._device(client), MessageId(message))
            case Typing(_, digest, moment):
                self._typing[digest] = moment
            case Typed():
                self._typed(report)
            case Acknowledged(_, message, seq):
                self.ledger.acknowledged(MessageId(message), seq)
            case Delivered(_, message):
                self.ledger.delivered(MessageId(message))
            case Opened():
                self._opened(report)
            case Marked(client, conversation, order):
                marks = self.marks.setdefault(client, {})
                marks[conversation] = max(order, marks.get(conversation, 0))
            case _:
                assert_never(report)

    def _device(self, client: int) -> DeviceId:
        return self._device_of[client]

    def _typed(self, report: Typed) -> None:
        self._typing.pop(report.digest, None)
        conversation = ConversationId(report.conversation)
        self.ledger.typed(
            self._device(report.client),
            conversation,
            MessageId(report.message),
            report.digest,
            report.moment,
            self._between.get(conversation),
        )

    def _opened(self, report: Opened) -> None:
        """What a process that was killed did, and could not tell any more, stands in its store. Where it has
        become another device, what waited to be sealed is that one's."""
        device = DeviceId(report.device)
        before = self._device_of.get(report.client)
        if before is not None and before != device:
            self.ledger.left(before)
        self._device_of[report.client] = device
        if report.client not in self.copies:
            self.ledger.opened(device, [MessageId(each.message) for each in report.found])
        told = set(self.ledger.told.get(device, ()))
        for each in report.found:
            message = MessageId(each.message)
            if each.device != device:
                if message not in told:
                    self.ledger.arrived(device, message)
                continue
            typed = self.ledger.by_message.get(message)
            if typed is not None and typed.device != device:
                self.ledger.moved(message, device)
            if typed is None and each.digest in self._typing:
                moment = self._typing[each.digest]
                self._typed(Typed(report.client, each.conversation, message, each.digest, moment))
            if each.sent and message not in self.ledger.acknowledgements:
                self.ledger.acknowledged(message, each.seq)

    def _joined(self, report: Joined) -> None:
        self.joined[report.client] = report
        self._device_of[report.client] = DeviceId(report.device)
        if report.client == CLAIMER or report.device in self.ledger.participants:
            return
        self._devices[report.account] += 1
        label = f"client {report.client} ({report.name}, device {self._devices[report.account]})"
        device, account = DeviceId(report.device), AccountId(report.account)
        self.ledger.joined(Participant(device, account, label, self.next_moment()))
