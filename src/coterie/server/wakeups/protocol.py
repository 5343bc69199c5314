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
CHANNELS = 16
"""Topics share so many channels: a server listens to those of the topics that its devices need. Few: what is
told after a batch goes out as one word for each channel, and a topic that a server does not need costs it
less than a word."""
TOPICS_PER_HINT = 400
"""Of one channel, at most: PostgreSQL carries 8000 characters."""

Hint = tuple[int, bytes]
"""Channel, and the topics of it that were told, one behind the other."""


def channel_of(topic: Topic) -> int:
    """0 to CHANNELS - 1."""
    return int.from_bytes(topic[:2], "big") % CHANNELS


class Bus(Protocol):
    """All raise Unavailable where it is not there now; then it is closed and connected anew."""

    async def connect(self, received: Callable[[bytes], None]) -> None:
        """From now on received is called with the topics of each hint that another one told on a channel that
        is listened to. Nothing is, at first."""
        ...

    async def listen(self, channels: Iterable[int]) -> None:
        """On return these are listened to."""
        ...

    async def ignore(self, channels: Iterable[int]) -> None: ...
    async def tell(self, hints: Iterable[Hint]) -> None:
        """Hand them to the bus; nothing says that they arrive. None: only see whether it is there."""
        ...

    async def close(self) -> None:
        """Never raises, and may be called again."""
        ...
