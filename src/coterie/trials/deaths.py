"""A process of a trial that dies at the worst moment, by its own hand and without a word.

The director asks for it by a signal; the next commit of any of the process's databases is the moment. A plain
kill -9 from outside hits that window too rarely.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Awaitable
from enum import StrEnum
from types import FrameType
from typing import Any

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

    async def committed(self, committing: Awaitable[str]) -> str:
        """What the database answers; its question has been sent when this gives way for the first time."""
        asked = self.asked
        if asked is not None and asked == signal_of(Death.IN_COMMIT):
            threading.Thread(target=_die_soon, daemon=True).start()
        said = await committing
        if asked is not None and asked == signal_of(Death.AFTER_COMMIT):
            threading.Thread(target=_die_soon, daemon=True).start()
        return said


def die_when_told(*, in_postgres: bool = False) -> None:
    """From now on the two signals mean death; every database opened later is watched, and every PostgreSQL
    where commits are made there."""
    death = _Death()
    for each in (Death.IN_COMMIT, Death.AFTER_COMMIT):
        number = signal_of(each)
        if number is not None:
            signal.signal(number, death.ask)
    apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(death.committing))
    if in_postgres:
        _watch_postgres(death)


def _watch_postgres(death: _Death) -> None:
    import asyncpg

    plain = asyncpg.Connection.execute

    async def execute(
        connection: asyncpg.Connection, query: str, *arguments: Any, timeout: float | None = None
    ) -> str:
        committing: Awaitable[str] = plain(connection, query, *arguments, timeout=timeout)
        return await (death.committed(committing) if query.endswith("COMMIT") else committing)

    asyncpg.Connection.execute = execute


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_soon() -> None:
    threading.Event().wait(AFTER_SECONDS)
    _die()
