"""The floor (trials/floor.py) under the same load: nobody signs in, and nothing of a message is looked at."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from coterie.trials.citizens import encoded_message
from coterie.trials.lines import open_floor_line
from coterie.trials.processes import Measured, floor_server
from coterie.trials.sheets import FLOOR
from coterie.trials.subject import End, nothing

_requests = itertools.count(10)


def _messages(count: int) -> list[bytes]:
    """As long as real ones."""
    conversation, session = secrets.token_bytes(17), secrets.token_bytes(32)
    return [
        encoded_message(
            next(_requests), conversation, conversation[:16] * 2, session, secrets.token_bytes(16), bytes(16)
        )
        for _ in range(count)
    ]


class _Pair:
    def __init__(self, speaker: End, listener: End) -> None:
        self.speaker = speaker
        self.listener = listener

    def messages(self, count: int) -> list[bytes]:
        return _messages(count)


class _Room:
    def __init__(self, ends: Sequence[End]) -> None:
        self.ends = ends

    def messages(self, speaker: int, count: int) -> list[bytes]:
        del speaker
        return _messages(count)


class _Floor:
    def __init__(self, process: Measured) -> None:
        self._process = process
        self._rooms = itertools.count()

    def cpu_seconds(self) -> float:
        return self._process.cpu_seconds()

    def beside(self) -> Mapping[str, float]:
        return {}

    def memory_bytes(self) -> int:
        return self._process.memory_bytes()

    async def settle(self, count: int) -> None:
        """It knows nobody."""

    async def connect(self, person: int, heard: Callable[[int], None] = nothing) -> End:
        """It keeps nothing for who is away."""
        del person
        end = await open_floor_line(self._process.invite, "idle", "hear")
        end.heard = heard
        return end

    async def pair(self, one: int, other: int) -> _Pair:
        del one, other
        room, invite = f"pair{next(self._rooms)}", self._process.invite
        return _Pair(await open_floor_line(invite, room, "say"), await open_floor_line(invite, room, "hear"))

    async def room(self, size: int, speakers: int) -> _Room:
        del speakers
        room = f"room{next(self._rooms)}"
        return _Room([await open_floor_line(self._process.invite, room, "hear") for _ in range(size)])

    async def kill(self) -> None:
        await self._process.kill()


class FloorSite:
    name = FLOOR

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = itertools.count()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[_Floor]:
        """On an empty file each time."""
        async with floor_server(self._folder / str(next(self._starts))) as process:
            yield _Floor(process)
