"""Real people for trials: whole clients over the SDK, on a server under trial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.invite import Invite
from coterie.client.api.me import Me
from coterie.client.api.opening import open as open_profile
from coterie.client.api.sign_up import sign_up

PASSWORD = "swallow-marble-quay-94"
PATIENCE_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.05


async def move_in(invite: Invite, folder: Path, name: str) -> Me:
    """Sign somebody up, and wait until they are connected."""
    me = await sign_up(server=invite.link, name=name, password=PASSWORD, home=folder / name)
    await me.wait_live(PATIENCE_SECONDS)
    return me


async def meet(invite: Invite, folder: Path) -> tuple[Me, Me]:
    """alice and bob, connected, each knowing the other."""
    alice = await move_in(invite, folder, "alice")
    bob = await move_in(invite, folder, "bob")
    await acquainted(alice, bob)
    return alice, bob


async def acquainted(one: Me, other: Me) -> None:
    """Return when each knows the other."""
    await _until(lambda: one.person(other.name) is not None and other.person(one.name) is not None)


async def wake(folder: Path, name: str) -> Me:
    """Unlock the profile of somebody who has moved in before."""
    return await open_profile(folder / name, password=PASSWORD)


async def knows(me: Me, count: int) -> None:
    """Return when somebody knows that many people, themselves included."""
    await _until(lambda: len(me.people()) >= count)


async def _until(done: Callable[[], bool]) -> None:
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not done():
            await clock.wait_until(clock.monotonic_seconds() + LOOK_AGAIN_SECONDS)
