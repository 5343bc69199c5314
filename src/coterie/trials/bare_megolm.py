"""Megolm alone: the floor of sealing and opening, and what tells this machine's speed from the design's.

Targets in microseconds were set on the machine on which the design was measured, where a bare loop opened
messages in 39 to 44 us (delivery.md, Speed). Hosts differ by more than twice, and the same host from hour to
hour; so beside what was measured stands what that would be there (docs/decisions/0063).
"""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from coterie.base.clock import cpu_seconds
from coterie.content.padding import padded_size
from coterie.e2ee.vodo import GroupIn, GroupOut

PLAINTEXT_BYTES: Final = padded_size(500)
"""As much as a short text comes to with everything that is sealed around it."""
DESIGN_OPEN_US: Final = 44.0
"""The slowest that the design says of its machine: the strictest to be compared by."""


AT_DESIGN: Final = "at the speed of the design's machine, by Megolm in the same round"
"""What figures so reckoned say."""


class Bare(msgspec.Struct, frozen=True):
    """Microseconds of CPU for a message."""

    seal: float
    open: float

    @property
    def slowness(self) -> float:
        """How many times as long as the design's machine this one takes."""
        return self.open / DESIGN_OPEN_US


def bare_megolm(count: int) -> Bare:
    """So many messages of one session sealed in a row, then opened in a row. Nothing is kept."""
    plaintext = secrets.token_bytes(PLAINTEXT_BYTES)
    out = GroupOut.create()
    into = GroupIn.from_session_key(out.session_key())
    start = cpu_seconds()
    sealed = [out.seal(plaintext) for _ in range(count)]
    middle = cpu_seconds()
    for message in sealed:
        into.open(message)
    return Bare((middle - start) / count * 1e6, (cpu_seconds() - middle) / count * 1e6)
