"""One process owns a profile: a lock that the system lets go of when its holder dies.

Taken before the password is stretched, so that a second process costs no Argon2.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Self

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.limits import PROFILE_WAIT_SECONDS
from coterie.client.store.faults import file_fault
from coterie.client.store.profiles import FILE_MODE, ProfilePlace

POLL_SECONDS = 0.1
_PID_BYTES = 20
_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, errno.ENOENT)
"""Held by another, or (ENOENT) removed in between: worth another try."""

if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 30
    """Far behind the pid, which others can read therefore: Windows locks what it locks against reading."""

    def _lock_file(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock_file(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProfileLock:
    """try_acquire, release; or acquire(), which waits. The file stays and names the last owner's pid."""

    def __init__(self, place: ProfilePlace) -> None:
        self.place = place
        self._path = place.lock
        self._handle: int | None = None

    @classmethod
    async def acquire(
        cls, place: ProfilePlace, clock: Clock, timeout_seconds: float = PROFILE_WAIT_SECONDS
    ) -> Self:
        """Wait until the profile is free. Raises Unavailable(profile-in-use), naming the owner's pid."""
        lock = cls(place)
        deadline = clock.monotonic_seconds() + timeout_seconds
        while not lock.try_acquire():
            if clock.monotonic_seconds() >= deadline:
                raise lock.in_use()
            await clock.wait_until(min(clock.monotonic_seconds() + POLL_SECONDS, deadline))
        return lock

    def try_acquire(self) -> bool:
        """Whether this object holds the lock now.

        Raises Refused(no-profile) where the folder is gone, Unavailable(disk) where the file cannot be made.
        """
        if self._handle is not None:
            return True
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except FileNotFoundError as error:
            raise Refused(Code.NO_PROFILE, "the folder of the profile is gone") from error
        except OSError as error:
            raise file_fault(error, "the lock of the profile") from error
        return self._take(handle)

    def _take(self, handle: int) -> bool:
        """Lock an open file, unless another holds it or it is no longer the one in the folder."""
        try:
            _lock_file(handle)
            if not os.path.samestat(os.fstat(handle), self._path.stat()):
                raise BlockingIOError(errno.EAGAIN, "the file was removed while it was opened")
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        except OSError as error:
            os.close(handle)
            if error.errno in _HELD:
                return False
            raise file_fault(error, "the lock of the profile") from error
        self._handle = handle
        return True

    def owner_pid(self) -> int | None:
        """Of the process that holds the profile, or held it last; None where nobody ever did."""
        try:
            with self._path.open("rb") as file:
                text = file.read(_PID_BYTES)
        except OSError:
            return None
        return int(text) if text.isdigit() else None

    def in_use(self) -> Unavailable:
        """What to raise where the wait is over."""
        pid = self.owner_pid()
        owner = "another process" if pid is None else f"process {pid}"
        return Unavailable(Code.PROFILE_IN_USE, f"{owner} has this profile open")

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def close(self) -> None:
        self.release()
