"""Genuine bytes, broken in every place: cut at each byte, lengthened, and each value in them exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from coterie.base.domains import SUITE
from tests.attacks.peers import Peer
from tests.attacks.test_garbage import CLEAR, SLOW, Parser, parsers
from tests.mutants import mutants

CUTS_MOST = 400
OTHERS: tuple[object, ...] = (
    None,
    True,
    -1,
    (1 << 64) - 1,
    -(1 << 63),
    1.5,
    b"",
    b"x" * 70_000,
    "",
    "\x00",
    [],
    {},
)
HEADERS = (
    b"\x91" * 100_000,
    b"\x81\xc0" * 50_000,
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x01",
)
"""Deep nesting and rows, maps, bytes, texts and extensions of 4 GB."""
HALF_A_PAIR = b"\xa3\xed\xa0\x80"
MARK = b"\xa3\xef\xbf\xbe"
"""Stands where something goes that no encoder makes."""


def broken(genuine: bytes) -> Iterator[bytes]:
    """See above."""
    step = max(1, len(genuine) // CUTS_MOST)
    yield from (genuine[:end] for end in range(0, len(genuine), step))
    yield from (genuine + b"\x00", genuine + genuine, genuine + b"\xc0")
    start = genuine.find(bytes((SUITE,))) + 1 if genuine.startswith(b"coterie") else 0
    prefix, content = genuine[:start], genuine[start:]
    yield from (prefix + header for header in HEADERS)
    try:
        tree = msgspec.msgpack.decode(content)
    except (msgspec.MsgspecError, ValueError):
        return
    for wrong in _exchanged(tree):
        packed = msgspec.msgpack.encode(wrong)
        yield prefix + packed
        if MARK in packed:
            yield from (prefix + packed.replace(MARK, worse) for worse in (HALF_A_PAIR, *HEADERS))


def _exchanged(tree: Any) -> Iterator[Any]:
    """The tree with one value exchanged, or one more or less in a row."""
    yield from OTHERS
    yield "\ufffe"
    if isinstance(tree, list):
        yield [*tree, None]
        yield tree[:-1]
        yield tree * 300
        for at, item in enumerate(tree[:40]):
            for wrong in _exchanged(item):
                yield [*tree[:at], wrong, *tree[at + 1 :]]
    elif isinstance(tree, int | bytes | str) and not isinstance(tree, bool):
        yield from (wrong for _, wrong in mutants(tree) if not (isinstance(wrong, int) and wrong >= 1 << 64))


@pytest.mark.slow
def test_broken_bytes_give_a_value_or_a_clear_error(alice: Peer, mallory: Peer) -> None:
    """Attack: a peer, a server or a damaged disk cuts, lengthens or exchanges a part of what was right."""
    every: dict[str, Parser] = parsers(alice, mallory)
    refused = 0
    for name, (parser, genuine) in every.items():
        for whole in genuine[: 1 if name in SLOW else None]:
            for number, data in enumerate(broken(whole)):
                if name in SLOW and number % 50:
                    continue
                try:
                    parser(data)
                except CLEAR:
                    refused += 1
                except BaseException as error:
                    raise AssertionError(f"{name}: {data[:200].hex()}") from error
    assert refused > 10_000
