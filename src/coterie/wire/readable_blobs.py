"""Every field of what a client says on the second channel, and why the server gets it (as readable.py).

A file's name, its kind and its true length are in none: they travel in the message that names the file.
"""

from __future__ import annotations

from typing import Final

import msgspec

from coterie.wire.frames.blobs import BlobChunk, DropBlob, GetBlob, ProveBlobs, PutBlob
from coterie.wire.frames.connection import Hello, ProveDevice
from coterie.wire.readable import FIELDS, Field, Kind

_REQUEST = FIELDS[ProveDevice]["request"]
_BLOB = Field(Kind.PROOF, "random id of a sealed file: only whoever was told it can ask for it")

BLOB_FIELDS: Final[dict[type[msgspec.Struct], dict[str, Field]]] = {
    Hello: FIELDS[Hello],
    ProveBlobs: FIELDS[ProveDevice],
    PutBlob: {
        "request": _REQUEST,
        "blob": _BLOB,
        "size_bytes": Field(Kind.OPEN, "how large the sealed file is, padded: it counts as this account's"),
        "sha256": Field(Kind.PROOF, "hash of the sealed bytes: what comes has to be what was said"),
    },
    BlobChunk: {
        "request": _REQUEST,
        "offset": Field(Kind.OPEN, "where in the sealed file this stands"),
        "content": Field(Kind.SEALED, "a piece of the sealed file"),
    },
    GetBlob: {
        "request": _REQUEST,
        "blob": _BLOB,
        "start": Field(Kind.OPEN, "from where on"),
        "size_bytes": Field(Kind.OPEN, "and how much of it"),
    },
    DropBlob: {"request": _REQUEST, "blob": _BLOB},
}
