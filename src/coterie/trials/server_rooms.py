"""What one delivery costs the server where everybody hears everything (the room `everyone`)."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure
from coterie.trials.sheets import Costs
from coterie.trials.sites import all_running
from coterie.trials.subject import Subject
from coterie.trials.talk import RoomTalk, close_all
from coterie.trials.trial import Trial

SPEAKERS = 10


async def run(trial: Trial) -> list[Figure]:
    """The small room first; then more people come, and it is the large one."""
    scale = trial.scale
    figures = []
    async with all_running(trial) as subjects:
        for size, messages in (
            (scale.small_room, scale.small_room_messages),
            (scale.large_room, scale.large_room_messages),
        ):
            figures += await _measure(trial, subjects, size, messages)
    return figures


async def _measure(trial: Trial, subjects: Mapping[str, Subject], size: int, messages: int) -> list[Figure]:
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
            costs.add(name, spent.own, spent.beside)
    for room in rooms.values():
        await close_all(room.ends)
    return costs.figures()
