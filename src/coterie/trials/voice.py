"""What a talk needs of a connection, whichever server it goes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


def not_denied(_code: str, _wait_ms: int) -> None:
    """Nobody wants to know."""


class Voice(Protocol):
    """answered(n): so many more of its messages were taken; heard(n): so many more messages have come;
    denied(code, wait_ms): one was not taken, and may be said again after so long, where it may."""

    answered: Callable[[int], None]
    heard: Callable[[int], None]
    denied: Callable[[str, int], None]
    refused: str
    """Why the last message was not taken; empty where all were."""

    def send(self, message: bytes) -> None: ...
