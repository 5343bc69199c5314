"""Two real people in turns, everything included: ratchets, keys, stores, network."""

from __future__ import annotations

import asyncio

from coterie.base.clock import cpu_seconds
from coterie.client.api.me import Me
from coterie.client.events import MessageArrived
from coterie.trials.figures import Figure
from coterie.trials.machine import can_measure_processes
from coterie.trials.people import PATIENCE_SECONDS, meet
from coterie.trials.processes import Measured, coterie_server
from coterie.trials.trial import Trial

TEXT = "and what do you think of that?"


async def run(trial: Trial) -> list[Figure]:
    """Each says something as soon as the other's message has arrived."""
    async with coterie_server(trial.folder / "server") as server:
        alice, bob = await meet(server.invite, trial.folder)
        rounds = [await _round(trial, server, alice, bob) for _ in range(trial.scale.rounds)]
        await alice.close()
        await bob.close()
    latency, ours, theirs = zip(*rounds, strict=True)
    figures = [
        Figure(
            name="talk.turn",
            what="from saying to the other's event: sealed, on three disks, opened",
            unit="ms",
            values=tuple(seconds * 1000 for seconds in latency),
        )
    ]
    if can_measure_processes():
        for name, what, values in (
            ("server", "server CPU per message, keys included", theirs),
            ("clients", "CPU of both clients per message, keys included", ours),
        ):
            figures.append(
                Figure(
                    name=f"talk.{name}",
                    what=f"real chat in turns: {what}",
                    unit="us",
                    values=tuple(seconds * 1e6 for seconds in values),
                )
            )
    return figures


async def _round(trial: Trial, server: Measured, alice: Me, bob: Me) -> tuple[float, float, float]:
    """Seconds of time, of the clients' CPU and of the server's, for one message."""
    turns = trial.scale.turns
    measures = can_measure_processes()
    ours, theirs = cpu_seconds(), server.cpu_seconds() if measures else 0.0
    start = trial.clock.monotonic_seconds()
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(_answer(alice, "@bob", turns))
        tasks.create_task(_answer(bob, "@alice", turns))
        await alice.post("@bob", TEXT)
    seconds = trial.clock.monotonic_seconds() - start
    ours = cpu_seconds() - ours
    theirs = server.cpu_seconds() - theirs if measures else 0.0
    messages = 2 * turns
    return seconds / messages, ours / messages, theirs / messages


async def _answer(me: Me, target: str, turns: int) -> None:
    """Answer so many messages; the one who begins leaves out the last answer."""
    async for event in me.events():
        if isinstance(event, MessageArrived):
            turns -= 1
            if turns or me.name == "bob":
                await me.post(target, TEXT)
            if not turns:
                return
