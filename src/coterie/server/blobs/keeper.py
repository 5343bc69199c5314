"""Sealed files between the database, which knows whose they are, and the place where their bytes lie.

A row comes first and goes last: whatever ends the process in between, nothing lies there that no row names,
and what is not whole is given to nobody and goes within a day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused
from coterie.base.ids import AccountId, BlobId, DeviceId
from coterie.server.blobs.protocol import BlobStore
from coterie.server.store.blob_records import BeginBlob, BlobState, EndBlob, ForgetBlob, KeepBlob
from coterie.server.store.protocol import Store, StoreLost
from coterie.server.store.results import BlobBegun, Broken, Denied, Result

PRUNED_AT_ONCE = 50
LOW_DISK_SECONDS = 600.0
BUSY_SECONDS = 10.0


class Keeper:
    """All raise Unavailable where database or place cannot be used now. lost: called where what was being
    written to the database may hold or not."""

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        clock: Clock,
        lost: Callable[[], None],
        *,
        kept_longer_ms: int = 0,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._lost = lost
        self._kept_longer_ms = kept_longer_ms
        self._coming: set[BlobId] = set()

    @property
    def under_way(self) -> int:
        """How many files are coming."""
        return len(self._coming)

    async def begin(self, device: DeviceId, blob: BlobId, size_bytes: int, sha256: bytes) -> bool:
        """Whether the file is there already; else put() has to follow.

        Raises Refused: low-disk, files-full, bad-file (the id stands for another), busy (it is coming, or
        going), revoked.
        """
        free_bytes = await self._blobs.free_bytes()
        if free_bytes is not None and free_bytes - size_bytes < limits.BLOB_SPARE_BYTES:
            raise Refused(Code.LOW_DISK, retry_after_seconds=LOW_DISK_SECONDS)
        if blob in self._coming:
            raise Refused(Code.BUSY, retry_after_seconds=BUSY_SECONDS)
        begun = await self._save(BeginBlob(device, blob, size_bytes, sha256, self._clock.wall_ms()))
        return isinstance(begun, BlobBegun) and begun.whole

    async def put(
        self, device: DeviceId, blob: BlobId, size_bytes: int, sha256: bytes, chunks: AsyncIterator[bytes]
    ) -> None:
        """On return the file is on the disk, and the database knows it.

        Raises Refused: bad-file, revoked, busy; whatever the chunks raise. Nothing of the file is left then.
        """
        if blob in self._coming:
            raise Refused(Code.BUSY, retry_after_seconds=BUSY_SECONDS)
        self._coming.add(blob)
        try:
            try:
                await self._blobs.put(blob, size_bytes, sha256, chunks)
                await self._save(KeepBlob(device, blob, self._clock.wall_ms()))
            except StoreLost:
                raise
            except Exception:
                await self._drop(EndBlob(blob, only=BlobState.COMING))
                raise
        finally:
            self._coming.discard(blob)

    async def size_bytes(self, blob: BlobId) -> int:
        """Of the whole file. Raises Refused(unknown-file)."""
        row = await self._store.blob(blob)
        if row is None or row.state is not BlobState.WHOLE:
            raise Refused(Code.UNKNOWN_FILE)
        return row.size_bytes

    async def read(self, blob: BlobId, start: int, size_bytes: int) -> bytes:
        """A part of it. Raises Refused(unknown-file)."""
        return await self._blobs.read(blob, start, size_bytes)

    async def drop(self, blob: BlobId, account: AccountId) -> None:
        """Whoever uploaded it wants it gone. Raises Refused(unknown-file), also for files of others."""
        await self._save(EndBlob(blob, account))
        await self._drop(EndBlob(blob))

    async def prune(self) -> bool:
        """Drop some of those whose time is over; whether there may be more."""
        due = await self._store.blobs_due(self._clock.wall_ms(), PRUNED_AT_ONCE, self._kept_longer_ms)
        for blob in due:
            if blob not in self._coming:
                await self._drop(EndBlob(blob))
        return len(due) == PRUNED_AT_ONCE

    async def _drop(self, end: EndBlob) -> None:
        """Nothing where it was not to be ended."""
        try:
            await self._save(end)
        except Refused:
            return
        await self._blobs.delete(end.blob)
        with suppress(Refused):  # another server of this data was at it too
            await self._save(ForgetBlob(end.blob))

    async def _save(self, record: BeginBlob | KeepBlob | EndBlob | ForgetBlob) -> Result:
        try:
            (result,) = await self._store.commit((record,))
        except StoreLost:
            self._lost()
            raise
        if isinstance(result, Denied):
            wait_seconds = BUSY_SECONDS if result.code is Code.BUSY else 0.0
            raise Refused(result.code, retry_after_seconds=wait_seconds)
        if isinstance(result, Broken):
            raise LocalError(Code.USAGE, f"a {type(record).__name__} could not be saved")
        return result
