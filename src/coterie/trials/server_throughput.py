"""How many messages a second are acknowledged and arrive, with the load and all engines on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from coterie.trials.cpu import Meter, Spent
from coterie.trials.figures import Figure, Target
from coterie.trials.server_direct import pairs_of, talks_of
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import CLUSTER, POSTGRES, PROCESSES, all_running
from coterie.trials.subject import Pair, Subject
from coterie.trials.talk import talk_all
from coterie.trials.trial import Trial

IN_FLIGHT = 8
TARGETS = {POSTGRES: (Target(5000.0, at_least=True),)}
TWO_TARGETS = (Target(1.0, of_floor=True, at_least=True),)


async def run(trial: Trial) -> list[Figure]:
    """All pairs with several messages in flight, so that nothing waits for the load."""
    scale = trial.scale
    what = f"{scale.pairs} pairs with {IN_FLIGHT} in flight"
    rate = Sheet("throughput", f"acknowledged and arrived, {what}", "messages/s", TARGETS)
    costs = Costs("throughput.cpu", f"per message, {what}")
    each = Costs("throughput.each", f"per message, {what} for each process")
    async with all_running(trial) as subjects:
        counts = {name: scale.pairs * (PROCESSES if name == CLUSTER else 1) for name in subjects}
        pairs = {
            name: (await pairs_of({name: subject}, counts[name]))[0][name]
            for name, subject in subjects.items()
        }
        for number in range(scale.rounds):
            for name in trial.in_turn(number, subjects):
                per_second, spent = await _round(trial, subjects[name], pairs[name][: scale.pairs])
                rate.add(name, per_second)
                costs.add(name, spent)
                if name == CLUSTER:
                    each.add(name, (await _round(trial, subjects[name], pairs[name]))[1])
    two = [_two_beside_one("core", "", costs.own, costs.own, TWO_TARGETS)]
    two.append(_two_beside_one("core.each", " with as many pairs for each process", each.own, costs.own, ()))
    figures = [*rate.figures(), *costs.figures(), *each.figures()]
    return figures + [figure for figure in two if figure is not None]


async def _round(trial: Trial, subject: Subject, pairs: Sequence[Pair]) -> tuple[float, Spent]:
    """Messages a second, and what each has cost."""
    talks = talks_of(pairs, trial.scale.pair_messages, IN_FLIGHT)
    meter, began = Meter(subject), trial.clock.monotonic_seconds()
    await talk_all(talks)
    count = len(talks) * trial.scale.pair_messages
    return count / (trial.clock.monotonic_seconds() - began), meter.spent(count)


def _two_beside_one(
    name: str, how: str, two_cpu: Sheet, one_cpu: Sheet, targets: tuple[Target, ...]
) -> Figure | None:
    """What a core gives to two processes, beside what it gives to one."""
    two, one = two_cpu.values.get(CLUSTER, []), one_cpu.values.get(POSTGRES, [])
    if not two or not one:
        return None
    return Figure(
        name=f"{CLUSTER}.throughput.{name}",
        what=f"messages for a second of CPU of two processes{how} (floor: of one on the same PostgreSQL)",
        unit="messages/s",
        values=tuple(1e6 / each for each in two),
        floor=tuple(1e6 / each for each in one),
        targets=targets,
    )
