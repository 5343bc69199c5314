"""How many messages a second are acknowledged and arrive, with the load and all engines on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from coterie.trials.cpu import Meter, Spent
from coterie.trials.figures import Figure, Target
from coterie.trials.server_direct import pairs_of, talks_of
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import APART, CLUSTER, POSTGRES, PROCESSES, all_running
from coterie.trials.subject import Pair, Subject
from coterie.trials.talk import talk_all
from coterie.trials.trial import Trial

IN_FLIGHT = 8
TARGETS = {POSTGRES: (Target(5000.0, at_least=True),)}
TWO_TARGETS = (Target(1.0, of_floor=True, at_least=True),)
TWO = "messages for a second of CPU of two processes"
TWO_EACH = f"{TWO} with as many pairs for each process"


async def run(trial: Trial) -> list[Figure]:
    """All pairs with several messages in flight, so that nothing waits for the load."""
    scale = trial.scale
    what = f"{scale.pairs} pairs with {IN_FLIGHT} in flight"
    rate = Sheet("throughput", f"acknowledged and arrived, {what}", "messages/s", TARGETS)
    costs = Costs("throughput.cpu", f"per message, {what}")
    each = Costs("throughput.each", f"per message, {what} for each process")
    apart: list[float] = []
    async with all_running(trial, apart=True) as subjects:
        counts = {name: scale.pairs * (PROCESSES if name == CLUSTER else 1) for name in subjects}
        pairs = {
            name: (await pairs_of({name: subject}, counts[name]))[0][name]
            for name, subject in subjects.items()
        }
        other = subjects.pop(APART, None)
        for number in range(scale.rounds):
            for name in trial.in_turn(number, subjects):
                one = (subjects[name], pairs[name][: scale.pairs])
                per_second, (spent,) = await _round(trial, one)
                rate.add(name, per_second)
                costs.add(name, spent)
                if name != CLUSTER:
                    continue
                each.add(name, (await _round(trial, (subjects[name], pairs[name])))[1][0])
                if other is not None:
                    both = (subjects[POSTGRES], pairs[POSTGRES]), (other, pairs[APART])
                    apart.append(fmean(spent.own for spent in (await _round(trial, *both))[1]))
    two, one_process = costs.own.values.get(CLUSTER, []), costs.own.values.get(POSTGRES, [])
    as_many = each.own.values.get(CLUSTER, [])
    cores = [
        _core("core", f"{TWO} (floor: of one on the same PostgreSQL)", two, one_process, TWO_TARGETS),
        _core("core.each", f"{TWO_EACH} (floor: of one on the same PostgreSQL)", as_many, one_process),
        _core("core.apart", f"{TWO_EACH} (floor: of two at once that share no data)", as_many, apart),
    ]
    figures = [*rate.figures(), *costs.figures(), *each.figures()]
    return figures + [figure for figure in cores if figure is not None]


async def _round(trial: Trial, *loads: tuple[Subject, Sequence[Pair]]) -> tuple[float, list[Spent]]:
    """All of them at once: messages a second, and what each has cost of each."""
    talks = [talks_of(pairs, trial.scale.pair_messages, IN_FLIGHT) for _, pairs in loads]
    meters, began = [Meter(subject) for subject, _ in loads], trial.clock.monotonic_seconds()
    await talk_all([talk for each in talks for talk in each])
    seconds = trial.clock.monotonic_seconds() - began
    counts = [len(each) * trial.scale.pair_messages for each in talks]
    spent = [meter.spent(count) for meter, count in zip(meters, counts, strict=True)]
    return sum(counts) / seconds, spent


def _core(
    name: str, what: str, two_us: Sequence[float], other_us: Sequence[float], targets: tuple[Target, ...] = ()
) -> Figure | None:
    """What a core gives to two processes, beside what it gives to others; us of CPU for a message."""
    if not two_us or len(two_us) != len(other_us):
        return None
    return Figure(
        name=f"{CLUSTER}.throughput.{name}",
        what=what,
        unit="messages/s",
        values=tuple(1e6 / us for us in two_us),
        floor=tuple(1e6 / us for us in other_us),
        targets=targets,
    )
