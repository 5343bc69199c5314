"""What every cut of the power leaves, gathered while a store goes on writing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from coterie.trials.disk import Cut, TrialDisk

SEEDS = 2
"""Orders in which the sectors of one moment are written."""


class Left(msgspec.Struct, frozen=True):
    """acknowledged: how much was, when the power went."""

    acknowledged: int
    cut: Cut
    files: dict[Path, bytes]

    def lay_out(self, folder: Path) -> None:
        """As files in a folder that is empty."""
        for path, content in self.files.items():
            (folder / path.name).write_bytes(content)


class Cuts:
    """Cuts the power before and after each sync of the disk, and whenever here() is called."""

    def __init__(self, disk: TrialDisk) -> None:
        self._disk = disk
        self.acknowledged = 0
        self.left: list[Left] = []
        disk.at_sync = self.here

    def here(self) -> None:
        """Now: with nothing that was not synced, with all of it, and with some of it."""
        self._keep(Cut.NOTHING_REACHED_IT, 0)
        self._keep(Cut.ALL_DID, 0)
        for seed in range(SEEDS):
            self._keep(Cut.SOME_SECTORS_DID, len(self.left) + seed)

    def _keep(self, cut: Cut, seed: int) -> None:
        self.left.append(Left(self.acknowledged, cut, self._disk.left_by(cut, seed)))

    def laid_out(self, under: Path) -> Iterator[tuple[Left, Path]]:
        """Each different one of them in a folder of its own."""
        seen: set[tuple[int, tuple[tuple[Path, bytes], ...]]] = set()
        for number, left in enumerate(self.left):
            what = (left.acknowledged, tuple(sorted(left.files.items())))
            if what in seen:
                continue
            seen.add(what)
            folder = under / str(number)
            folder.mkdir(parents=True)
            left.lay_out(folder)
            yield left, folder
