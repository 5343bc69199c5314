"""How many messages of a conversation may be under way: fewer where the server is busy.

A window opens as it is used, one more for each message that is accepted while it is at least half full. After
`busy` it is half as wide, and from then on opens by one for as many as it holds. Whoever has said everything
begins narrow again. To refuse costs the server something too, so where all try less, all get more through.
"""

from __future__ import annotations

FIRST = 64
"""What is sealed at once goes out at once."""
MOST = 200
LEAST = 4


class Window:
    """size: messages sent and not yet answered at most."""

    def __init__(self) -> None:
        self.size = FIRST
        self._busy = False
        self._taken = 0

    def narrow(self) -> None:
        """The server was too busy for what was sent; once for all that was under way then."""
        self.size = max(LEAST, self.size // 2)
        self._busy = True
        self._taken = 0

    def accepted(self, in_flight: int) -> None:
        """The server has taken one of so many."""
        if in_flight <= 1:
            self.size = min(self.size, FIRST)
        if in_flight > self.size // 2:
            self._taken += 1
        if self._taken >= (self.size if self._busy else 1):
            self._taken = 0
            self.size = min(MOST, self.size + 1)
