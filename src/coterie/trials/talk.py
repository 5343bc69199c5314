"""Raw clients that talk: closed loop (so many in flight) and open loop (so many a second)."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import ConversationId
from coterie.trials.citizens import Citizen
from coterie.trials.subject import End, Pair, Room, nothing
from coterie.trials.voice import Voice
from coterie.wire import codec

TALK_SECONDS = 120.0
AT_ONCE = 50
"""So many shake hands with a server at the same time: a queue of the system holds no more."""

T = TypeVar("T")


class Talk:
    """One speaker's messages to some listeners: how many are under way, and when all have arrived."""

    def __init__(
        self, speaker: Voice, listeners: Sequence[Voice], messages: Sequence[bytes], in_flight: int
    ) -> None:
        self._speaker = speaker
        self._listeners = listeners
        self._messages = deque(messages)
        self._in_flight = in_flight
        self._unanswered = len(messages)
        self._unheard = len(messages) * len(listeners)
        self._done = asyncio.Event()

    def begin(self) -> None:
        """Listeners that several speakers share belong to the last one: see Room."""
        self._speaker.answered = self._answered
        for listener in self._listeners:
            listener.heard = self._heard
        for _ in range(min(self._in_flight, len(self._messages))):
            self._speaker.send(self._messages.popleft())

    async def end(self) -> None:
        """Return when every message is answered and every listener has it."""
        try:
            async with asyncio.timeout(TALK_SECONDS):
                await self._done.wait()
        except TimeoutError:
            raise Unavailable(Code.BUSY, f"a trial stood still ({self._speaker.refused})") from None
        self._speaker.answered = nothing
        for listener in self._listeners:
            listener.heard = nothing

    def _answered(self, count: int) -> None:
        self._unanswered -= count
        for _ in range(min(count, len(self._messages))):
            self._speaker.send(self._messages.popleft())
        self._look()

    def _heard(self, count: int) -> None:
        self._unheard -= count
        self._look()

    def _look(self) -> None:
        if self._unanswered <= 0 and self._unheard <= 0:
            self._done.set()


async def give_keys(
    line: End, speaker: Citizen, conversation: ConversationId, to: bytes, others: Sequence[Citizen]
) -> None:
    """The speaker's session key goes to others, and is on the server's disk on return."""
    frames = [codec.encode(frame) for frame in speaker.keys_for(conversation, to, others)]
    giving = Talk(line, (), frames, 1)
    giving.begin()
    await giving.end()


async def talk_all(talks: Sequence[Talk]) -> None:
    """Begin all, and wait for all."""
    for talk in talks:
        talk.begin()
    for talk in talks:
        await talk.end()


async def some_at_once(waits: Iterable[Awaitable[T]]) -> list[T]:
    """What comes of all of them, in their order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(wait: Awaitable[T]) -> T:
        async with room:
            return await wait

    async with asyncio.TaskGroup() as tasks:
        begun = [tasks.create_task(one(wait)) for wait in waits]
    return [task.result() for task in begun]


async def close_all(ends: Iterable[End]) -> None:
    """All at once."""
    async with asyncio.TaskGroup() as tasks:
        for end in ends:
            tasks.create_task(end.close())


class RoomTalk:
    """Several speakers, one message in flight each, and everybody hears everything."""

    def __init__(self, room: Room, speakers: int, messages: int) -> None:
        self._ends = room.ends
        self.deliveries = speakers * messages * len(room.ends)
        self._unheard = self.deliveries
        self._done = asyncio.Event()
        self._talks = [
            Talk(room.ends[number], (), room.messages(number, messages), 1) for number in range(speakers)
        ]

    async def run(self) -> None:
        for end in self._ends:
            end.heard = self._heard
        await talk_all(self._talks)
        async with asyncio.timeout(TALK_SECONDS):
            await self._done.wait()
        for end in self._ends:
            end.heard = nothing

    def _heard(self, count: int) -> None:
        self._unheard -= count
        if self._unheard <= 0:
            self._done.set()


async def open_loop(
    pairs: Sequence[tuple[Voice, Voice, Sequence[bytes]]], per_second: float, clock: Clock
) -> list[float]:
    """Send at a steady rate, one pair after the other, whatever is under way. Seconds from sending a message
    to its arrival, for each."""
    journeys = [Journeys(speaker, listener, clock) for speaker, listener, _ in pairs]
    start = clock.monotonic_seconds()
    number = 0
    for index in range(max(len(messages) for _, _, messages in pairs)):
        for each, (_, _, messages) in zip(journeys, pairs, strict=True):
            if index < len(messages):
                await clock.wait_until(start + number / per_second)
                number += 1
                each.send(messages[index])
    return await all_arrived(journeys)


async def steady(pairs: Sequence[Pair], per_second: float, clock: Clock, over: asyncio.Event) -> list[float]:
    """The same until it is over, each message made when it is sent."""
    journeys = [Journeys(pair.speaker, pair.listener, clock) for pair in pairs]
    start = clock.monotonic_seconds()
    for number, (pair, each) in enumerate(itertools.cycle(zip(pairs, journeys, strict=True))):
        await clock.wait_until(start + number / per_second)
        if over.is_set():
            return await all_arrived(journeys)
        each.send(pair.messages(1)[0])
    return []


class Journeys:
    """Of one pair: how long each message is on its way. They arrive in order."""

    def __init__(self, speaker: Voice, listener: Voice, clock: Clock) -> None:
        self._speaker = speaker
        self._listener = listener
        self._clock = clock
        self._under_way: deque[float] = deque()
        self._arrived = asyncio.Event()
        self.taken: list[float] = []
        listener.heard = self._heard

    def send(self, message: bytes) -> None:
        self._arrived.clear()
        self._under_way.append(self._clock.monotonic_seconds())
        self._speaker.send(message)

    async def all_arrived(self) -> None:
        """Nobody listens any more afterwards."""
        if self._under_way:
            await self._arrived.wait()
        self._listener.heard = nothing

    def _heard(self, count: int) -> None:
        now = self._clock.monotonic_seconds()
        self.taken += [now - self._under_way.popleft() for _ in range(count)]
        if not self._under_way:
            self._arrived.set()


async def all_arrived(journeys: Sequence[Journeys]) -> list[float]:
    """How long each message took, of all pairs."""
    try:
        async with asyncio.timeout(TALK_SECONDS):
            for each in journeys:
                await each.all_arrived()
    except TimeoutError:
        raise Unavailable(Code.BUSY, "messages of an open loop did not arrive") from None
    return [seconds for each in journeys for seconds in each.taken]
