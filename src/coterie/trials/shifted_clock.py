"""The machine's time and an offset that all processes of a trial share, so that days pass for all at once.

The offset stands in a file of eight bytes. One process moves it forward, the others see it at once.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Self

from coterie.base.clock import Clock, SystemClock

OFFSET_BYTES = 8
LOOK_SECONDS = 0.25
"""How soon who waits notices that time has moved."""


class _Milliseconds:
    """A signed number that stands in a file of its own."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), OFFSET_BYTES)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file, with nothing in it yet."""
        path.write_bytes(bytes(OFFSET_BYTES))
        return cls(path)

    @property
    def milliseconds(self) -> int:
        return int.from_bytes(self._map[:OFFSET_BYTES], "big", signed=True)

    def set(self, milliseconds: int) -> None:
        self._map[:OFFSET_BYTES] = milliseconds.to_bytes(OFFSET_BYTES, "big", signed=True)

    def close(self) -> None:
        self._map.close()


class SharedOffset(_Milliseconds):
    """By how much time has moved for all; never goes back."""

    def advance(self, milliseconds: int) -> None:
        self.set(self.milliseconds + milliseconds)


class Skew(_Milliseconds):
    """By how much one machine's wall clock is wrong; negative: slow."""


class ShiftedClock:
    """Implements Clock. Both times move by the offset, as if the machine had been idle for that long; the
    wall clock is wrong by the skew besides."""

    def __init__(self, offset: SharedOffset, skew: Skew | None = None, machine: Clock | None = None) -> None:
        self._offset = offset
        self._skew = skew
        self._machine = machine or SystemClock()

    def wall_ms(self) -> int:
        wrong = self._skew.milliseconds if self._skew else 0
        return self._machine.wall_ms() + self._offset.milliseconds + wrong

    def monotonic_seconds(self) -> float:
        return self._machine.monotonic_seconds() + self._offset.milliseconds / 1000

    async def wait_until(self, monotonic_seconds: float) -> None:
        while (left := monotonic_seconds - self.monotonic_seconds()) > 0:
            await self._machine.wait_until(self._machine.monotonic_seconds() + min(left, LOOK_SECONDS))
