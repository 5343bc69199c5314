"""A process of a trial that dies at the worst moment, by its own hand and without a word.

The director asks for it by a signal; the next commit of any of the process's databases is the moment. A plain
kill -9 from outside hits that window too rarely.
"""

from __future__ import annotations

import os
import signal
import threading
from enum import StrEnum
from types import FrameType

import apsw

AFTER_SECONDS = 0.002


class Death(StrEnum):
    """When a process that is killed dies. The last two by its own hand, as by kill -9."""

    ANYWHERE = "anywhere"
    IN_COMMIT = "in-commit"
    """Inside its next commit, before that is written."""
    AFTER_COMMIT = "after-commit"
    """A moment after its next commit."""


def signal_of(death: Death) -> int | None:
    """By which a process is told; None: it is killed from outside, as everywhere without such signals."""
    names = {Death.IN_COMMIT: "SIGUSR1", Death.AFTER_COMMIT: "SIGUSR2"}
    return getattr(signal, names.get(death, ""), None)


class _Death:
    """What was asked for."""

    def __init__(self) -> None:
        self.asked: int | None = None

    def ask(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.asked = number

    def committing(self) -> bool:
        """Called by every commit; False lets it go on."""
        if self.asked is None:
            return False
        if self.asked == signal_of(Death.IN_COMMIT):
            _die()
        if self.asked == signal_of(Death.AFTER_COMMIT):
            threading.Thread(target=_die_soon, daemon=True).start()
        return False


def die_when_told() -> None:
    """From now on the two signals mean death; every database opened later is watched."""
    death = _Death()
    for each in (Death.IN_COMMIT, Death.AFTER_COMMIT):
        number = signal_of(each)
        if number is not None:
            signal.signal(number, death.ask)
    apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(death.committing))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_soon() -> None:
    threading.Event().wait(AFTER_SECONDS)
    _die()
