"""A coterie under load: one process on its file or a PostgreSQL, or several on one PostgreSQL and a NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from coterie.base.clock import Clock
from coterie.base.conversations import everyone_id
from coterie.base.ids import ConversationId, log_of
from coterie.trials.citizens import Citizen, settle
from coterie.trials.lines import Line, open_line
from coterie.trials.machine import cpu_seconds_of_tree
from coterie.trials.processes import Measured, coterie_server
from coterie.trials.subject import nothing
from coterie.trials.talk import give_keys


class CoteriePair:
    """Whose conversation is the one of these two alone."""

    def __init__(self, speaker: tuple[Citizen, Line], listener: tuple[Citizen, Line]) -> None:
        self._one, self.speaker = speaker
        self._other, self.listener = listener
        self.conversation = self._one.direct_with(self._other)

    def messages(self, count: int) -> list[bytes]:
        return self._one.messages(self.conversation, self._other.account, count)

    def answer(self) -> bytes:
        """A message of the other one, who needs to have given keys (Coterie.give_keys())."""
        return self._other.messages(self.conversation, self._one.account, 1)[0]


class CoterieRoom:
    """The one that everybody is in."""

    def __init__(self, conversation: ConversationId, citizens: Sequence[Citizen], ends: list[Line]) -> None:
        self._conversation = conversation
        self._citizens = citizens
        self.ends = ends

    def messages(self, speaker: int, count: int) -> list[bytes]:
        return self._citizens[speaker].messages(self._conversation, b"", count)


class Coterie:
    """processes: each with a port of its own."""

    def __init__(self, site: CoterieSite, processes: Sequence[Measured]) -> None:
        self._site = site
        self.processes = processes

    def cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in self.processes)

    def beside(self) -> Mapping[str, float]:
        return {name: cpu_seconds_of_tree(pid) for name, pid in self._site.works.items()}

    def memory_bytes(self) -> int:
        return sum(process.memory_bytes() for process in self.processes)

    async def settle(self, count: int) -> None:
        citizens = self._site.citizens
        missing = count - len(citizens)
        if missing > 0:
            invite = self.processes[0].invite
            citizens += await settle(invite, missing, self._site.clock, first=len(citizens))

    async def connect(
        self, person: int, heard: Callable[[int], None] = nothing, messages: list[bytes] | None = None
    ) -> Line:
        """At the process that the number gives: pairs of neighbours stand in all ways at two of them.
        messages: gets the ids of what comes."""
        line = await open_line(self._process_of(person).invite)
        line.heard, line.messages = heard, messages
        await line.go_live(self._site.citizens[person].prove(line))
        return line

    async def pair(self, one: int, other: int) -> CoteriePair:
        """The keys are given once: the server keeps them."""
        speaker, listener = self._site.citizens[one], self._site.citizens[other]
        lines = await self.connect(one), await self.connect(other)
        pair = CoteriePair((speaker, lines[0]), (listener, lines[1]))
        lines[0].log = log_of(pair.conversation)
        await self.give_keys(lines[0], one, other)
        return pair

    async def give_keys(self, line: Line, one: int, other: int) -> None:
        """The first one is connected by this line, and says to the other what opens its messages."""
        if (one, other) in self._site.have_keys:
            return
        speaker, listener = self._site.citizens[one], self._site.citizens[other]
        conversation = speaker.direct_with(listener)
        await give_keys(line, speaker, conversation, listener.account, (listener,))
        self._site.have_keys.add((one, other))

    async def room(self, size: int, speakers: int) -> CoterieRoom:
        """Each speaker's keys go to all who are there by now."""
        citizens = self._site.citizens
        assert size == len(citizens), "everybody is in everyone"
        ends = [await self.connect(number) for number in range(size)]
        conversation = everyone_id(ends[0].statement.founding_ledger)
        for line in ends:
            line.log = log_of(conversation)
        for line, citizen in zip(ends[:speakers], citizens[:speakers], strict=True):
            others = [other for other in citizens if other is not citizen]
            await give_keys(line, citizen, conversation, b"", others)
        return CoterieRoom(conversation, citizens, ends)

    async def kill(self) -> None:
        for process in self.processes:
            await process.kill()

    def _process_of(self, person: int) -> Measured:
        count = len(self.processes)
        pair, is_listener = divmod(person, 2)
        return self.processes[(pair // count if is_listener else pair) % count]


class CoterieSite:
    """folder: with one for each process. database: the address of its PostgreSQL, if any. words: what
    `coterie serve` gets besides. works: process ids of what works for it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        clock: Clock,
        *,
        processes: int = 1,
        database: str = "",
        words: Sequence[str] = (),
        works: Mapping[str, int] | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.works = works or {}
        self.citizens: list[Citizen] = []
        self.have_keys: set[tuple[int, int]] = set()
        self.folders = [folder / str(number) for number in range(processes)]
        self.database = database
        self.words = ("--database", database, *words) if database else tuple(words)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Coterie]:
        async with AsyncExitStack() as stack:
            yield Coterie(
                self,
                [
                    await stack.enter_async_context(coterie_server(folder, *self.words))
                    for folder in self.folders
                ],
            )
