"""Blobs as files of one folder: written beside it, on disk, and only then under their name."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import BlobId
from coterie.server.blobs.checking import checked
from coterie.server.folder import sync_folder

FOLDER_MODE = 0o700
FILE_MODE = 0o600
THREADS = 4
"""A disk that is slow holds up as many blobs, and no message (docs/decisions/0050)."""
COMING = "coming"
"""The folder of what is not whole yet."""

T = TypeVar("T")


class DirectoryBlobs:
    """Implements BlobStore. The folder belongs to one server at a time, whose workers each write in a part of
    their own: what a killed one left half-written is removed when the next one opens it."""

    def __init__(self, folder: Path, worker: int = 0) -> None:
        """Make the folder where it is missing. worker: its number among the processes that share the
        folder, 0 where it is alone. Raises Unavailable(disk)."""
        self._folder = folder
        self._coming = folder / (f"{COMING}-{worker}" if worker else COMING)
        self._count = 0
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._coming.mkdir(mode=FOLDER_MODE, exist_ok=True)
            for left in self._coming.iterdir():
                left.unlink()
            sync_folder(folder.parent)
        except OSError as error:
            raise _fault(error) from error
        self._threads = ThreadPoolExecutor(THREADS, "coterie-blobs")

    async def put(self, blob: BlobId, size_bytes: int, sha256: bytes, chunks: AsyncIterator[bytes]) -> None:
        self._count += 1
        part = self._coming / f"{blob.hex()}-{self._count}"
        file = await self._beside(lambda: _new_file(part))
        try:
            async for chunk in checked(chunks, size_bytes, sha256):
                await self._beside(lambda: file.write(chunk))  # noqa: B023 - it is waited for
            await self._beside(lambda: self._keep(file, part, self._folder / blob.hex()))
        finally:
            await self._beside(lambda: _forget(file, part))

    async def read(self, blob: BlobId, start: int, size_bytes: int) -> bytes:
        return await self._beside(lambda: _read(self._folder / blob.hex(), start, size_bytes))

    async def delete(self, blob: BlobId) -> None:
        def delete() -> None:
            (self._folder / blob.hex()).unlink(missing_ok=True)
            sync_folder(self._folder)

        await self._beside(delete)

    async def total_bytes(self) -> int:
        def total() -> int:
            with os.scandir(self._folder) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.is_file())

        return await self._beside(total)

    async def free_bytes(self) -> int | None:
        return await self._beside(lambda: shutil.disk_usage(self._folder).free)

    async def close(self) -> None:
        self._threads.shutdown()

    async def _beside(self, step: Callable[[], T]) -> T:
        """Run a step in a thread. Whoever waits may be cancelled; the step comes to its end first, so nobody
        touches its file meanwhile."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, step)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait((future,))
            future.exception()
            raise
        except OSError as error:
            raise _fault(error) from error

    def _keep(self, file: BinaryIO, part: Path, whole: Path) -> None:
        """On disk, then under its name, and that on disk too."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        part.replace(whole)
        sync_folder(self._folder)


def _new_file(part: Path) -> BinaryIO:
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb")


def _forget(file: BinaryIO, part: Path) -> None:
    with suppress(OSError):
        file.close()
    part.unlink(missing_ok=True)


def _read(whole: Path, start: int, size_bytes: int) -> bytes:
    try:
        with whole.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(size_bytes)
    except FileNotFoundError:
        raise Refused(Code.UNKNOWN_FILE) from None


def _fault(error: OSError) -> Unavailable:
    return Unavailable(Code.DISK, f"the place for files cannot be used ({error.strerror})")
