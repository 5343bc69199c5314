"""What the system says of the threads of a process: how long they ran, and how long they were ready to run
while other programs had the processors. A person with a busy machine waits for those, too, but it says
nothing about the window.

Linux alone tells it; elsewhere all is 0.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

READ_BYTES: Final = 100
NANOSECONDS: Final = 1_000_000
"""In a millisecond."""


class Threads:
    """The threads that a process has when this is made. Times are milliseconds."""

    def __init__(self, process: int | None = None) -> None:
        tasks = Path("/proc") / ("self" if process is None else str(process)) / "task"
        paths = [task / "schedstat" for task in tasks.iterdir()] if tasks.exists() else []
        self._files = [os.open(path, os.O_RDONLY) for path in paths if path.exists()]
        self._before = self._waited()

    @property
    def told(self) -> bool:
        """Whether the system says anything."""
        return bool(self._files)

    def waited(self) -> float:
        """Since it was made, or asked last: of the thread that waited most (a sum would count twice)."""
        now, before = self._waited(), self._before
        self._before = now
        return max((new - old for new, old in zip(now, before, strict=True)), default=0.0)

    def ran(self) -> float:
        """Of all threads, since they began."""
        return sum(_numbers(file)[0] for file in self._files)

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files, self._before = [], []

    def _waited(self) -> list[float]:
        return [_numbers(file)[1] for file in self._files]


def waited_from_the_start() -> float:
    """Of the first thread, since the process began."""
    path = Path("/proc/self/schedstat")
    return int(path.read_bytes().split()[1]) / NANOSECONDS if path.exists() else 0.0


def _numbers(file: int) -> tuple[float, float]:
    """Ran and waited; 0 of a thread that has ended."""
    try:
        ran, waited, _ = os.pread(file, READ_BYTES, 0).split()
    except ProcessLookupError:
        return 0.0, 0.0
    return int(ran) / NANOSECONDS, int(waited) / NANOSECONDS
