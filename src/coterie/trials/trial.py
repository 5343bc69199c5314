"""What every trial gets, and what it counts on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from coterie.base.clock import Clock
from coterie.trials.figures import Figure
from coterie.trials.scale import Scale


class Trial(msgspec.Struct, frozen=True):
    """folder: for this trial alone, empty. seed: decides which goes first in a round, coterie or floor; keys
    are always fresh."""

    folder: Path
    scale: Scale
    clock: Clock
    seed: int

    def floor_first(self, round_number: int) -> bool:
        """Whether the floor is measured first in this round: whoever comes second finds warmer caches."""
        return (self.seed + round_number) % 2 == 0


Run = Callable[[Trial], Awaitable[list[Figure]]]
