"""What one delivery costs the server where everybody hears everything (the room `everyone`)."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure
from coterie.trials.sheets import Costs, flat
from coterie.trials.sites import all_running
from coterie.trials.subject import Subject
from coterie.trials.talk import RoomTalk, close_all
from coterie.trials.trial import Trial

SPEAKERS = 10


async def run(trial: Trial) -> list[Figure]:
    """The smallest room first; then more people come, and it is the next one."""
    costs = {}
    async with all_running(trial) as subjects:
        for size, messages in trial.scale.rooms:
            costs[size] = await _measured(trial, subjects, size, messages)
    figures = [figure for each in costs.values() for figure in each.figures()]
    return [*figures, *flat("room", "per delivery, by size of the room", costs)]


async def _measured(trial: Trial, subjects: Mapping[str, Subject], size: int, messages: int) -> Costs:
    speakers = min(SPEAKERS, size)
    costs = Costs(f"room.{size}", f"per delivery, room of {size}, {speakers} speakers")
    rooms = {}
    for name, subject in subjects.items():
        await subject.settle(size)
        rooms[name] = await subject.room(size, speakers)
    for number in range(trial.scale.rounds):
        for name in trial.in_turn(number, subjects):
            talk = RoomTalk(rooms[name], speakers, messages)
            meter = Meter(subjects[name])
            await talk.run()
            spent = meter.spent(talk.deliveries)
            costs.add(name, spent)
    for room in rooms.values():
        await close_all(room.ends)
    return costs
