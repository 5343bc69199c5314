"""What a talk needs of a connection, whichever server it goes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Voice(Protocol):
    """answered(n): so many more of its messages were taken; heard(n): so many more messages have come."""

    answered: Callable[[int], None]
    heard: Callable[[int], None]
    refused: str
    """Why the last message was not taken; empty where all were."""

    def send(self, message: bytes) -> None: ...
