"""Which of many faults it takes to fail: tries fewer and fewer, as long as there is patience."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


async def shrunk(
    items: Sequence[Item], fails: Callable[[tuple[Item, ...]], Awaitable[bool]], tries: int
) -> tuple[Item, ...]:
    """The shortest found that still fails, in the same order; items itself is known to fail.

    Leaves out ever smaller parts (delta debugging: Zeller and Hildebrandt, 2002). What depends on the machine
    may fail only sometimes: then less is found, never something that did not fail.
    """
    found, parts = tuple(items), 2
    while len(found) > 1 and tries > 0:
        size = -(-len(found) // parts)
        for start in range(0, len(found), size):
            fewer = (*found[:start], *found[start + size :])
            tries -= 1
            if await fails(fewer):
                found, parts = fewer, max(2, parts - 1)
                break
            if tries <= 0:
                return found
        else:
            if size == 1:
                return found
            parts = min(len(found), 2 * parts)
    return found
