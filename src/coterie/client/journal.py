"""The last things that were said to the server, kept in memory for whoever wants to look at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from coterie.base.clock import Clock
from coterie.client.events import FramesSent
from coterie.wire.frames import ClientFrame
from coterie.wire.readable import blanked

SENT_MOST: Final = 60
BYTES_MOST: Final = 1 << 20


class Journal:
    """Holds at most SENT_MOST times of saying, and BYTES_MOST bytes beyond the newest one; no secrets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[FramesSent] = deque()
        self._bytes = 0

    def sent(self, frames: Sequence[ClientFrame], size_bytes: int) -> None:
        """Frames have left for the server."""
        self._sent.append(FramesSent(self._clock.wall_ms(), tuple(map(blanked, frames)), size_bytes))
        self._bytes += size_bytes
        while len(self._sent) > SENT_MOST or (len(self._sent) > 1 and self._bytes > BYTES_MOST):
            self._bytes -= self._sent.popleft().size_bytes

    def last(self) -> tuple[FramesSent, ...]:
        """What is still here, oldest first."""
        return tuple(self._sent)
