"""Places for blobs, once for each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from obstore.store import LocalStore, MemoryStore

from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.blobs.object_store import ObjectBlobs
from coterie.server.blobs.protocol import BlobStore

Open = Callable[[], Awaitable[BlobStore]]
"""Opens the place of a test, again and again."""


@pytest.fixture(params=("directory", "objects in files", "objects in memory"))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    memory = MemoryStore()

    async def opened() -> BlobStore:
        match request.param:
            case "directory":
                return DirectoryBlobs(tmp_path / "blobs")
            case "objects in files":
                return ObjectBlobs(LocalStore(tmp_path / "objects", mkdir=True))
            case _:
                return ObjectBlobs(memory)

    return opened


@pytest_asyncio.fixture
async def blobs(make: Open) -> AsyncIterator[BlobStore]:
    opened = await make()
    yield opened
    await opened.close()
