"""How many messages a second are acknowledged and arrive, with the load and all engines on this machine."""

from __future__ import annotations

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure, Target
from coterie.trials.server_direct import pairs_of, talks_of
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import CLUSTER, POSTGRES, all_running
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
    async with all_running(trial) as subjects:
        (pairs,) = await pairs_of(subjects, scale.pairs)
        for number in range(scale.rounds):
            for name in trial.in_turn(number, subjects):
                talks = talks_of(pairs[name], scale.pair_messages, IN_FLIGHT)
                meter, began = Meter(subjects[name]), trial.clock.monotonic_seconds()
                await talk_all(talks)
                count = len(talks) * scale.pair_messages
                rate.add(name, count / (trial.clock.monotonic_seconds() - began))
                spent = meter.spent(count)
                costs.add(name, spent)
    return [*rate.figures(), *costs.figures(), *_two_beside_one(costs.own)]


def _two_beside_one(cpu: Sheet) -> list[Figure]:
    """What a core gives to two processes, beside what it gives to one."""
    two, one = cpu.values.get(CLUSTER, []), cpu.values.get(POSTGRES, [])
    if not two or not one:
        return []
    return [
        Figure(
            name=f"{CLUSTER}.throughput.core",
            what="messages for a second of CPU of two processes (floor: of one on the same PostgreSQL)",
            unit="messages/s",
            values=tuple(1e6 / each for each in two),
            floor=tuple(1e6 / each for each in one),
            targets=TWO_TARGETS,
        )
    ]
