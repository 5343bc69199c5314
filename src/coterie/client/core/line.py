"""One conversation's line of messages to be sent, and what it waits for while the program runs."""

from __future__ import annotations

import msgspec

from coterie.client.core.window import Window
from coterie.wire.frames import Refusal

RETRY_MS = 1000
REPAIRS_AT_ONCE = 3
"""How often in a row a stale view is repaired without a pause."""
HOLD_MOST_MS = 60_000


class Repair(msgspec.Struct, frozen=True):
    """A message that the server refused for a stale view."""

    order: int
    refusal: Refusal


class Line:
    """in_flight: sent and not answered. round: how often all was sent again; answers to older rounds do not
    count. claiming: keys were asked for. resend: what is sealed has to be sent again. retry_at_ms: nothing
    moves before."""

    def __init__(self) -> None:
        self.window = Window()
        self.in_flight = 0
        self.round = 0
        self.claiming = False
        self.repair: Repair | None = None
        self.resend = False
        self.stuck = False
        self.ended = False
        """The other account was deleted, or its name stands for another one: nothing moves here."""
        self.retry_at_ms = 0
        self.more = False
        """More is sealed than was sent in this round: a restored server gets much again."""
        self._holds = 0
        self._said = False
        self._disputes = 0

    def wait(self, until_ms: int) -> None:
        self.retry_at_ms = max(self.retry_at_ms, until_ms)

    def hold(self, now_ms: int, *, quietly: bool = False) -> bool:
        """Nobody could be reached: try later, each time a little later. True where the person is to hear of
        it: the first time in a row that is not quiet.

        What comes while the line is held already is the same news.
        """
        if now_ms < self.retry_at_ms:
            return False
        self._holds += 1
        self.retry_at_ms = now_ms + min(RETRY_MS << min(self._holds, 10), HOLD_MOST_MS)
        first = not quietly and not self._said
        self._said = self._said or first
        return first

    def disputed(self, now_ms: int) -> bool:
        """The server says once more that our view is stale. After a few times in a row each repair waits a
        little longer, so that a server that always says so gains nothing. True when the first wait begins."""
        self._disputes += 1
        beyond = self._disputes - REPAIRS_AT_ONCE
        if beyond > 0:
            self.wait(now_ms + min(RETRY_MS << min(beyond, 10), HOLD_MOST_MS))
        return beyond == 1

    @property
    def room(self) -> int:
        """How many more may be under way; less than nothing where the window has become narrower."""
        return self.window.size - self.in_flight

    def busy(self, until_ms: int) -> None:
        """The server cannot take more now: everything waits, and then fewer go at once."""
        if not self.resend:
            self.window.narrow()
        self.resend = True
        self.wait(until_ms)

    def moved(self) -> None:
        """A message was accepted."""
        self.window.accepted(self.in_flight)
        self.in_flight = max(0, self.in_flight - 1)
        self._holds = 0
        self._said = False
        self._disputes = 0

    def hopeful(self) -> None:
        """Who could not be reached has just come: try at once, and begin to count anew."""
        if self._holds:
            self._holds = 0
            self._said = False
            self.retry_at_ms = 0

    def again(self) -> None:
        """Everything sealed is about to be sent again."""
        self.resend = False
        self.retry_at_ms = 0
        self.round += 1
        self.in_flight = 0
