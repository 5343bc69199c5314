"""What comes is what was said: size and SHA-256, for every implementation."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from coterie.base.codes import Code
from coterie.base.errors import Refused


async def checked(chunks: AsyncIterator[bytes], size_bytes: int, sha256: bytes) -> AsyncIterator[bytes]:
    """The chunks as they come. Raises Refused(bad-file) as soon as there are too many bytes, and at the end,
    where a store has to take back all it has: one that has seen this iterator end has what was said."""
    digest, seen_bytes = hashlib.sha256(), 0
    async for chunk in chunks:
        seen_bytes += len(chunk)
        if seen_bytes > size_bytes:
            raise Refused(Code.BAD_FILE, "more bytes than were said")
        digest.update(chunk)
        yield chunk
    if seen_bytes != size_bytes:
        raise Refused(Code.BAD_FILE, "fewer bytes than were said")
    if digest.digest() != sha256:
        raise Refused(Code.BAD_FILE, "other bytes than were said")
