"""Somebody comes back: thousands of messages have waited, sealed by several people, keys included."""

from __future__ import annotations

import asyncio

from coterie.base.clock import cpu_seconds
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.client.api.me import Me
from coterie.trials.bare_megolm import AT_DESIGN, bare_megolm
from coterie.trials.figures import Figure, Target
from coterie.trials.people import PATIENCE_SECONDS, knows, move_in, wake
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial

TARGETS = (Target(6000.0, at_least=True),)
SLEEPERS_MAX = 3
"""Each sleeps and wakes once: what a profile has caught up with it has."""
AT_ONCE = 100


async def run(trial: Trial) -> list[Figure]:
    scale = trial.scale
    async with coterie_server(trial.folder / "server") as server:
        speakers = [await move_in(server.invite, trial.folder, f"speaker{n}") for n in range(scale.speakers)]
        sleepers = [f"sleeper{n}" for n in range(min(scale.rounds, SLEEPERS_MAX))]
        for name in sleepers:
            me = await move_in(server.invite, trial.folder, name)
            await knows(me, len(speakers))
            await me.close()
        for speaker in speakers:
            await knows(speaker, len(speakers) + len(sleepers))
        clock = trial.clock
        start = clock.monotonic_seconds()
        await asyncio.gather(*(_speak(speaker, scale.speaker_messages) for speaker in speakers))
        said_seconds = clock.monotonic_seconds() - start
        for speaker in speakers:
            await speaker.close()
        count = scale.speakers * scale.speaker_messages
        caught_up = [(*await _catch_up(trial, name, count), bare_megolm(count)) for name in sleepers]
    return [
        Figure(
            name="client.catch_up",
            what=f"catching up with {count} messages of {scale.speakers} people, from connecting to stored",
            unit="messages/s",
            values=tuple(count / seconds for seconds, _, _ in caught_up),
            targets=TARGETS,
        ),
        Figure(
            name="client.catch_up.at_design",
            what=f"the same {AT_DESIGN}",
            unit="messages/s",
            values=tuple(count / seconds * bare.slowness for seconds, _, bare in caught_up),
            targets=TARGETS,
        ),
        Figure(
            name="client.catch_up.cpu",
            what="the client's CPU for each of them",
            unit="us",
            values=tuple(cpu / count * 1e6 for _, cpu, _ in caught_up),
        ),
        Figure(
            name="client.catch_up.said",
            what=f"{scale.speakers} clients in one process saying them, until acknowledged",
            unit="messages/s",
            values=(count / said_seconds,),
        ),
    ]


async def _catch_up(trial: Trial, name: str, count: int) -> tuple[float, float]:
    """Seconds from unlocked to all messages stored, and of CPU."""
    me = await wake(trial.folder, name)
    start, cpu = trial.clock.monotonic_seconds(), cpu_seconds()
    await me.wait_drained(PATIENCE_SECONDS)
    seconds, cpu = trial.clock.monotonic_seconds() - start, cpu_seconds() - cpu
    found = len(me.history(me.everyone, limit=count + 1))
    await me.close()
    if found != count:
        raise LocalError(Code.USAGE, f"{found} of {count} messages have arrived")
    return seconds, cpu


async def _speak(me: Me, count: int) -> None:
    """To everyone, so many messages under way at once."""
    for start in range(0, count, AT_ONCE):
        some = range(start, min(start + AT_ONCE, count))
        sent = await asyncio.gather(*(me.post("everyone", f"message {number}") for number in some))
        for each in sent:
            await me.acknowledged(each, PATIENCE_SECONDS)
