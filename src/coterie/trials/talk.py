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
from coterie.trials.voice import Voice, not_denied
from coterie.wire import codec

TALK_SECONDS = 120.0
AGAIN = frozenset({Code.BUSY.value, Code.OUT_OF_ORDER.value, Code.DISK.value})
"""Refusals after which the same may be said again."""
AGAIN_MS = 1000
AT_ONCE = 50
"""So many shake hands with a server at the same time: a queue of the system holds no more."""

T = TypeVar("T")


class Talk:
    """One speaker's messages to some listeners: how many are under way, and when all have arrived.

    A server that has too much to do says `busy`, and then refuses what followed, as it comes out of order: it
    all goes out once more, after the time that the server has said. So what was taken is always the first of
    what was under way."""

    def __init__(
        self, speaker: Voice, listeners: Sequence[Voice], messages: Sequence[bytes], in_flight: int
    ) -> None:
        self._speaker = speaker
        self._listeners = listeners
        self._messages = deque(messages)
        self._in_flight = in_flight
        self._under_way: deque[bytes] = deque()
        self._refused = 0
        """Of what is under way."""
        self._wait_ms = 0
        """Until it may go out again."""
        self._unheard = len(messages) * len(listeners)
        self._done = asyncio.Event()

    def begin(self) -> None:
        """Listeners that several speakers share belong to the last one: see Room."""
        self._speaker.answered = self._answered
        self._speaker.denied = self._denied
        for listener in self._listeners:
            listener.heard = self._heard
        self._send_more()

    async def end(self) -> None:
        """Return when every message is answered and every listener has it."""
        try:
            async with asyncio.timeout(TALK_SECONDS):
                await self._done.wait()
        except TimeoutError:
            raise Unavailable(Code.BUSY, f"a trial stood still ({self._speaker.refused})") from None
        self._speaker.answered = nothing
        self._speaker.denied = not_denied
        for listener in self._listeners:
            listener.heard = nothing

    def _send_more(self) -> None:
        while self._messages and len(self._under_way) < self._in_flight:
            self._under_way.append(self._messages.popleft())
            self._speaker.send(self._under_way[-1])

    def _answered(self, count: int) -> None:
        for _ in range(count):
            self._under_way.popleft()
        self._go_on()

    def _denied(self, code: str, wait_ms: int) -> None:
        """One that time does not mend stays refused, and the trial stands still."""
        if code in AGAIN:
            self._refused += 1
            self._wait_ms = max(self._wait_ms, wait_ms)
            self._go_on()

    def _go_on(self) -> None:
        """While anything is refused nothing new goes out; once all the others are answered it goes again."""
        if not self._refused:
            self._send_more()
        elif self._refused == len(self._under_way):
            asyncio.get_running_loop().call_later(max(AGAIN_MS, self._wait_ms) / 1000, self._once_more)
        self._look()

    def _once_more(self) -> None:
        self._messages.extendleft(reversed(self._under_way))
        self._under_way.clear()
        self._refused = self._wait_ms = 0
        self._send_more()

    def _heard(self, count: int) -> None:
        self._unheard -= count
        self._look()

    def _look(self) -> None:
        if not self._messages and not self._under_way and self._unheard <= 0:
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
