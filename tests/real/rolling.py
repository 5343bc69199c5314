"""Raw clients that know two servers of one database, and go to the other one where their connection ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.errors import CoterieError
from coterie.base.invite import Invite
from coterie.trials.citizens import Citizen, settle
from coterie.trials.lines import open_as, open_line
from coterie.trials.talk import give_keys
from coterie.trials.talkers import Hearer, Speaker, TalkLine

TICK_SECONDS = 0.01
CLOCK = SystemClock()


class Wanderer:
    """One device. It tries one place after the other, with the first pause of a real client between."""

    def __init__(self, citizen: Citizen, talker: Speaker | Hearer, places: Sequence[Invite]) -> None:
        self._citizen = citizen
        self._talker = talker
        self._places = places
        self.connections = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        at = 0
        while True:
            with suppress(CoterieError, OSError, TimeoutError):
                await self._visit(self._places[at % len(self._places)])
            at += 1
            pause = limits.BACKOFF_FIRST_SECONDS * secrets.randbelow(1000) / 1000
            await CLOCK.wait_until(CLOCK.monotonic_seconds() + pause)

    async def _visit(self, place: Invite) -> None:
        """One connection, to its end."""
        line = await open_as(place, TalkLine(self._talker))
        ended = asyncio.Event()
        line.ended = ended.set
        try:
            await line.go_live(self._citizen.prove(line))
            if line.is_gone:
                return
            self.connections += 1
            self._talker.connected(line)
            await ended.wait()
        finally:
            self._talker.disconnected()
            await line.close()


class Crowd:
    """Pairs of which one speaks, at either server."""

    def __init__(self, pairs: Sequence[tuple[Speaker, Hearer]], devices: Sequence[Wanderer]) -> None:
        self.speakers = [speaker for speaker, _ in pairs]
        self.hearers = [hearer for _, hearer in pairs]
        self.devices = devices

    async def speak(self, per_second: float, done: asyncio.Event) -> None:
        """One after the other, whatever becomes of it."""
        began, said = CLOCK.monotonic_seconds(), 0
        while not done.is_set():
            while said < per_second * (CLOCK.monotonic_seconds() - began):
                self.speakers[said % len(self.speakers)].arrive(1)
                said += 1
            await self._tick()

    async def drain(self, seconds: float) -> None:
        """Until all is acknowledged and heard."""
        async with asyncio.timeout(seconds):
            while any(
                speaker.waits or hearer.count < speaker.acknowledged
                for speaker, hearer in zip(self.speakers, self.hearers, strict=True)
            ):
                await self._tick()

    async def _tick(self) -> None:
        for speaker in self.speakers:
            speaker.pump()
        await CLOCK.wait_until(CLOCK.monotonic_seconds() + TICK_SECONDS)


@asynccontextmanager
async def crowd(places: Sequence[Invite], pairs: int) -> AsyncIterator[Crowd]:
    """Signed up, with keys given, and connected: every second speaker at the second place."""
    citizens = await settle(places[0], 2 * pairs, CLOCK)
    made: list[tuple[Speaker, Hearer]] = []
    devices: list[Wanderer] = []
    for number, (citizen, other) in enumerate(zip(citizens[::2], citizens[1::2], strict=True)):
        speaker = Speaker(citizen, other, CLOCK)
        line = await open_line(places[0])
        await line.go_live(citizen.prove(line))
        await give_keys(line, citizen, speaker.conversation, other.account, (other,))
        await line.close()
        made.append((speaker, Hearer(speaker.prefix)))
        here = [places[(number + at) % len(places)] for at in range(len(places))]
        devices.append(Wanderer(citizen, made[-1][0], here))
        devices.append(Wanderer(other, made[-1][1], here[::-1]))
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(device.run()) for device in devices]
        yield Crowd(made, devices)
        for task in running:
            task.cancel()
