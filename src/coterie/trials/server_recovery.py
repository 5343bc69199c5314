"""A server is killed under many connections and started again: when does everybody's message arrive again?

All come back at that very moment, without the pauses of real clients, and no TLS session is resumed.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from coterie.base.ids import log_of
from coterie.base.invite import Invite
from coterie.trials.citizens import Citizen, settle
from coterie.trials.figures import Figure, Target
from coterie.trials.lines import Line, open_line
from coterie.trials.processes import coterie_server
from coterie.trials.talk import Talk, give_keys
from coterie.trials.trial import Trial

TARGET = (Target(10.0),)
AT_ONCE = 50
"""So many shake hands with the server at the same time: a queue of the system holds no more."""
ROUNDS_MAX = 3

Pair = tuple[Citizen, Citizen]
Lines = tuple[Line, Line]


async def run(trial: Trial) -> list[Figure]:
    """The accounts are made once, and each pair has its keys."""
    count = trial.scale.idle_connections // 2 * 2 or 2
    data = trial.folder / "server"
    async with coterie_server(data) as server:
        citizens = await settle(server.invite, count, trial.clock)
        pairs = list(zip(citizens[::2], citizens[1::2], strict=True))
        async with _connected(server.invite, pairs) as lines:
            for pair, (line, _) in zip(pairs, lines, strict=True):
                await give_keys(line, pair[0], pair[0].direct_with(pair[1]), pair[1].account, (pair[1],))
    rounds = min(trial.scale.rounds, ROUNDS_MAX)
    return [
        Figure(
            name="server.recovery",
            what=f"from kill -9 of a server until {count} clients are back and each pair has talked",
            unit="s",
            values=tuple([await _round(trial, data, pairs) for _ in range(rounds)]),
            targets=TARGET,
        )
    ]


async def _round(trial: Trial, data: Path, pairs: Sequence[Pair]) -> float:
    async with coterie_server(data) as server, _connected(server.invite, pairs):
        began = trial.clock.monotonic_seconds()
        await server.kill()
        async with coterie_server(data) as again, _connected(again.invite, pairs) as lines:
            async with asyncio.TaskGroup() as tasks:
                for pair, pair_lines in zip(pairs, lines, strict=True):
                    tasks.create_task(_speak(pair, pair_lines))
            return trial.clock.monotonic_seconds() - began


async def _speak(pair: Pair, lines: Lines) -> None:
    conversation = pair[0].direct_with(pair[1])
    lines[0].log = log_of(conversation)
    talk = Talk(lines[0], lines[1:], pair[0].messages(conversation, pair[1].account, 1), 1)
    talk.begin()
    await talk.end()


@asynccontextmanager
async def _connected(invite: Invite, pairs: Sequence[Pair]) -> AsyncIterator[list[Lines]]:
    """Everybody signed in, as many at once as the system takes."""
    room = asyncio.Semaphore(AT_ONCE)

    async def opened(citizen: Citizen) -> Line:
        async with room:
            line = await open_line(invite)
            await line.go_live(citizen.prove(line))
            return line

    async with asyncio.TaskGroup() as tasks:
        opening = [tasks.create_task(opened(citizen)) for citizen in itertools.chain(*pairs)]
    lines = [task.result() for task in opening]
    try:
        yield list(zip(lines[::2], lines[1::2], strict=True))
    finally:
        async with asyncio.TaskGroup() as tasks:
            for line in lines:
                tasks.create_task(line.close())
