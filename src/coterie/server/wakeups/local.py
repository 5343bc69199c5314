"""Wake-ups between servers in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.wakeups.protocol import Hint


class Yard:
    """What they share."""

    def __init__(self) -> None:
        self.buses: set[LocalBus] = set()


class LocalBus:
    """Implements Bus."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._received: Callable[[Hint], None] | None = None

    async def connect(self, received: Callable[[Hint], None]) -> None:
        self._received = received
        self._yard.buses.add(self)

    async def tell(self, hints: Iterable[Hint]) -> None:
        await self.look()
        for hint in hints:
            for bus in self._yard.buses - {self}:
                bus.receive(hint)

    def receive(self, hint: Hint) -> None:
        """Another one has told this."""
        if self._received is not None:
            self._received(hint)

    async def close(self) -> None:
        self._yard.buses.discard(self)

    async def look(self) -> None:
        if self not in self._yard.buses:
            raise Unavailable(Code.UNREACHABLE, "the bus is not connected")
