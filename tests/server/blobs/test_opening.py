"""Where a server's blobs lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import BlobId
from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.blobs.object_store import ObjectBlobs
from coterie.server.blobs.opening import open_blobs


@pytest.mark.asyncio
async def test_they_lie_in_the_folder_or_where_the_address_says(tmp_path: Path) -> None:
    here = open_blobs(tmp_path, "")
    assert isinstance(here, DirectoryBlobs)
    await here.close()
    assert isinstance(open_blobs(tmp_path, "s3://bucket/some/prefix"), ObjectBlobs)


@pytest.mark.parametrize("url", ["bucket", "s3://", "s3:///", "https://bucket", "file:///srv", "gs://bucket"])
def test_another_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(Refused) as caught:
        open_blobs(tmp_path, url)
    assert caught.value.code is Code.USAGE


@pytest.mark.slow
def test_a_server_without_such_a_store_does_not_load_its_library(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, coterie.server.serve, coterie.server.blobs.opening as opening;"
        "opening.open_blobs(pathlib.Path(sys.argv[1]), '');"
        "sys.exit('obstore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0


@pytest.mark.asyncio
async def test_a_store_that_nobody_answers_for_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from obstore.store import S3Store

    store = S3Store(
        "bucket",
        endpoint="https://127.0.0.1:1",
        access_key_id="a",
        secret_access_key="b",
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
    )
    with pytest.raises(Unavailable) as caught:
        await ObjectBlobs(store).read(BlobId(bytes(16)), 0, 1)
    assert caught.value.code is Code.DISK
