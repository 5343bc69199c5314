"""Embedding levels of the Unicode bidirectional algorithm (UAX 9), for lines that a canvas puts together
itself.

The pure-Python part of python-bidi does the work; its input here has no explicit formatting
(screens/cleaning.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from bidi import algorithm  # type: ignore[import-untyped, unused-ignore]  # it has no types

from coterie.screens.richtext import right_to_left

T = TypeVar("T")

_MARK: Final = "\u0300"
_NEUTRAL: Final = "\ufffc"
_UNKNOWN: Final = frozenset(("", "B", "S"))
"""Not assigned in this Python's Unicode (new emoji), or no part of a line."""
_REMOVED: Final = frozenset(("BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))


def levels(text: str) -> list[int]:
    """One level a character: odd ones run from right to left."""
    base = 1 if right_to_left(text) else 0
    kept = "".join(map(_known, text))
    storage: dict[str, Any] = algorithm.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, "LR"[base]
    algorithm.get_embedding_levels(kept, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage, False)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    found = [int(char["level"]) for char in storage["chars"]]
    return found if len(found) == len(text) else [base] * len(text)


def _known(char: str) -> str:
    """A character that the algorithm neither drops nor stumbles over, for each."""
    direction = unicodedata.bidirectional(char)
    if direction in _UNKNOWN:
        return _NEUTRAL
    return _MARK if direction in _REMOVED else char


def visual_order(line: Sequence[T], level_of: Sequence[int]) -> list[T]:
    """The parts of one line as they stand from left to right (rule L2)."""
    order = list(line)
    of = list(level_of)
    if not of:
        return order
    for level in range(max(of), 0, -1):
        at = 0
        while at < len(of):
            end = at
            while end < len(of) and of[end] >= level:
                end += 1
            if end > at:
                order[at:end] = reversed(order[at:end])
                of[at:end] = reversed(of[at:end])
            at = max(end, at + 1)
    return order
