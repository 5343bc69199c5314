"""What carries wake-ups between the servers of one database. One contract suite runs on every
implementation.

A wake-up is a hint that something has changed, and never says what: who hears of it reads the database. It
may be lost, come twice or come late (docs/decisions/0049-several-servers-on-one-database.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NewType, Protocol

Topic = NewType("Topic", bytes)
"""TOPIC_BYTES: a keyed hash of what may change, so that who carries hints learns no ids."""
TOPIC_BYTES = 8
TOPICS_PER_HINT = 400
"""At most: PostgreSQL carries 8000 characters."""

Hint = bytes
"""The topics that were told, one behind the other. Every server gets all of them: one that it does not need
costs it a look into a set, and a word of its own costs everybody a hundred times as much (decision 64)."""


class Bus(Protocol):
    """All raise Unavailable where it is not there now; then it is closed and connected anew."""

    async def connect(self, received: Callable[[Hint], None]) -> None:
        """On return, received is called with each hint that another one tells."""
        ...

    async def tell(self, hints: Iterable[Hint]) -> None:
        """Hand them to the bus; nothing says that they arrive."""
        ...

    async def look(self) -> None:
        """Whether it is there. On return, all that was told before has been handed to it."""
        ...

    async def close(self) -> None:
        """Never raises, and may be called again."""
        ...
