"""What the core may ask of the store about messages that are not here yet (ports.py has the rest)."""

from __future__ import annotations

from typing import Protocol

from coterie.base.ids import AccountId, ConversationId, DeviceId, StreamId
from coterie.client.store.records import AwaitedRow, DeviceSince, MessageRow, WaitingRow


class RepairQuestions(Protocol):
    """Answered as ports.Reads is."""

    def awaited(self, conversation: ConversationId | None = None) -> list[AwaitedRow]:
        """All, or those of one conversation, by order."""
        ...

    def awaited_entry(
        self, conversation: ConversationId, device: DeviceId, message: bytes
    ) -> AwaitedRow | None: ...
    def awaited_runs(self, conversation: ConversationId, device: DeviceId) -> list[AwaitedRow]:
        """Numbers of a device that never came, lowest first."""
        ...

    def awaited_due(self, now_ms: int, limit: int) -> list[AwaitedRow]:
        """What is to be asked for now, longest due first."""
        ...

    def next_asking_ms(self) -> int | None:
        """When something is to be asked for next; None where nothing is awaited."""
        ...

    def last_kept_order(self) -> int:
        """The highest order that is kept for something; 0 where nothing is awaited."""
        ...

    def undecryptable_now(self) -> int:
        """How many messages there are that cannot be read here."""
        ...

    def waiting_at(self, stream: StreamId, seq: int) -> WaitingRow | None:
        """What waits at a place of a stream."""
        ...

    def message_by_n(self, conversation: ConversationId, device: DeviceId, n: int) -> MessageRow | None: ...
    def given_times(self, device: DeviceId, order: int) -> int:
        """How often a device was given a message again."""
        ...

    def given_since(self, device: DeviceId, since_ms: int) -> int:
        """How many messages a device was given after a time."""
        ...

    def device_since(self, account: AccountId, device: DeviceId) -> tuple[DeviceSince, ...]:
        """By which leaves a device was first seen here, one of each ledger in which it was."""
        ...
