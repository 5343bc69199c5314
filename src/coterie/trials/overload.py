"""`coterie overload`: three times as much as a server can take, offered to a real one by real connections.

First the rate that it sustains is found, then people write at three times that rate, whatever becomes of it:
an open loop. Their outboxes do as those of real clients (trials/talkers.py). Beside them one pair says a
message now and then, and must not notice. In the end all that waited is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec

from coterie.base.clock import Clock
from coterie.client.core.window import MOST
from coterie.trials.citizens import settle
from coterie.trials.lines import open_as
from coterie.trials.overload_result import OverloadResult, Samples, count_by_quota
from coterie.trials.processes import Measured, coterie_server
from coterie.trials.talk import give_keys
from coterie.trials.talkers import Hearer, Speaker, TalkLine

TIMES = 3.0
SUSTAIN_SECONDS = 5.0
SUSTAIN_WINDOW = 4
"""Of each speaker while the sustainable rate is looked for: what a lane holds without being full."""
TICK_SECONDS = 0.01
SAMPLE_SECONDS = 0.25
QUIET_SECONDS = 0.25
DRAIN_TIMES = 6.0
"""What waits in the end may take as long as this many times of the overload."""
DRAIN_LEAST_SECONDS = 60.0
AT_ONCE = 50

Server = Callable[[Path], AbstractAsyncContextManager[Measured]]


class OverloadSettings(msgspec.Struct, frozen=True):
    """clients: pairs of people, each with its own quota of messages. rate: what is taken for sustainable,
    messages a second; 0 to find out."""

    seconds: float
    clients: int
    rate: float = 0.0

    @property
    def sustain_seconds(self) -> float:
        return min(SUSTAIN_SECONDS, self.seconds)


class Overload:
    """One run."""

    def __init__(
        self,
        settings: OverloadSettings,
        clock: Clock,
        tell: Callable[[str], None],
        server: Server = coterie_server,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._server = server
        self._speakers: list[Speaker] = []
        self._hearers: list[Hearer] = []

    async def run(self, folder: Path) -> OverloadResult:
        """folder: empty, for the server's data. Raises Unavailable where it does not answer."""
        async with self._server(folder) as server, self._connected(server):
            rate = self._settings.rate or await self._sustainable()
            self._tell(f"{rate:,.0f} messages/s are sustained; {TIMES:g} times as many are offered")
            before = sum(each.acknowledged for each in self._speakers)
            for each in self._speakers:
                del each.taken_seconds[:]
            samples = Samples(server.memory_bytes())
            async with asyncio.TaskGroup() as tasks:
                sampling = tasks.create_task(self._sample(server, samples))
                await self._flood(rate * TIMES)
                accepted = sum(each.acknowledged for each in self._speakers) - before
                taken = [list(each.taken_seconds) for each in self._speakers]
                by_quota = count_by_quota(self._speakers)
                self._tell(f"{accepted:,} were accepted meanwhile; what waits is waited for")
                drained_seconds = await self._drain()
                sampling.cancel()
        return OverloadResult.of(
            self._settings.seconds,
            rate,
            accepted,
            by_quota,
            drained_seconds,
            samples,
            taken,
            self._speakers,
            self._hearers,
        )

    @asynccontextmanager
    async def _connected(self, server: Measured) -> AsyncIterator[None]:
        """Everybody signed up and connected, and each speaker's key with who hears it."""
        citizens = await settle(server.invite, 2 * (self._settings.clients + 1), self._clock)
        room = asyncio.Semaphore(AT_ONCE)
        lines: list[TalkLine] = []

        async def pair(number: int) -> None:
            citizen, other = citizens[2 * number : 2 * number + 2]
            speaker = Speaker(citizen, other, self._clock)
            hearer = Hearer(speaker.prefix)
            async with room:
                spoken = await open_as(server.invite, TalkLine(speaker))
                await spoken.go_live(citizen.prove(spoken))
                await give_keys(spoken, citizen, speaker.conversation, other.account, (other,))
                heard = await open_as(server.invite, TalkLine(hearer))
                await heard.go_live(other.prove(heard))
            lines.extend((spoken, heard))
            self._speakers.append(speaker)
            self._hearers.append(hearer)
            speaker.connected(spoken)

        async with asyncio.TaskGroup() as tasks:
            for number in range(self._settings.clients + 1):
                tasks.create_task(pair(number))
        self._tell(f"{len(lines)} devices are connected")
        yield
        async with asyncio.TaskGroup() as tasks:
            for line in lines:
                tasks.create_task(line.close())

    async def _sustainable(self) -> float:
        """Messages a second with a few of each speaker under way: a closed loop, which floods nobody."""
        loud, clock = self._speakers[:-1], self._clock
        for each in loud:
            each.most = SUSTAIN_WINDOW
            each.arrive(1 << 40)
        rates = []
        for _ in range(2):
            began, before = clock.monotonic_seconds(), sum(each.acknowledged for each in loud)
            await clock.wait_until(began + self._settings.sustain_seconds)
            taken = sum(each.acknowledged for each in loud) - before
            rates.append(taken / (clock.monotonic_seconds() - began))
        for each in loud:
            each.no_more()
        await self._drain()
        for each in loud:
            each.most = MOST
        return max(rates)

    async def _flood(self, per_second: float) -> None:
        """Messages arrive in outboxes at this rate, one speaker after the other, and now and then one in the
        quiet one's."""
        clock, loud, quiet = self._clock, self._speakers[:-1], self._speakers[-1]
        began = clock.monotonic_seconds()
        given = said = 0
        while (elapsed := clock.monotonic_seconds() - began) < self._settings.seconds:
            due = int(per_second * elapsed)
            each, more = divmod(due - given, len(loud))
            for number, speaker in enumerate(loud):
                # who gets one more of what does not go round moves on with each time
                extra = (number - given) % len(loud) < more
                if each or extra:
                    speaker.arrive(each + extra)
                else:
                    speaker.pump()
            given = due
            if elapsed >= said * QUIET_SECONDS:
                said += 1
                quiet.arrive(1)
            quiet.pump()
            await clock.wait_until(clock.monotonic_seconds() + TICK_SECONDS)

    async def _drain(self) -> float:
        """Until nothing waits in any outbox, or there is no more patience. How long it took."""
        clock = self._clock
        began = clock.monotonic_seconds()
        most = max(DRAIN_LEAST_SECONDS, DRAIN_TIMES * self._settings.seconds)
        while any(each.waits for each in self._speakers) or self._unheard():
            if clock.monotonic_seconds() - began > most:
                break
            for speaker in self._speakers:
                speaker.pump()
            await clock.wait_until(clock.monotonic_seconds() + TICK_SECONDS)
        return clock.monotonic_seconds() - began

    def _unheard(self) -> bool:
        return any(
            hearer.count < speaker.acknowledged
            for speaker, hearer in zip(self._speakers, self._hearers, strict=True)
        )

    async def _sample(self, server: Measured, samples: Samples) -> None:
        while True:
            samples.add(server.memory_bytes())
            await self._clock.wait_until(self._clock.monotonic_seconds() + SAMPLE_SECONDS)
