"""Somebody who takes everybody's one-time keys: raw frames, with the real credentials of an account."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.core.keyring import Keyring
from coterie.client.core.profile import Profile, Run, next_run
from coterie.client.link import Connection
from coterie.client.signing_in import connect, save, sign_in
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import find_profile
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.trials.soak.stores import opened
from coterie.wire.frames import Claim, Claimed, Refusal, ServerFrame
from coterie.wire.frames.shared import DeviceRef
from coterie.wire.refusals import refused

ANSWER_SECONDS = 10.0
TRIES = 5
"""Connections may end while days pass."""
ROUNDS_MAX = 4 * limits.ONE_TIME_KEYS
"""Devices may publish new keys meanwhile; this often each is asked at most."""


class Taken(msgspec.Struct, frozen=True):
    """keys: one-time keys that were got; fallbacks: devices that had only their fallback key left."""

    keys: int
    fallbacks: int


async def exhaust(home: Path, password: str, devices: tuple[tuple[bytes, bytes], ...], clock: Clock) -> Taken:
    """Claim keys of these (account, device) until each has only its fallback key left."""
    lock = await ProfileLock.acquire(find_profile(home, None), clock)
    with opened(home, password, lock) as (store, profile):
        run = next_run(store.setting(Setting.RUN), secrets.token_bytes(16))
        save(store, (PutSetting(Setting.RUN, run.pack()),))
        for left in reversed(range(TRIES)):
            try:
                return await _once(store, profile, run, devices, clock)
            except Unavailable:
                if not left:
                    raise
    raise Unavailable(Code.UNREACHABLE)


async def _once(
    store: ClientStore, profile: Profile, run: Run, devices: tuple[tuple[bytes, bytes], ...], clock: Clock
) -> Taken:
    connection = await connect(store, profile, clock)
    try:
        await sign_in(connection, store, profile, Keyring(store), run)
        return await _claims(connection, devices, clock)
    finally:
        connection.close()
        await connection.lost()


async def _claims(connection: Connection, devices: tuple[tuple[bytes, bytes], ...], clock: Clock) -> Taken:
    came: asyncio.Queue[ServerFrame] = asyncio.Queue()

    def arrived(frames: tuple[ServerFrame, ...]) -> None:
        for frame in frames:
            came.put_nowait(frame)

    connection.handover(arrived)
    left = {device: account for account, device in devices}
    keys = fallbacks = 0
    for request in range(2, 2 + ROUNDS_MAX):
        if not left:
            break
        wanted = tuple(DeviceRef(account, device) for device, account in left.items())
        claimed = await _asked(connection, came, request, wanted[: limits.ENVELOPES_PER_FRAME], clock)
        for each in claimed.keys:
            if each.one_time:
                keys += 1
            else:
                fallbacks += bool(each.fallback)
                left.pop(each.device, None)
    return Taken(keys, fallbacks)


async def _asked(
    connection: Connection,
    came: asyncio.Queue[ServerFrame],
    request: int,
    devices: tuple[DeviceRef, ...],
    clock: Clock,
) -> Claimed:
    """The answer, with patience for a server that says it is too much at once."""
    while True:
        connection.send((Claim(request, devices),))
        answer = await _answer(came, request)
        if isinstance(answer, Claimed):
            return answer
        error = refused(answer)
        if error.code is not Code.BUSY:
            raise error
        await clock.wait_until(clock.monotonic_seconds() + max(0.1, answer.retry_after_ms / 1000))


async def _answer(came: asyncio.Queue[ServerFrame], request: int) -> Claimed | Refusal:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame = await came.get()
                if isinstance(frame, Claimed | Refusal) and frame.request in (0, request):
                    return frame
    except TimeoutError:
        raise Unavailable(Code.UNREACHABLE, "no answer to a claim") from None
