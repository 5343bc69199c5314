"""What a connection costs the server on which nothing is said, beside picows alone."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure, Target
from coterie.trials.sheets import Sheet
from coterie.trials.sites import SERVER, sites
from coterie.trials.subject import Site, Subject
from coterie.trials.talk import close_all
from coterie.trials.trial import Trial

TARGETS = {SERVER: (Target(1.3, of_floor=True),)}
ROUNDS_MAX = 3
"""Each starts the servers anew: what a process once had it does not give back."""
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
        for site in trial.in_turn(number, found):
            async with site.running() as subject:
                await _come_and_go(subject, count)
                cost = await _cost(trial, subject, count)
            for sheet, name in ((memory, "memory"), (opening, "open"), (still, "still")):
                sheet.add(site.name, cost[name])
    return [figure for sheet in (memory, opening, still) for figure in sheet.figures()]


async def _come_and_go(subject: Subject, count: int) -> None:
    """Once before: what database and allocator keep of that is no connection's. One after the other, here and
    afterwards: of many at once the allocator keeps what those hold whom one wants to measure."""
    for number in range(count):
        await (await subject.connect(number)).close()


async def _cost(trial: Trial, subject: Subject, count: int) -> Mapping[str, float]:
    """Of one connection: KiB in memory, microseconds of CPU to open it, and of a ping with its share of the
    idle time."""
    ends = [await subject.connect(0)]
    held, meter = subject.memory_bytes(), Meter(subject)
    ends += [await subject.connect(number) for number in range(1, count)]
    memory_kib = (subject.memory_bytes() - held) / 1024 / (count - 1)
    open_us = meter.spent(count - 1).own
    await trial.clock.wait_until(trial.clock.monotonic_seconds() + SETTLE_SECONDS)
    meter = Meter(subject)
    until = trial.clock.monotonic_seconds() + trial.scale.idle_seconds
    for end in ends:
        end.ping()
    await trial.clock.wait_until(until)
    still_us = meter.spent(count).own
    await close_all(ends)
    return {"memory": memory_kib, "open": open_us, "still": still_us}
