"""One process owns a profile, until it lets go or dies."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest

from coterie.base.clock import FakeClock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.limits import PROFILE_WAIT_SECONDS
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace
from tests.client.store.processes import next_line, started


async def acquire_while_time_passes(place: ProfilePlace, clock: FakeClock) -> ProfileLock:
    """Wait for the lock, moving the clock on in steps until the wait has ended."""

    async def pass_time() -> None:
        while True:
            clock.advance(0.05)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        time = tasks.create_task(pass_time())
        try:
            return await ProfileLock.acquire(place, clock)
        finally:
            time.cancel()


@pytest.mark.asyncio
async def test_a_second_process_waits_and_is_then_told_who(place: ProfilePlace) -> None:
    clock = FakeClock()
    with started("holding_process", place.folder) as owner:
        assert next_line(owner) == "held"
        with pytest.raises(ExceptionGroup) as raised:
            await acquire_while_time_passes(place, clock)
        (error,) = raised.value.exceptions
        assert isinstance(error, Unavailable)
        assert error.code is Code.PROFILE_IN_USE
        assert f"process {owner.pid} " in error.note
        assert PROFILE_WAIT_SECONDS <= clock.monotonic_seconds() < PROFILE_WAIT_SECONDS + 1


@pytest.mark.asyncio
async def test_a_killed_owner_holds_nothing(place: ProfilePlace) -> None:
    with started("holding_process", place.folder) as owner:
        assert next_line(owner) == "held"
        assert not ProfileLock(place).try_acquire()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(ProfileLock.acquire(place, SystemClock()))
            await asyncio.sleep(0)
            assert not waiting.done()
            owner.kill()
        lock = waiting.result()
    assert lock.owner_pid() == os.getpid()
    lock.release()


def test_letting_go_in_order(place: ProfilePlace) -> None:
    with started("holding_process", place.folder) as owner:
        assert next_line(owner) == "held"
        lock = ProfileLock(place)
        assert lock.owner_pid() == owner.pid
        assert owner.stdin is not None
        owner.stdin.close()
        assert next_line(owner) == "released"
        assert lock.try_acquire()
        with started("holding_process", place.folder) as other:
            assert next_line(other) == "not held"
    lock.close()


def test_two_locks_of_one_process(place: ProfilePlace) -> None:
    first, second = ProfileLock(place), ProfileLock(place)
    assert first.owner_pid() is None
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_profile_that_was_removed_meanwhile(place: ProfilePlace) -> None:
    owner, waiter = ProfileLock(place), ProfileLock(place)
    assert owner.try_acquire()
    shutil.rmtree(place.folder)
    with pytest.raises(Refused) as raised:
        waiter.try_acquire()
    assert raised.value.code is Code.NO_PROFILE
    place.folder.mkdir()
    assert waiter.try_acquire()
    owner.release()
    assert not ProfileLock(place).try_acquire()
    waiter.release()


def test_a_file_that_was_removed_between_opening_and_locking(place: ProfilePlace) -> None:
    owner, waiter = ProfileLock(place), ProfileLock(place)
    opened = os.open(place.lock, os.O_RDWR | os.O_CREAT)
    place.lock.unlink()
    assert not waiter._take(opened)
    assert owner.try_acquire()
    opened = os.open(place.lock, os.O_RDWR)
    assert not waiter._take(opened)
    owner.release()


def test_the_pid_of_an_earlier_owner_leaves_no_digits(place: ProfilePlace) -> None:
    place.lock.write_text("9" * 15)
    lock = ProfileLock(place)
    assert lock.try_acquire()
    assert lock.owner_pid() == os.getpid()
    lock.release()


@pytest.mark.parametrize("content", [b"", b"no number", b"9" * 100, b"\xff\x00", "²".encode()])
def test_an_owner_that_cannot_be_read(place: ProfilePlace, content: bytes) -> None:
    place.lock.write_bytes(content)
    error = ProfileLock(place).in_use()
    assert error.code is Code.PROFILE_IN_USE
    assert error.note


def test_a_lock_that_cannot_be_made(place: ProfilePlace) -> None:
    place.lock.mkdir()
    with pytest.raises(Unavailable) as raised:
        ProfileLock(place).try_acquire()
    assert raised.value.code is Code.DISK
