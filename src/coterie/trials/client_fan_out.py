"""Keys to many devices: the first message to everyone, and a later one under a new key."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

from coterie.base.clock import Clock, cpu_seconds
from coterie.base.ids import MessageId
from coterie.client.commands import Say, Tick
from coterie.client.store.records import DropGroupOut
from coterie.content.body import Text
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys
from coterie.trials.citizens import settle
from coterie.trials.core_alone import CoreAlone, open_core
from coterie.trials.figures import Figure, Target
from coterie.trials.people import PATIENCE_SECONDS, knows, move_in
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial
from coterie.wire import codec
from coterie.wire.frames import Accepted, Send

STALL_TARGET = (Target(50.0),)
BEAT_SECONDS = 0.001
OLM_PLAINTEXT_BYTES = 800
INFO_BYTES = 138
"""As docs/protocol.md 5.2 and 5.3 have them."""


class Beat:
    """Beats every millisecond; a beat that comes late says how long the loop stood still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.longest_ms = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(self._beat())
            yield
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            start = self._clock.monotonic_seconds()
            await self._clock.wait_until(start + BEAT_SECONDS)
            late = self._clock.monotonic_seconds() - start - BEAT_SECONDS
            self.longest_ms = max(self.longest_ms, late * 1000)


async def run(trial: Trial) -> list[Figure]:
    """alice speaks to the small town, bob to the large one that it has grown to: to both of them for the
    first time."""
    scale = trial.scale
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(coterie_server(trial.folder / "server"))
        before = 0
        for name, devices in (("alice", scale.few_devices), ("bob", scale.many_devices)):
            await settle(server.invite, devices - before - (1 if before else 0), trial.clock, first=before)
            before = devices
            me = await move_in(server.invite, trial.folder, name)
            await knows(me, devices + 1)
            beat = Beat(trial.clock)
            start = trial.clock.monotonic_seconds()
            async with beat.watching():
                await me.send("everyone", "hello everybody", timeout_seconds=PATIENCE_SECONDS)
            seconds = trial.clock.monotonic_seconds() - start
            await me.close()
            figures += _first(devices, seconds, beat.longest_ms)
            figures += _again(trial, trial.folder / name, devices)
    return figures


def _first(devices: int, seconds: float, stall_ms: float) -> list[Figure]:
    what = f"first message to everyone of {devices} other devices"
    return [
        Figure(
            name=f"client.fan_out.{devices}.first",
            what=f"{what}, until acknowledged",
            unit="ms",
            values=(seconds * 1000,),
        ),
        Figure(
            name=f"client.fan_out.{devices}.stall",
            what=f"{what}: longest stall of the event loop",
            unit="ms",
            values=(stall_ms,),
            targets=STALL_TARGET,
        ),
    ]


def _again(trial: Trial, home: Path, devices: int) -> list[Figure]:
    """A new key for everybody, with sessions that stand, without the network."""
    here, there, sizes = [], [], []
    core = open_core(home)
    with closing(core.store):
        for _ in range(trial.scale.rounds):
            seconds, size = _new_key(core)
            here.append(seconds * 1000)
            sizes.append(size / 1e6)
            there.append(_bare_seconds(devices) * 1000)
    return [
        Figure(
            name=f"client.fan_out.{devices}.again",
            what=f"CPU of a new key to {devices} devices and a message (floor: Olm and X-Wing alone)",
            unit="ms",
            values=tuple(here),
            floor=tuple(there),
        ),
        Figure(
            name=f"client.fan_out.{devices}.bytes", what="what that sends", unit="MB", values=tuple(sizes)
        ),
    ]


def _new_key(core: CoreAlone) -> tuple[float, int]:
    """Seconds of CPU until all is sealed and stored; bytes to be sent."""
    everyone = core.core.everyone
    core.store.begin()
    core.store.apply((DropGroupOut(everyone),))
    core.store.commit()
    start = cpu_seconds()
    frames = core.turn((Say(everyone, b"", MessageId(secrets.token_bytes(16)), Text("hello again")),))
    while not any(isinstance(frame, Send) for frame in frames):
        frames += core.turn((Tick(),))
    seconds = cpu_seconds() - start
    core.turn([Accepted(getattr(frame, "request", 0), 1) for frame in frames])
    return seconds, sum(len(message) for message in codec.encode_all(frames))


def _bare_seconds(devices: int) -> float:
    """Sealing as many envelopes with vodozemac and X-Wing and nothing else."""
    me, other = DeviceKeys.create(), DeviceKeys.create()
    x_wing = XWingKey.generate().public
    sessions = [me.start(other.curve25519, other.new_one_time_keys(1)[0]) for _ in range(devices)]
    plaintext, info = secrets.token_bytes(OLM_PLAINTEXT_BYTES), secrets.token_bytes(INFO_BYTES)
    start = cpu_seconds()
    for session in sessions:
        _, message = session.seal(plaintext)
        hybrid.seal(x_wing, info, message)
    return cpu_seconds() - start
