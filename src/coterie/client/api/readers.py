"""Whoever reads the events of a profile, each at a pace of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.events import Event

EVENTS_WAITING = 100_000
"""A reader of events that falls further behind than this is told so."""


class _Reader:
    """One reader's queue of events."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.wake = asyncio.Event()
        self.overflown = False

    def put(self, event: Event) -> None:
        if len(self.events) >= EVENTS_WAITING:
            self.overflown = True
            return
        self.events.append(event)
        self.wake.set()


class Readers:
    """Gives every event to every reader."""

    def __init__(self, dressed: Callable[[Event], Event]) -> None:
        """dressed: what is done to an event before somebody reads it."""
        self._dressed = dressed
        self._readers: list[_Reader] = []
        self._ended = False

    def put(self, event: Event) -> None:
        for reader in self._readers:
            reader.put(event)

    def end(self) -> None:
        """No event comes any more: readers finish with what they have."""
        self._ended = True
        for reader in self._readers:
            reader.wake.set()

    async def follow(self) -> AsyncIterator[Event]:
        """Everything from now on, to the end. Raises Unavailable(busy) where it is not read in time."""
        reader = _Reader()
        self._readers.append(reader)
        try:
            while not (self._ended and not reader.events):
                await reader.wake.wait()
                reader.wake.clear()
                while reader.events:
                    yield self._dressed(reader.events.popleft())
                if reader.overflown:
                    raise Unavailable(Code.BUSY, "events were not read in time and were dropped")
        finally:
            self._readers.remove(reader)
