"""Which place a server's blobs lie in: a folder in its own, or an S3-like store that it names."""

from __future__ import annotations

from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.blobs.protocol import BlobStore

SCHEME = "s3://"


def require_blobs_url(url: str) -> str:
    """The address as it is. Raises Refused(usage) where it names no bucket."""
    if not url.startswith(SCHEME) or not url.removeprefix(SCHEME).strip("/"):
        raise Refused(Code.USAGE, "files lie in the data folder, or at s3://BUCKET/PREFIX")
    return url


def open_blobs(folder: Path, url: str, worker: int = 0) -> BlobStore:
    """url: "" for the folder. worker: as of DirectoryBlobs. Raises Unavailable(disk), Refused(usage)."""
    if not url:
        return DirectoryBlobs(folder, worker)
    from coterie.server.blobs.object_store import ObjectBlobs

    return ObjectBlobs.at(require_blobs_url(url))
