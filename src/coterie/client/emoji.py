"""Emoji that people compare, as they are shown."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from coterie.e2ee.sas_emoji import EMOJI


class Emoji(msgspec.Struct, frozen=True):
    """One emoji, and what it is called."""

    sign: str
    name: str


def emoji_of(numbers: Iterable[int]) -> tuple[Emoji, ...]:
    """What stands for these numbers below 64."""
    return tuple(Emoji(*EMOJI[number]) for number in numbers)
