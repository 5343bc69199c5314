"""The data folder: one server at a time, readable by its owner alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from coterie.base.codes import Code
from coterie.base.errors import Unavailable

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_PID_BYTES = 20

if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 30
    """Far behind the pid: Windows locks what it locks against reading."""

    def _lock_file(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock_file(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class DataFolder:
    """Holds the folder's lock until close(), or until the process ends, however it ends."""

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make the folder where it is missing and lock it. Raises Unavailable(disk), naming the pid of the
        server that has it."""
        lock = path / "lock"
        try:
            path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise Unavailable(Code.DISK, f"the data folder cannot be used ({error.strerror})") from error
        try:
            _lock_file(handle)
        except OSError as error:
            os.close(handle)
            raise Unavailable(Code.DISK, f"process {_owner(lock)} serves this data folder") from error
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        return cls(path, handle)

    @classmethod
    def of_parent(cls, path: Path) -> Self:
        """The folder that the process has locked which started this one and lives as long."""
        return cls(path, None)

    @property
    def database(self) -> Path:
        return database_of(self.path)

    @property
    def blobs(self) -> Path:
        """The folder of sealed files."""
        return self.path / "blobs"

    @property
    def certificate(self) -> Path:
        """The server's own: PEM of private key and certificate."""
        return self.certificate_of(self.path)

    @staticmethod
    def certificate_of(folder: Path) -> Path:
        """Where the server's own certificate lies in a data folder, running or not."""
        return folder / "tls.pem"

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)


def database_of(folder: Path) -> Path:
    """The SQLite file in a data folder."""
    return folder / "server.db"


def _owner(lock: Path) -> str:
    try:
        with lock.open("rb") as file:
            return file.read(_PID_BYTES).decode("ascii", "replace") or "?"
    except OSError:
        return "?"


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can (Windows has no such call; NTFS writes its
    names in order). Raises OSError."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
