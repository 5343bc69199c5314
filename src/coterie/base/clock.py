"""Time, as an argument. The only module of coterie that imports time."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and protocols, monotonic time for waiting."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    async def wait_until(self, monotonic_seconds: float) -> None:
        """Return when monotonic_seconds() has reached the given moment."""
        ...


class SystemClock:
    """The machine's own clock."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    monotonic_seconds = staticmethod(time.monotonic)
    """Asked for with every message: without a call of our own around it."""

    def thread_seconds(self) -> float:
        """Processor time that the calling thread has used."""
        return time.thread_time()

    def process_seconds(self) -> float:
        """Processor time that all threads of this process have used."""
        return time.process_time()

    async def wait_until(self, monotonic_seconds: float) -> None:
        while (left := monotonic_seconds - time.monotonic()) > 0:
            await asyncio.sleep(left)


def cpu_seconds() -> float:
    """What this process has used of the processors so far, all its threads together."""
    return time.process_time()


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, wall_ms: int = 1_800_000_000_000) -> None:
        self._wall_ms = wall_ms
        self._monotonic = 0.0
        self._moved = asyncio.Event()

    def wall_ms(self) -> int:
        return self._wall_ms

    def monotonic_seconds(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both times forward and wake who waits."""
        self._monotonic += seconds
        self._wall_ms += round(seconds * 1000)
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_until(self, monotonic_seconds: float) -> None:
        while self._monotonic < monotonic_seconds:
            await self._moved.wait()
