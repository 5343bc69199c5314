"""Somebody comes back and finds a thousand messages: how long it takes, and what it costs the server."""

from __future__ import annotations

import asyncio

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.cpu import Meter, Spent
from coterie.trials.figures import Figure
from coterie.trials.sheets import Costs, Sheet
from coterie.trials.sites import all_running
from coterie.trials.subject import Subject
from coterie.trials.talk import TALK_SECONDS, Talk
from coterie.trials.trial import Trial

IN_FLIGHT = 16
"""While they are said."""


async def run(trial: Trial) -> list[Figure]:
    """Each round is of another pair: nobody may say more than 2,000 at once."""
    waiting = trial.scale.waiting
    taken = Sheet("drain", f"from connecting until {waiting} waiting messages have come", "ms")
    costs = Costs("drain.cpu", f"for each of {waiting} waiting messages")
    async with all_running(trial, floor=False) as subjects:
        for subject in subjects.values():
            await subject.settle(2 * trial.scale.rounds)
        for number in range(trial.scale.rounds):
            for name in trial.in_turn(number, subjects):
                seconds, spent = await _drained(trial, subjects[name], number)
                taken.add(name, seconds * 1000)
                costs.add(name, spent)
    return [*taken.figures(), *costs.figures()]


async def _drained(trial: Trial, subject: Subject, number: int) -> tuple[float, Spent]:
    waiting = trial.scale.waiting
    pair = await subject.pair(2 * number, 2 * number + 1)
    await pair.listener.close()
    talk = Talk(pair.speaker, (), pair.messages(waiting), IN_FLIGHT)
    talk.begin()
    await talk.end()
    left, done = waiting, asyncio.Event()

    def heard(count: int) -> None:
        nonlocal left
        left -= count
        if left <= 0:
            done.set()

    meter, began = Meter(subject), trial.clock.monotonic_seconds()
    listener = await subject.connect(2 * number + 1, heard)
    try:
        async with asyncio.timeout(TALK_SECONDS):
            await done.wait()
    except TimeoutError:
        raise Unavailable(Code.BUSY, f"{left} of {waiting} messages did not come") from None
    taken, spent = trial.clock.monotonic_seconds() - began, meter.spent(waiting)
    await listener.close()
    await pair.speaker.close()
    return taken, spent
