"""Puts a blob into a folder, says when the first chunk is taken, and gives no second one. Started by
test_directory.py, which kills it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from coterie.base.ids import BlobId
from coterie.server.blobs.directory import DirectoryBlobs


async def chunks() -> AsyncIterator[bytes]:
    yield bytes(200_000)
    print("taken", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(DirectoryBlobs(Path(sys.argv[1])).put(BlobId(bytes(16)), 400_000, bytes(32), chunks()))
