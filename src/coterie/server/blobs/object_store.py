"""Blobs in an S3-like store, by way of obstore. The only module that knows it.

What an address does not say (keys, region, another endpoint than Amazon's) is looked up as every client of S3
does: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL. An endpoint has to speak TLS.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import BlobId
from coterie.server.blobs.checking import checked

PART_BYTES = 8 << 20
"""Of a large blob, sent at once. S3 wants 5 MiB at least and 10,000 parts at most."""
PARTS_AT_ONCE = 2


class ObjectBlobs:
    """Implements BlobStore. A blob is one object, named by its id in hex."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> Self:
        """url: s3://BUCKET or s3://BUCKET/PREFIX. Raises Refused(usage)."""
        try:
            return cls(S3Store.from_url(url))
        except (BaseError, ValueError) as error:
            raise Refused(Code.USAGE, "this is no address of an S3-like store") from error

    async def put(self, blob: BlobId, size_bytes: int, sha256: bytes, chunks: AsyncIterator[bytes]) -> None:
        """Where the chunks end with an exception, obstore gives up the upload: there is no object then."""
        raised: list[BaseException] = []
        given = _noting(checked(chunks, size_bytes, sha256), raised)
        try:
            with _faults():
                await obstore.put_async(
                    self._store, blob.hex(), given, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        except Exception:
            if raised:
                raise raised[0] from None
            raise

    async def read(self, blob: BlobId, start: int, size_bytes: int) -> bytes:
        with _faults():
            try:
                whole_bytes = (await obstore.head_async(self._store, blob.hex()))["size"]
                end = min(start + size_bytes, whole_bytes)
                if start >= end:
                    return b""
                return bytes(await obstore.get_range_async(self._store, blob.hex(), start=start, end=end))
            except FileNotFoundError:
                await self._require_place()
        raise Refused(Code.UNKNOWN_FILE)

    async def delete(self, blob: BlobId) -> None:
        with _faults():
            try:
                await obstore.delete_async(self._store, blob.hex())
            except FileNotFoundError:
                await self._require_place()

    async def total_bytes(self) -> int:
        with _faults():
            return sum([meta["size"] async for page in obstore.list(self._store) for meta in page])

    async def free_bytes(self) -> int | None:
        return None

    async def close(self) -> None:
        """Nothing is held."""

    async def _require_place(self) -> None:
        """Where a bucket is not there, S3 says of each object that it is not. Nothing is gone then: the place
        is unavailable."""
        async for _ in obstore.list(self._store, chunk_size=1):
            return


async def _noting(chunks: AsyncIterator[bytes], raised: list[BaseException]) -> AsyncIterator[bytes]:
    """The chunks; what ends them is noted, since obstore says it in its own words."""
    try:
        async for chunk in chunks:
            yield chunk
    except BaseException as error:
        raised.append(error)
        raise


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise Unavailable(Code.DISK, f"the store of files cannot be used ({type(error).__name__})") from error
