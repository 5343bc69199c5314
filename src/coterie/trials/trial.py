"""What every trial gets, and what it counts on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from coterie.base.clock import Clock
from coterie.trials.figures import Figure
from coterie.trials.scale import Scale

SQLITE = "sqlite"
ON = (SQLITE, "postgres", "cluster")
"""What a coterie under trial may keep its data in: a file, a PostgreSQL, one PostgreSQL for two processes."""

T = TypeVar("T")


class Trial(msgspec.Struct, frozen=True):
    """folder: for this trial alone, empty. seed: decides who goes first in a round; keys are always fresh.
    on: of ON, for the trials of servers."""

    folder: Path
    scale: Scale
    clock: Clock
    seed: int
    on: tuple[str, ...] = (SQLITE,)

    def in_turn(self, round_number: int, those: Iterable[T]) -> list[T]:
        """All that is measured, in the order of this round: each comes first once, and whoever comes later
        finds warmer caches."""
        inner = list(those)
        first = (self.seed + round_number) % max(1, len(inner))
        return inner[first:] + inner[:first]


Run = Callable[[Trial], Awaitable[list[Figure]]]
