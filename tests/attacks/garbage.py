"""Garbage without end: noise, and genuine bytes that were damaged. The same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

NOISE_BYTES_MOST = 400
MARKS = (
    b"\x00",
    b"\xff",
    b"\x80",
    b"\xc0",
    b"\xc1",
    b"\xdd\xff\xff\xff\xff",
    b"\x91" * 40,
    b"\xcb\x7f\xf8" + bytes(6),
)
"""Bytes that decoders stumble over: unused and huge msgpack headers, deep nesting, a number that is none."""


class Dice:
    """Numbers and bytes that look random: SHAKE-128 of a seed and a counter."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._throws = 0

    def bytes(self, size: int) -> bytes:
        self._throws += 1
        return hashlib.shake_128(self._seed + self._throws.to_bytes(8, "big")).digest(size)

    def below(self, limit: int) -> int:
        return int.from_bytes(self.bytes(8), "big") % limit


def garbage(genuine: tuple[bytes, ...], seed: bytes) -> Iterator[bytes]:
    """For ever: by turns noise, and a genuine one flipped, cut, lengthened, marked or crossed with
    another."""
    dice = Dice(seed)
    while True:
        data = genuine[dice.below(len(genuine))]
        place = dice.below(len(data) + 1)
        match dice.below(6):
            case 0:
                yield dice.bytes(dice.below(NOISE_BYTES_MOST))
            case 1:
                yield data[:place]
            case 2:
                yield data[:place] + dice.bytes(1 + dice.below(8)) + data[place:]
            case 3:
                yield data[:place] + MARKS[dice.below(len(MARKS))] + data[place + dice.below(40) :]
            case 4:
                other = genuine[dice.below(len(genuine))]
                yield data[:place] + other[min(place, len(other)) :]
            case _:
                altered = bytearray(data or b"\x00")
                for _ in range(1 + dice.below(3)):
                    altered[dice.below(len(altered))] ^= 1 << dice.below(8)
                yield bytes(altered)
