"""What this device tells others in envelopes that are no keys: a while after it came up, then together."""

from __future__ import annotations

from collections.abc import Iterator

from coterie.client.core.read_marks import ReadTelling
from coterie.client.core.receipts import Receipting
from coterie.client.core.repairs import Repairs
from coterie.client.core.trust_marks import Marks
from coterie.client.outcome import Outcome


class Telling:
    """Decides nothing itself."""

    def __init__(self, read: ReadTelling, trust: Marks, receipts: Receipting, repairs: Repairs) -> None:
        self.read = read
        self.trust = trust
        self.receipts = receipts
        self.repairs = repairs

    @property
    def wake_at_ms(self) -> int | None:
        """When the first of them has something to tell."""
        times = (
            self.read.wake_at_ms,
            self.trust.wake_at_ms,
            self.receipts.wake_at_ms,
            self.repairs.wake_at_ms,
        )
        return min((at for at in times if at is not None), default=None)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        yield from self.read.tick(now_ms)
        yield from self.trust.tick(now_ms)
        yield from self.receipts.tick(now_ms)
        yield from self.repairs.tick(now_ms)

    def connected(self, now_ms: int) -> Iterator[Outcome]:
        """What could not be told before can be told soon."""
        self.read.later(now_ms)
        self.receipts.connected(now_ms)
        yield from self.trust.connected(now_ms)
        yield self.repairs.connected()

    def disconnected(self) -> None:
        for part in (self.read, self.trust, self.receipts, self.repairs):
            part.disconnected()
