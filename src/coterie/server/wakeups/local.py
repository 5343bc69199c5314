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
        self._channels: set[int] = set()
        self._received: Callable[[bytes], None] | None = None

    async def connect(self, received: Callable[[bytes], None]) -> None:
        self._received = received
        self._yard.buses.add(self)

    async def listen(self, channels: Iterable[int]) -> None:
        self._require_connected()
        self._channels.update(channels)

    async def ignore(self, channels: Iterable[int]) -> None:
        self._require_connected()
        self._channels.difference_update(channels)

    async def tell(self, hints: Iterable[Hint]) -> None:
        self._require_connected()
        for channel, topics in hints:
            for bus in self._yard.buses - {self}:
                bus.receive(channel, topics)

    def receive(self, channel: int, topics: bytes) -> None:
        """Another one has told this."""
        if channel in self._channels and self._received is not None:
            self._received(topics)

    async def close(self) -> None:
        self._yard.buses.discard(self)
        self._channels.clear()

    def _require_connected(self) -> None:
        if self not in self._yard.buses:
            raise Unavailable(Code.UNREACHABLE, "the bus is not connected")
