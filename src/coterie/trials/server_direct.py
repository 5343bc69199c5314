"""What one message between two people costs the server: pre-sealed, one way, beside the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure, Target
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import SERVER, all_running
from coterie.trials.subject import Pair, Subject
from coterie.trials.talk import Talk, open_loop, talk_all
from coterie.trials.trial import Trial

CPU_TARGETS = {SERVER: (Target(90.0), Target(2.0, of_floor=True))}

Pairs = Mapping[str, Sequence[Pair]]
"""Of each site, by its name."""


async def run(trial: Trial) -> list[Figure]:
    """Closed loops of both shapes, then the open loops, round by round."""
    scale = trial.scale
    async with all_running(trial) as subjects:
        many, few = await pairs_of(subjects, scale.pairs, scale.few_pairs)
        shapes: list[Closed | OpenLoop] = [
            Closed(subjects, many, scale.pair_messages, 1),
            Closed(subjects, few, scale.few_pair_messages, 8),
            *(OpenLoop(trial, many, load) for load in scale.loads),
        ]
        for number in range(scale.rounds):
            for shape in shapes:
                for name in trial.in_turn(number, subjects):
                    await shape.round(name)
    return [figure for shape in shapes for figure in shape.figures()]


async def pairs_of(subjects: Mapping[str, Subject], *counts: int) -> list[dict[str, list[Pair]]]:
    """So many pairs of each subject, once for each count; all of other people, and all connected."""
    groups: list[dict[str, list[Pair]]] = [{} for _ in counts]
    for name, subject in subjects.items():
        await subject.settle(2 * sum(counts))
        first = 0
        for group, count in zip(groups, counts, strict=True):
            group[name] = [await subject.pair(2 * each, 2 * each + 1) for each in range(first, first + count)]
            first += count
    return groups


class Closed:
    """So many pairs with so many messages in flight each."""

    def __init__(self, subjects: Mapping[str, Subject], pairs: Pairs, count: int, in_flight: int) -> None:
        self._subjects = subjects
        self._pairs = pairs
        self._count = count
        self._in_flight = in_flight
        size = len(next(iter(pairs.values())))
        self._costs = Costs(
            f"direct.{size}x{in_flight}",
            f"per message, {size} pairs with {in_flight} in flight",
            CPU_TARGETS if in_flight == 1 else {},
        )

    async def round(self, name: str) -> None:
        talks = talks_of(self._pairs[name], self._count, self._in_flight)
        meter = Meter(self._subjects[name])
        await talk_all(talks)
        spent = meter.spent(len(talks) * self._count)
        self._costs.add(name, spent)

    def figures(self) -> list[Figure]:
        return self._costs.figures()


def talks_of(pairs: Sequence[Pair], count: int, in_flight: int) -> list[Talk]:
    return [Talk(pair.speaker, (pair.listener,), pair.messages(count), in_flight) for pair in pairs]


class OpenLoop:
    """A steady stream: how long a message is on its way."""

    def __init__(self, trial: Trial, pairs: Pairs, per_second: float) -> None:
        self._trial = trial
        self._pairs = pairs
        self._per_second = per_second
        self._sheets = {share: self._sheet(name) for name, share in (("p50", 0.5), ("p99", 0.99))}

    def _sheet(self, name: str) -> Sheet:
        load = f"{self._per_second:g}"
        what = f"{name} from sending to arrival, {load} messages/s, on disk in between"
        return Sheet(f"direct.open{load}.{name}", what, "ms")

    async def round(self, name: str) -> None:
        pairs = self._pairs[name]
        each = max(1, round(self._trial.scale.open_loop_seconds * self._per_second / len(pairs)))
        said = [(pair.speaker, pair.listener, pair.messages(each)) for pair in pairs]
        taken = sorted(await open_loop(said, self._per_second, self._trial.clock))
        for share, sheet in self._sheets.items():
            sheet.add(name, at_share(taken, share) * 1000)

    def figures(self) -> list[Figure]:
        return [figure for sheet in self._sheets.values() for figure in sheet.figures()]


def at_share(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(int(share * len(sorted_values)), len(sorted_values) - 1)]
