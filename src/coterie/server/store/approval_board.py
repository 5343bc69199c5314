"""Where requests to join wait and what their two sides say to each other, for as long as that takes.

One contract suite runs on every implementation: the memory of the only server, or tables of the database
that several share, which are not logged: no copy, no standby and no crash keeps them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from coterie.base import limits
from coterie.base.ids import UserName


class Asked(msgspec.Struct, frozen=True):
    """A request that nobody has answered. number: grows with each."""

    number: int
    name: UserName
    rendezvous: bytes


class Word(msgspec.Struct, frozen=True):
    """What one side of a request said to the other."""

    number: int
    to_newcomer: bool
    message: bytes


class News(msgspec.Struct, frozen=True):
    """words: in order, told once. over: requests of which the other side is gone, or that had to make room;
    what was said before that is among the words."""

    words: tuple[Word, ...] = ()
    over: frozenset[int] = frozenset()


class Board(Protocol):
    """All raise Unavailable(disk) where it cannot be used now."""

    async def ask(self, name: UserName, rendezvous: bytes, request: bytes) -> int:
        """Its number. A request with the same rendezvous is over; where too many wait, so is the oldest that
        nobody has answered."""
        ...

    async def waiting(self, names: Collection[UserName], after: int) -> list[Asked]:
        """Of these names, with higher numbers, that nobody has answered: oldest first."""
        ...

    async def requests(self, numbers: Collection[int]) -> dict[int, bytes]:
        """What they say, as far as they are there still."""
        ...

    async def answer(self, number: int) -> bool:
        """Be its other side; False where there is one, or it is over."""
        ...

    async def say(self, number: int, message: bytes, *, to_newcomer: bool) -> bool:
        """To the other side; False where there is none."""
        ...

    async def news(self, newcomers: Collection[int], devices: Collection[int]) -> News:
        """For the sides that are connected here: of which requests the newcomers, and the devices."""
        ...

    async def leave(self, number: int, *, newcomer: bool) -> None:
        """This side has nothing more to say, and hears no more: it is over for the other one."""
        ...


class _Waiting:
    __slots__ = ("answered", "asked", "over", "request", "there", "words")

    def __init__(self, asked: Asked, request: bytes) -> None:
        self.asked = asked
        self.request = request
        self.answered = False
        self.over = False
        self.there = 1
        """How many sides have not left."""
        self.words: list[Word] = []


class MemoryBoard:
    """Implements Board, for a server that is the only one of its data."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._last = 0

    async def ask(self, name: UserName, rendezvous: bytes, request: bytes) -> int:
        there = [each for each in self._waiting.values() if not each.over]
        for each in there:
            each.over |= each.asked.rendezvous == rendezvous
        there = [each for each in there if not each.over]
        if len(there) >= limits.APPROVALS_WAITING:
            next((each for each in there if not each.answered), there[0]).over = True
        self._last += 1
        self._waiting[self._last] = _Waiting(Asked(self._last, name, rendezvous), request)
        return self._last

    async def waiting(self, names: Collection[UserName], after: int) -> list[Asked]:
        there = [each for each in self._waiting.values() if not (each.over or each.answered)]
        return [each.asked for each in there if each.asked.number > after and each.asked.name in names]

    async def requests(self, numbers: Collection[int]) -> dict[int, bytes]:
        return {number: self._waiting[number].request for number in numbers if number in self._waiting}

    async def answer(self, number: int) -> bool:
        waiting = self._waiting.get(number)
        if waiting is None or waiting.over or waiting.answered:
            return False
        waiting.answered = True
        waiting.there += 1
        return True

    async def say(self, number: int, message: bytes, *, to_newcomer: bool) -> bool:
        waiting = self._waiting.get(number)
        if waiting is None or waiting.over or not waiting.answered:
            return False
        waiting.words.append(Word(number, to_newcomer, message))
        return True

    async def news(self, newcomers: Collection[int], devices: Collection[int]) -> News:
        words: list[Word] = []
        over: set[int] = set()
        for number in {*newcomers, *devices}:
            waiting = self._waiting.get(number)
            if waiting is None:
                over.add(number)
                continue
            told = [each for each in waiting.words if number in (newcomers if each.to_newcomer else devices)]
            waiting.words = [each for each in waiting.words if each not in told]
            words += told
            if waiting.over:
                over.add(number)
        return News(tuple(words), frozenset(over))

    async def leave(self, number: int, *, newcomer: bool) -> None:  # noqa: ARG002 - either side counts alike
        waiting = self._waiting.get(number)
        if waiting is None:
            return
        waiting.over = True
        waiting.there -= 1
        if not waiting.there:
            del self._waiting[number]
