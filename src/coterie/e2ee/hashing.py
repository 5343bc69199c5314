"""SHA-256 and HMAC-SHA256 (RFC 2104) of short things, many times.

For each hash that it makes, OpenSSL looks up what SHA-256 is, and for each HMAC what HMAC is as well. A copy
of a hash of nothing needs neither, and HMAC is two hashes: half of what `hmac.digest` takes
(docs/decisions/0056-a-turn-gives-one-fresh-key.md). Tests hold both against the standard library.
"""

from __future__ import annotations

import hashlib
from typing import Final

from coterie.base.codes import Code
from coterie.base.errors import LocalError

BLOCK_BYTES: Final = 64
_OF_NOTHING: Final = hashlib.sha256()
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def sha256(data: bytes) -> bytes:
    """32 bytes."""
    running = _OF_NOTHING.copy()
    running.update(data)
    return running.digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """32 bytes. key: 64 bytes at most."""
    if len(key) > BLOCK_BYTES:
        raise LocalError(Code.USAGE, "a key of 64 bytes at most")
    block = key.ljust(BLOCK_BYTES, b"\x00")
    inner = _OF_NOTHING.copy()
    inner.update(block.translate(_INNER))
    inner.update(data)
    return sha256(block.translate(_OUTER) + inner.digest())
