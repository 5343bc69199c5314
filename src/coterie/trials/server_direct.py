"""What one message between two people costs the server: pre-sealed, one way, beside the floor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from coterie.base.ids import log_of
from coterie.trials.citizens import Citizen, settle
from coterie.trials.figures import Figure, Target
from coterie.trials.lines import Line, open_floor_line, open_line
from coterie.trials.processes import Measured, coterie_server, floor_server
from coterie.trials.talk import Talk, give_keys, open_loop, talk_all
from coterie.trials.trial import Trial

CPU_TARGETS = (Target(90.0), Target(2.0, of_floor=True))
OPEN_LOOP_PER_SECOND = 200.0


class Pair:
    """Two people, both connected to the server and to the floor; the first one speaks."""

    def __init__(self, speaker: Citizen, listener: Citizen, here: tuple[Line, Line]) -> None:
        self._speaker = speaker
        self._listener = listener
        self.here = here
        self.floor: tuple[Line, Line]

    def messages(self, count: int) -> list[bytes]:
        return self._speaker.messages(
            self._speaker.direct_with(self._listener), self._listener.account, count
        )


async def run(trial: Trial) -> list[Figure]:
    """Closed loops of both shapes, then the open loop, round by round."""
    scale = trial.scale
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(coterie_server(trial.folder / "server"))
        floor = await stack.enter_async_context(floor_server(trial.folder / "floor"))
        citizens = await settle(server.invite, 2 * (scale.pairs + scale.few_pairs), trial.clock)
        pairs = [
            await _pair(server, floor, speaker, listener, str(number))
            for number, (speaker, listener) in enumerate(zip(citizens[::2], citizens[1::2], strict=True))
        ]
        many, few = pairs[: scale.pairs], pairs[scale.pairs :]
        figures = [_Closed(server, floor, many, scale.pair_messages, 1)]
        figures.append(_Closed(server, floor, few, scale.few_pair_messages, 8))
        open_loop_trial = _Open(trial, many)
        for number in range(scale.rounds):
            for closed in figures:
                await closed.round(floor_first=trial.floor_first(number))
            await open_loop_trial.round()
    return [*(closed.figure() for closed in figures), *open_loop_trial.figures()]


class _Closed:
    """So many pairs with so many messages in flight each."""

    def __init__(
        self, server: Measured, floor: Measured, pairs: Sequence[Pair], count: int, in_flight: int
    ) -> None:
        self._server = server
        self._floor = floor
        self._pairs = pairs
        self._count = count
        self._in_flight = in_flight
        self._here: list[float] = []
        self._there: list[float] = []

    async def round(self, *, floor_first: bool) -> None:
        said = [(pair, pair.messages(self._count)) for pair in self._pairs]
        here = [Talk(pair.here[0], pair.here[1:], messages, self._in_flight) for pair, messages in said]
        there = [Talk(pair.floor[0], pair.floor[1:], messages, self._in_flight) for pair, messages in said]
        if floor_first:
            self._there.append(await self._cpu(self._floor, there))
        self._here.append(await self._cpu(self._server, here))
        if not floor_first:
            self._there.append(await self._cpu(self._floor, there))

    async def _cpu(self, process: Measured, talks: Sequence[Talk]) -> float:
        """Microseconds of the process for each message that was delivered."""
        before = process.cpu_seconds()
        await talk_all(talks)
        return (process.cpu_seconds() - before) * 1e6 / (len(talks) * self._count)

    def figure(self) -> Figure:
        return Figure(
            name=f"server.direct.{len(self._pairs)}x{self._in_flight}",
            what=f"server CPU per message, {len(self._pairs)} pairs with {self._in_flight} in flight",
            unit="us",
            values=tuple(self._here),
            floor=tuple(self._there),
            targets=CPU_TARGETS if self._in_flight == 1 else (),
        )


class _Open:
    """A steady trickle: how long a message is on its way."""

    def __init__(self, trial: Trial, pairs: Sequence[Pair]) -> None:
        self._trial = trial
        self._pairs = pairs
        self._here: list[list[float]] = []
        self._there: list[list[float]] = []

    async def round(self) -> None:
        each = max(1, self._trial.scale.open_loop_messages // len(self._pairs))
        said = [(pair, pair.messages(each)) for pair in self._pairs]
        here = [(*pair.here, messages) for pair, messages in said]
        there = [(*pair.floor, messages) for pair, messages in said]
        self._here.append(sorted(await open_loop(here, OPEN_LOOP_PER_SECOND, self._trial.clock)))
        self._there.append(sorted(await open_loop(there, OPEN_LOOP_PER_SECOND, self._trial.clock)))

    def figures(self) -> list[Figure]:
        return [self._figure("p50", 0.5), self._figure("p99", 0.99)]

    def _figure(self, name: str, share: float) -> Figure:
        return Figure(
            name=f"server.direct.open.{name}",
            what=f"{name} from sending to arrival, {OPEN_LOOP_PER_SECOND:g} messages/s, on disk in between",
            unit="ms",
            values=tuple(_at(taken, share) * 1000 for taken in self._here),
            floor=tuple(_at(taken, share) * 1000 for taken in self._there),
        )


def _at(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(int(share * len(sorted_values)), len(sorted_values) - 1)]


async def _pair(server: Measured, floor: Measured, speaker: Citizen, listener: Citizen, room: str) -> Pair:
    lines = await open_line(server.invite), await open_line(server.invite)
    conversation = speaker.direct_with(listener)
    for line, citizen in zip(lines, (speaker, listener), strict=True):
        await line.go_live(citizen.prove(line))
    lines[0].log = log_of(conversation)
    pair = Pair(speaker, listener, lines)
    await give_keys(lines[0], speaker, conversation, listener.account, (listener,))
    pair.floor = (
        await open_floor_line(floor.invite, room, "say"),
        await open_floor_line(floor.invite, room, "hear"),
    )
    return pair
