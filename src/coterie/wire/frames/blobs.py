"""What is said on the second channel, where sealed files go (docs/protocol.md 3.14).

The server learns of a file its id, its size, its hash, and who uploads and who fetches it; what it is called
and what kind of file it is travels in the message that names it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.connection import Hello, Welcome
from coterie.wire.frames.shared import Accepted, Id16, Id32, Natural, Refusal, Signature64

BlobOffset = Annotated[int, msgspec.Meta(ge=0, le=limits.BLOB_BYTES)]
BlobSize = Annotated[int, msgspec.Meta(ge=1, le=limits.BLOB_BYTES)]


class ProveBlobs(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=64, forbid_unknown_fields=True
):
    """As ProveDevice, over prefix(PROVE_BLOBS): a proof for one channel is none for the other.
    run, run_nonce: of the start that the first channel signed in with."""

    request: Natural
    account: Id32
    device: Id16
    run: Natural
    run_nonce: Id16
    signature: Signature64


class PutBlob(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=65, forbid_unknown_fields=True
):
    """A sealed file is to come. Answered by BlobWanted, by Accepted where it is there already, or refused."""

    request: Natural
    blob: Id16
    size_bytes: BlobSize
    sha256: Id32


class BlobChunk(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=66, forbid_unknown_fields=True
):
    """The next bytes, of an upload or to be read; offset: where in the file they stand."""

    request: Natural
    offset: BlobOffset
    content: Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.BLOB_CHUNK_BYTES)]


class GetBlob(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=67, forbid_unknown_fields=True
):
    """A part of a sealed file: so many bytes from start on, fewer where it ends. Answered by BlobChunks in
    order, then BlobRead."""

    request: Natural
    blob: Id16
    start: BlobOffset
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=limits.BLOB_READ_BYTES)]


class DropBlob(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=68, forbid_unknown_fields=True
):
    """Whoever uploaded it wants it gone."""

    request: Natural
    blob: Id16


class BlobWanted(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=80, forbid_unknown_fields=True
):
    """The upload may begin, at this offset."""

    request: Natural
    offset: BlobOffset


class BlobRead(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=81, forbid_unknown_fields=True
):
    """That was all of the part. size_bytes: of the whole file."""

    request: Natural
    size_bytes: BlobSize


BlobClientFrame = Hello | ProveBlobs | PutBlob | BlobChunk | GetBlob | DropBlob
"""What a client may send on this channel."""
BlobServerFrame = Welcome | Accepted | Refusal | BlobWanted | BlobChunk | BlobRead
"""What a server may send on it."""
BlobFrame = BlobClientFrame | BlobServerFrame
