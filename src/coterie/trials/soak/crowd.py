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
    Drained,
    Exhausted,
    Failed,
    Joined,
    Looked,
    Report,
    Trouble,
    Typed,
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
        self.typed = 0
        self.drained: set[int] = set()
        self.closed: set[int] = set()
        self.stores: dict[int, HeldStore] = {}
        self.exhaustions = 0
        """How often some devices had nothing left but their fallback key."""
        self.failures: list[Failed] = []
        self.troubles: list[Trouble] = []
        self._between: dict[ConversationId, tuple[AccountId, AccountId]] = {}
        self._devices: Counter[bytes] = Counter()

    def next_moment(self) -> int:
        self.moment += 1
        return self.moment

    def will_talk(self, client: int, to: int | None) -> None:
        """A direct conversation between the accounts of two clients may begin."""
        if to is not None:
            pair = (AccountId(self.joined[client].account), AccountId(self.joined[to].account))
            self._between[direct_id(*pair)] = pair

    def devices(self) -> tuple[tuple[bytes, bytes], ...]:
        """(account, device) of all that take part."""
        return tuple((each.account, each.device) for client, each in self.joined.items() if client != CLAIMER)

    def take(self, report: Report) -> None:
        match report:
            case Arrived(client, message):
                self.ledger.arrived(self._device(client), MessageId(message))
            case Typed():
                self._typed(report)
            case Acknowledged(_, message, seq):
                self.ledger.acknowledged(MessageId(message), seq)
            case Joined():
                self._joined(report)
            case Closed(client):
                self.closed.add(client)
            case Drained(client):
                self.drained.add(client)
            case Exhausted(_, _, fallbacks):
                self.exhaustions += fallbacks > 0
            case Looked(client, held):
                self.stores[client] = held
            case Failed():
                self.failures.append(report)
            case Trouble():
                self.troubles.append(report)
            case _:
                assert_never(report)

    def _device(self, client: int) -> DeviceId:
        return DeviceId(self.joined[client].device)

    def _typed(self, report: Typed) -> None:
        self.typed += 1
        conversation = ConversationId(report.conversation)
        self.ledger.typed(
            self._device(report.client),
            conversation,
            MessageId(report.message),
            report.digest,
            report.moment,
            self._between.get(conversation),
        )

    def _joined(self, report: Joined) -> None:
        self.joined[report.client] = report
        if report.client == CLAIMER:
            return
        self._devices[report.account] += 1
        label = f"client {report.client} ({report.name}, device {self._devices[report.account]})"
        device, account = DeviceId(report.device), AccountId(report.account)
        self.ledger.joined(Participant(device, account, label, self.next_moment()))
