"""What a connection costs the server on which nothing is said, beside picows alone."""

from __future__ import annotations

from contextlib import AsyncExitStack

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure, Target
from coterie.trials.sheets import Sheet
from coterie.trials.sites import SERVER, sites
from coterie.trials.subject import End, Site, Subject
from coterie.trials.talk import close_all
from coterie.trials.trial import Trial

TARGETS = {SERVER: (Target(1.3, of_floor=True),)}
ROUNDS_MAX = 3
"""Each starts the servers anew: what a process once had it does not give back."""
PINGS = 5
"""In each round, now of one and now of the other: a machine is not as fast in this minute as in the next."""
MANY = 2000
"""With so many connections one round has to do."""
SETTLE_SECONDS = 1.5
"""Within a second of the last arrival everybody has been told of it."""


async def run(trial: Trial) -> list[Figure]:
    """The accounts are made once; then each round opens their connections to fresh processes."""
    figures = []
    async with sites(trial) as found:
        for count in trial.scale.idle_connections:
            figures += await _measure(trial, found, count)
    return figures


async def _measure(trial: Trial, found: list[Site], count: int) -> list[Figure]:
    memory = Sheet(f"idle.{count}.memory", f"memory of one of {count} signed-in connections", "KiB", TARGETS)
    opening = Sheet(f"idle.{count}.open", "CPU to open and sign in a connection (floor: TLS alone)", "us")
    pinging = f"CPU of one of {count} connections that ping once in {trial.scale.idle_seconds:g} s"
    still = Sheet(f"idle.{count}.still", pinging, "us", TARGETS)
    for site in found:
        async with site.running() as subject:
            await subject.settle(count)
    for number in range(1 if count >= MANY else min(trial.scale.rounds, ROUNDS_MAX)):
        async with AsyncExitStack() as stack:
            open_ends: dict[str, tuple[Subject, list[End]]] = {}
            for site in trial.in_turn(number, found):
                subject = await stack.enter_async_context(site.running())
                await _come_and_go(subject, count)
                ends, memory_kib, open_us = await _opened(subject, count)
                open_ends[site.name] = subject, ends
                memory.add(site.name, memory_kib)
                opening.add(site.name, open_us)
            await trial.clock.wait_until(trial.clock.monotonic_seconds() + SETTLE_SECONDS)
            for turn in range(PINGS):
                for name in trial.in_turn(turn, open_ends):
                    still.add(name, await _still(trial, *open_ends[name]))
            for _, ends in open_ends.values():
                await close_all(ends)
    return [figure for sheet in (memory, opening, still) for figure in sheet.figures()]


async def _come_and_go(subject: Subject, count: int) -> None:
    """Once before: what database and allocator keep of that is no connection's. One after the other, here and
    afterwards: of many at once the allocator keeps what those hold whom one wants to measure."""
    for number in range(count):
        await (await subject.connect(number)).close()


async def _opened(subject: Subject, count: int) -> tuple[list[End], float, float]:
    """So many connections, and of each: KiB in memory, and microseconds of CPU to open it."""
    ends = [await subject.connect(0)]
    held, meter = subject.memory_bytes(), Meter(subject)
    ends += [await subject.connect(number) for number in range(1, count)]
    memory_kib = (subject.memory_bytes() - held) / 1024 / (count - 1)
    return ends, memory_kib, meter.spent(count - 1).own


async def _still(trial: Trial, subject: Subject, ends: list[End]) -> float:
    """Microseconds of CPU for a ping of each, with its share of the idle time."""
    meter = Meter(subject)
    until = trial.clock.monotonic_seconds() + trial.scale.idle_seconds
    for end in ends:
        end.ping()
    await trial.clock.wait_until(until)
    return meter.spent(len(ends)).own
