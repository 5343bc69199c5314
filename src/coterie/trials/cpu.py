"""What a stretch of work has cost a subject, and all that works for it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from coterie.trials.subject import Subject


class Spent(msgspec.Struct, frozen=True):
    """Microseconds of CPU for one of what was counted."""

    own: float
    beside: Mapping[str, float]


class Meter:
    """Runs from when it is made."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._own = subject.cpu_seconds()
        self._beside = subject.beside()

    def spent(self, count: float) -> Spent:
        """Since it was made, for each of so many."""
        own = (self._subject.cpu_seconds() - self._own) * 1e6 / count
        beside = {
            name: (now - self._beside[name]) * 1e6 / count for name, now in self._subject.beside().items()
        }
        return Spent(own, beside)
