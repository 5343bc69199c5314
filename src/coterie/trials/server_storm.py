"""Thousands lose their connections at one moment and come back at once, while others go on talking.

None of them waits as real clients do, and no TLS session is resumed. The load shares the machine with the
server and shakes as many hands, so what bystanders feel is in part its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure
from coterie.trials.server_direct import at_share, talks_of
from coterie.trials.server_recovery import close_pairs, connected
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import all_running
from coterie.trials.subject import Pair, Subject
from coterie.trials.talk import steady, talk_all
from coterie.trials.trial import Trial

PER_SECOND = 200.0
"""Of the bystanders together."""
ROUNDS_MAX = 2
SHARES = (("p50", 0.5), ("p99", 0.99))


async def run(trial: Trial) -> list[Figure]:
    """The bystanders are the first people, and stay."""
    pairs = trial.scale.storm // 2
    storm = Storm(pairs)
    async with all_running(trial, floor=False) as subjects:
        bystanders = {}
        for name, subject in subjects.items():
            await subject.settle(2 * (pairs + trial.scale.few_pairs))
            bystanders[name] = await connected(subject, trial.scale.few_pairs)
        for number in range(min(trial.scale.rounds, ROUNDS_MAX)):
            for name in trial.in_turn(number, subjects):
                await storm.round(trial, name, subjects[name], bystanders[name])
    return storm.figures()


class Storm:
    """So many pairs."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs
        people = 2 * pairs
        self._back = Sheet("storm", f"from {people} lost connections until each pair has talked", "s")
        self._costs = Costs("storm.cpu", f"for each of {people} that come back and talk")
        what = f"others' messages meanwhile, {PER_SECOND:g} messages/s, from sending to arrival"
        self._felt = {share: Sheet(f"storm.{name}", f"{name} of {what}", "ms") for name, share in SHARES}

    async def round(self, trial: Trial, name: str, subject: Subject, bystanders: Sequence[Pair]) -> None:
        first = len(bystanders)
        gone = await connected(subject, self._pairs, first)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(steady(bystanders, PER_SECOND, trial.clock, over))
            meter, began = Meter(subject), trial.clock.monotonic_seconds()
            await close_pairs(gone)
            back = await connected(subject, self._pairs, first)
            await talk_all(talks_of(back, 1, 1))
            self._back.add(name, trial.clock.monotonic_seconds() - began)
            spent = meter.spent(2 * self._pairs)
            over.set()
        self._costs.add(name, spent)
        taken = sorted(talking.result())
        for share, sheet in self._felt.items():
            sheet.add(name, at_share(taken, share) * 1000)
        await close_pairs(back)

    def figures(self) -> list[Figure]:
        sheets = (self._back, *self._felt.values())
        return [*(figure for sheet in sheets for figure in sheet.figures()), *self._costs.figures()]
