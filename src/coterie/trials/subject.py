"""What a shape of load needs of what it measures: that it can be started, spoken to, and asked for its CPU.

A shape (server_*.py) knows these alone. Whoever wants another server measured in the same rounds writes a
Site for it, and gives it to sites.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol


def nothing(_count: int) -> None:
    """Nobody wants to know."""


class End(Protocol):
    """A connection of the load. answered(n): so many more of its messages are safe at the server; heard(n):
    so many more messages have arrived here; denied(code, wait_ms): one was not taken. Answers come in the
    order in which the messages were sent."""

    answered: Callable[[int], None]
    heard: Callable[[int], None]
    denied: Callable[[str, int], None]
    refused: str
    """Why the last message was not taken; empty where all were."""

    def send(self, message: bytes) -> None:
        """A message that was made beforehand (messages())."""

    def ping(self) -> None: ...

    async def close(self) -> None:
        """Return when it is closed."""


class Pair(Protocol):
    """Two people, and both are connected: the first one speaks to the other."""

    @property
    def speaker(self) -> End: ...

    @property
    def listener(self) -> End: ...

    def messages(self, count: int) -> list[bytes]:
        """The next ones, ready to be sent by the speaker in this order. 600 bytes of text in each."""


class Room(Protocol):
    """Everybody is connected and hears each message; who speaks hears it by the answer, or by a copy."""

    @property
    def ends(self) -> Sequence[End]: ...

    def messages(self, speaker: int, count: int) -> list[bytes]:
        """The next ones of that end."""


class Subject(Protocol):
    """A server that runs, as one or several processes, with whatever it needs beside it."""

    def cpu_seconds(self) -> float:
        """What its own processes have used since they started."""

    def beside(self) -> Mapping[str, float]:
        """The same of what works for it: `database`, `bus`. Empty where there is nothing."""

    def memory_bytes(self) -> int:
        """What its own processes hold."""

    async def settle(self, count: int) -> None:
        """At least so many people have accounts. The site keeps them; they are numbered from 0."""

    async def connect(self, person: int, heard: Callable[[int], None] = nothing) -> End:
        """That person signs in, is live, and gets what has waited."""

    async def pair(self, one: int, other: int) -> Pair:
        """Connect both; whatever has to come before a message of one to the other was done."""

    async def room(self, size: int, speakers: int) -> Room:
        """All people of the site, who are so many, in one room; the first ones may speak."""

    async def kill(self) -> None:
        """kill -9 of its own processes, and not of what is beside it."""


class Site(Protocol):
    """Where a subject keeps its data: it may be started there once more."""

    @property
    def name(self) -> str:
        """With which its figures begin: server, postgres, cluster, floor, or the name of a program."""

    def running(self) -> AbstractAsyncContextManager[Subject]:
        """Started, and stopped at the end of the block."""
