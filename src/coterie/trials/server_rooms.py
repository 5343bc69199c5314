"""What one delivery costs the server where everybody hears everything (the room `everyone`)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from coterie.base.conversations import everyone_id
from coterie.base.ids import ConversationId, log_of
from coterie.trials.citizens import Citizen, settle
from coterie.trials.figures import Figure
from coterie.trials.lines import Line, open_floor_line, open_line
from coterie.trials.processes import Measured, coterie_server, floor_server
from coterie.trials.talk import Room, give_keys
from coterie.trials.trial import Trial

SPEAKERS = 10


async def run(trial: Trial) -> list[Figure]:
    """The small room first; then more people come, and it is the large one."""
    scale = trial.scale
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(coterie_server(trial.folder / "server"))
        floor = await stack.enter_async_context(floor_server(trial.folder / "floor"))
        house = _House(server, floor)
        figures = []
        for size, messages in (
            (scale.small_room, scale.small_room_messages),
            (scale.large_room, scale.large_room_messages),
        ):
            house.citizens += await settle(
                server.invite, size - len(house.citizens), trial.clock, first=len(house.citizens)
            )
            figures.append(await house.measure(messages, scale.rounds))
    return figures


class _House:
    """Everybody on the server, all of them connected to it and to the floor while it is measured."""

    def __init__(self, server: Measured, floor: Measured) -> None:
        self._server = server
        self._floor = floor
        self.citizens: list[Citizen] = []
        self._here: list[Line] = []
        self._there: list[Line] = []

    async def measure(self, messages: int, rounds: int) -> Figure:
        size = len(self.citizens)
        for citizen in self.citizens[len(self._here) :]:
            line = await open_line(self._server.invite)
            await line.go_live(citizen.prove(line))
            self._here.append(line)
        self._there = [await open_floor_line(self._floor.invite, f"room{size}", "hear") for _ in range(size)]
        conversation = await self._everyone()
        for line in self._here:
            line.log = log_of(conversation)
        speakers = min(SPEAKERS, size)
        for line, citizen in zip(self._here[:speakers], self.citizens[:speakers], strict=True):
            others = [other for other in self.citizens if other is not citizen]
            await give_keys(line, citizen, conversation, b"", others)
        here, there = [], []
        for _ in range(rounds):
            said = [citizen.messages(conversation, b"", messages) for citizen in self.citizens[:speakers]]
            here.append(await _cpu(self._server, self._here, said))
            there.append(await _cpu(self._floor, self._there, said))
        for line in self._there:
            await line.close()
        return Figure(
            name=f"server.room.{size}",
            what=f"server CPU per delivery, room of {size}, {speakers} speakers",
            unit="us",
            values=tuple(here),
            floor=tuple(there),
        )

    async def _everyone(self) -> ConversationId:
        line = await open_line(self._server.invite)
        await line.close()
        return everyone_id(line.statement.founding_ledger)


async def _cpu(process: Measured, lines: Sequence[Line], said: Sequence[Sequence[bytes]]) -> float:
    """Microseconds of the process for each delivery."""
    room = Room(lines, list(zip(lines[: len(said)], said, strict=True)))
    before = process.cpu_seconds()
    await room.run()
    return (process.cpu_seconds() - before) * 1e6 / room.deliveries
