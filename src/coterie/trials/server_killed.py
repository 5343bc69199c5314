"""kill -9 of all server processes under load: is everything there that was acknowledged?

Half of those who are spoken to are away meanwhile, so that what they get afterwards comes from what was kept.
Who spoke sends again what had no answer, as a client does. Then the other one says something, too: what
stands before that in the log has been given to it by then, and what has not is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import log_of
from coterie.trials.citizens import message_of
from coterie.trials.coterie_site import Coterie, CoteriePair, CoterieSite
from coterie.trials.figures import Figure, Target
from coterie.trials.lines import Line
from coterie.trials.sheets import Sheet
from coterie.trials.sites import ALL, coterie_sites
from coterie.trials.talk import close_all
from coterie.trials.trial import Trial

IN_FLIGHT = 4
WAIT_SECONDS = 60.0
KILLED_AFTER = 1 / 3
"""Of all messages acknowledged: the others are still to come, or under way."""
NONE = {name: (Target(0.0),) for name in ALL}


def nothing_lost(site: CoterieSite) -> None:
    """Between death and the next start; the tests take something away here."""
    del site


class Count(msgspec.Struct, frozen=True):
    """Of messages. twice: more than one entry stood in the log for it."""

    acknowledged: int
    lost: int
    twice: int


async def run(trial: Trial) -> list[Figure]:
    """Each round on the same data."""
    acknowledged = Sheet("killed.acknowledged", "acknowledged when kill -9 came, under load", "messages")
    lost = Sheet("killed.lost", "of these not there after the next start", "messages", NONE)
    twice = Sheet("killed.twice", "there twice, as they were sent again", "messages", NONE)
    async with coterie_sites(trial) as sites:
        for number in range(trial.scale.rounds):
            for site in trial.in_turn(number, sites):
                count = await killed(trial, site)
                acknowledged.add(site.name, count.acknowledged)
                lost.add(site.name, count.lost)
                twice.add(site.name, count.twice)
    return [figure for sheet in (acknowledged, lost, twice) for figure in sheet.figures()]


async def killed(
    trial: Trial, site: CoterieSite, meanwhile: Callable[[CoterieSite], None] = nothing_lost
) -> Count:
    """One death and one start."""
    pairs, messages = trial.scale.killed_pairs, trial.scale.killed_messages
    async with site.running() as server:
        await server.settle(2 * pairs)
        speeches = [await _begun(server, number, messages) for number in range(pairs)]
        enough = Enough(round(KILLED_AFTER * pairs * messages))
        for speech in speeches:
            speech.begin(enough.more)
        await enough.wait()
        await server.kill()
        await close_all([end for speech in speeches for end in speech.ends])
    meanwhile(site)
    async with site.running() as server, asyncio.TaskGroup() as tasks:
        for number, speech in enumerate(speeches):
            tasks.create_task(speech.go_on(server, number))
    return Count(
        sum(len(speech.acknowledged) for speech in speeches),
        sum(len(speech.lost()) for speech in speeches),
        sum(speech.twice() for speech in speeches),
    )


class Enough:
    """Waits until so many were counted."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._reached = asyncio.Event()
        self.more(0)

    def more(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self._reached.set()

    async def wait(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._reached.wait()
        except TimeoutError:
            raise Unavailable(Code.BUSY, f"{self._left} answers did not come") from None


class Speech:
    """What one says to the other, before death and after it."""

    def __init__(self, pair: CoteriePair, messages: int, *, away: bool) -> None:
        self._pair = pair
        self._to_say = messages
        self._under_way: deque[bytes] = deque()
        self.acknowledged: list[bytes] = []
        self._heard: list[bytes] = []
        self.ends: list[Line] = [pair.speaker] if away else [pair.speaker, pair.listener]
        pair.listener.messages = self._heard

    def begin(self, acknowledged: Callable[[int], None]) -> None:
        def answered(count: int) -> None:
            for _ in range(count):
                self.acknowledged.append(message_of(self._under_way.popleft()))
                self._say_next()
            acknowledged(count)

        self._pair.speaker.answered = answered
        for _ in range(IN_FLIGHT):
            self._say_next()

    def _say_next(self) -> None:
        if self._to_say:
            self._to_say -= 1
            (message,) = self._pair.messages(1)
            self._under_way.append(message)
            self._pair.speaker.send(message)

    async def go_on(self, server: Coterie, number: int) -> None:
        """Say again what had no answer, whatever becomes of it; then get all there is."""
        speaker = await server.connect(2 * number)
        answers = Enough(len(self._under_way))
        speaker.answered = answers.more
        speaker.denied = lambda _code, _wait_ms: answers.more(1)
        for message in self._under_way:
            speaker.send(message)
        await answers.wait()
        answer = self._pair.answer()
        own, come = {b"", message_of(answer)}, asyncio.Event()

        def heard(count: int) -> None:
            if not own.isdisjoint(self._heard[-count:]):
                come.set()

        listener = await server.connect(2 * number + 1, heard, self._heard)
        listener.log = speaker.log = log_of(self._pair.conversation)
        listener.send(answer)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await come.wait()
        except TimeoutError:
            raise Unavailable(Code.BUSY, f"the last message did not come ({listener.refused})") from None
        await close_all([listener, speaker])

    def lost(self) -> set[bytes]:
        return set(self.acknowledged) - set(self._heard)

    def twice(self) -> int:
        """What one has not acknowledged comes again with the next connection, so only of who was away."""
        if len(self.ends) > 1:
            return 0
        return sum(count - 1 for message, count in Counter(self._heard).items() if message)


async def _begun(server: Coterie, number: int, messages: int) -> Speech:
    """Every other one who is spoken to is away."""
    pair = await server.pair(2 * number, 2 * number + 1)
    await server.give_keys(pair.listener, 2 * number + 1, 2 * number)
    away = number % 2 == 0
    if away:
        await pair.listener.close()
    return Speech(pair, messages, away=away)
