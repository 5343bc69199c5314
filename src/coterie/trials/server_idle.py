"""What a connection costs the server on which nothing is said, beside picows alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from coterie.trials.citizens import Citizen, settle
from coterie.trials.figures import Figure, Target
from coterie.trials.lines import Line, open_floor_line, open_line
from coterie.trials.processes import Measured, coterie_server, floor_server
from coterie.trials.trial import Trial

TARGETS = (Target(1.3, of_floor=True),)
ROUNDS_MAX = 3
"""Each starts both servers anew: what a process once had it does not give back."""
SETTLE_SECONDS = 1.5
"""Within a second of the last arrival everybody has been told of it."""


class _Cost(msgspec.Struct, frozen=True):
    """Of one connection: KiB in memory, microseconds of CPU to open it, and of a ping with its share of the
    idle time."""

    memory: float
    open: float
    still: float


async def run(trial: Trial) -> list[Figure]:
    """The accounts are made once; then each round opens their connections to fresh processes."""
    count = trial.scale.idle_connections
    data = trial.folder / "server"
    async with coterie_server(data) as server:
        citizens = await settle(server.invite, count, trial.clock)
    here, there = [], []
    for number in range(min(trial.scale.rounds, ROUNDS_MAX)):
        here.append(await _coterie(trial, data, citizens))
        there.append(await _floor(trial, trial.folder / f"floor{number}"))
    return [
        _figure("memory", "KiB", f"memory of one of {count} signed-in connections", here, there, TARGETS),
        _figure("open", "us", "CPU to open and sign in a connection (floor: TLS alone)", here, there, ()),
        _figure(
            "still",
            "us",
            f"CPU of a connection that pings once in {trial.scale.idle_seconds:g} s",
            here,
            there,
            TARGETS,
        ),
    ]


def _figure(
    name: str,
    unit: str,
    what: str,
    here: Sequence[_Cost],
    there: Sequence[_Cost],
    targets: tuple[Target, ...],
) -> Figure:
    return Figure(
        name=f"server.idle.{name}",
        what=what,
        unit=unit,
        values=tuple(getattr(cost, name) for cost in here),
        floor=tuple(getattr(cost, name) for cost in there),
        targets=targets,
    )


async def _coterie(trial: Trial, data: Path, citizens: list[Citizen]) -> _Cost:
    async with coterie_server(data) as server:

        async def opened(number: int) -> Line:
            line = await open_line(server.invite)
            await line.go_live(citizens[number].prove(line))
            return line

        return await _measure(trial, server, opened)


async def _floor(trial: Trial, folder: Path) -> _Cost:
    async with floor_server(folder) as floor:
        return await _measure(trial, floor, lambda _: open_floor_line(floor.invite, "idle", "hear"))


async def _measure(trial: Trial, process: Measured, opened: Callable[[int], Awaitable[Line]]) -> _Cost:
    """Everybody comes and goes once before: what database and allocator keep of that is no connection's."""
    count = trial.scale.idle_connections
    for number in range(count):
        await (await opened(number)).close()
    lines = [await opened(0)]
    memory, cpu = process.memory_bytes(), process.cpu_seconds()
    lines += [await opened(number) for number in range(1, count)]
    memory_kib = (process.memory_bytes() - memory) / 1024 / (count - 1)
    open_us = (process.cpu_seconds() - cpu) * 1e6 / (count - 1)
    await trial.clock.wait_until(trial.clock.monotonic_seconds() + SETTLE_SECONDS)
    cpu = process.cpu_seconds()
    until = trial.clock.monotonic_seconds() + trial.scale.idle_seconds
    for line in lines:
        line.ping()
    await trial.clock.wait_until(until)
    idle_us = (process.cpu_seconds() - cpu) * 1e6 / count
    async with asyncio.TaskGroup() as tasks:
        for line in lines:
            tasks.create_task(line.close())
    return _Cost(memory_kib, open_us, idle_us)
