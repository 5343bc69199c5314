"""Raw clients that talk: closed loop (so many in flight) and open loop (so many a second)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import ConversationId
from coterie.trials.citizens import Citizen
from coterie.trials.lines import Line, nothing
from coterie.trials.voice import Voice
from coterie.wire import codec

TALK_SECONDS = 120.0


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
    line: Line, speaker: Citizen, conversation: ConversationId, to: bytes, others: Sequence[Citizen]
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


class Room:
    """Several speakers, one message in flight each, and everybody hears everything."""

    def __init__(self, lines: Sequence[Line], speakers: Sequence[tuple[Line, Sequence[bytes]]]) -> None:
        self._lines = lines
        total = sum(len(messages) for _, messages in speakers)
        self.deliveries = total * len(lines)
        self._unheard = self.deliveries
        self._done = asyncio.Event()
        self._talks = [Talk(speaker, (), messages, 1) for speaker, messages in speakers]

    async def run(self) -> None:
        for line in self._lines:
            line.heard = self._heard
        await talk_all(self._talks)
        async with asyncio.timeout(TALK_SECONDS):
            await self._done.wait()
        for line in self._lines:
            line.heard = nothing

    def _heard(self, count: int) -> None:
        self._unheard -= count
        if self._unheard <= 0:
            self._done.set()


async def open_loop(
    pairs: Sequence[tuple[Voice, Voice, Sequence[bytes]]], per_second: float, clock: Clock
) -> list[float]:
    """Send at a steady rate, one pair after the other, whatever is under way. Seconds from sending a message
    to its arrival, for each."""
    sent: list[deque[float]] = [deque() for _ in pairs]
    taken: list[float] = []
    total = sum(len(messages) for _, _, messages in pairs)
    arrived = asyncio.Event()

    def listen(listener: Voice, times: deque[float]) -> None:
        def heard(count: int) -> None:
            now = clock.monotonic_seconds()
            taken.extend(now - times.popleft() for _ in range(count))
            if len(taken) >= total:
                arrived.set()

        listener.heard = heard

    for (_, listener, _), times in zip(pairs, sent, strict=True):
        listen(listener, times)
    start = clock.monotonic_seconds()
    rounds = max(len(messages) for _, _, messages in pairs)
    number = 0
    for index in range(rounds):
        for (speaker, _, messages), times in zip(pairs, sent, strict=True):
            if index < len(messages):
                await clock.wait_until(start + number / per_second)
                number += 1
                times.append(clock.monotonic_seconds())
                speaker.send(messages[index])
    async with asyncio.timeout(TALK_SECONDS):
        await arrived.wait()
    for _, listener, _ in pairs:
        listener.heard = nothing
    return taken
