"""Length hiding: sealed messages come in few sizes."""

from __future__ import annotations

from coterie.base.limits import PADDING_UNIT_BYTES


def padded_size(size: int) -> int:
    """The smallest 256 * 2^k bytes that hold this many bytes."""
    padded = PADDING_UNIT_BYTES
    while padded < size:
        padded *= 2
    return padded
