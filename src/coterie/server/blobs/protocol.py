"""What the server needs of a place for blobs. One contract suite runs on every implementation.

All raise Unavailable(disk) where the place cannot be used now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from coterie.base.ids import BlobId


class BlobStore(Protocol):
    """Blobs by id. One is there whole, or it is not there."""

    async def put(self, blob: BlobId, size_bytes: int, sha256: bytes, chunks: AsyncIterator[bytes]) -> None:
        """Keep what the chunks hold together; durable on return. What was there under this id is replaced.

        Raises Refused(bad-file) where it is not of that size, or hash; and whatever the chunks raise. Nothing
        of it can be seen then, nor after the end of the process in between.
        """
        ...

    async def read(self, blob: BlobId, start: int, size_bytes: int) -> bytes:
        """So many bytes from there on, fewer at the end of the blob; none beyond it. Raises
        Refused(unknown-file)."""
        ...

    async def delete(self, blob: BlobId) -> None:
        """Gone on return, also where it was not there."""
        ...

    async def total_bytes(self) -> int:
        """Of all blobs together. Looks at each one: nothing to ask for often."""
        ...

    async def free_bytes(self) -> int | None:
        """How much room there is; None where nobody can say."""
        ...

    async def close(self) -> None: ...
