"""Places for blobs, once for each implementation."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from obstore.store import LocalStore, MemoryStore

from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.blobs.object_store import ObjectBlobs
from coterie.server.blobs.protocol import BlobStore
from coterie.trials.engines import s3

Open = Callable[[], Awaitable[BlobStore]]
"""Opens the place of a test, again and again."""


@pytest.fixture(
    params=(
        "directory",
        "objects in files",
        "objects in memory",
        pytest.param("S3", marks=pytest.mark.slow),
    )
)
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    memory = MemoryStore()
    bucket = f"test-{secrets.token_hex(8)}"
    if request.param == "S3":
        store: s3.Store = request.getfixturevalue("s3_store")
        store.make_bucket(bucket)
        for name, value in store.environment().items():
            monkeypatch.setenv(name, value)

    async def opened() -> BlobStore:
        match request.param:
            case "directory":
                return DirectoryBlobs(tmp_path / "blobs")
            case "objects in files":
                return ObjectBlobs(LocalStore(tmp_path / "objects", mkdir=True))
            case "S3":
                return ObjectBlobs.at(f"s3://{bucket}/some/prefix")
            case _:
                return ObjectBlobs(memory)

    return opened


@pytest_asyncio.fixture
async def blobs(make: Open) -> AsyncIterator[BlobStore]:
    opened = await make()
    yield opened
    await opened.close()
