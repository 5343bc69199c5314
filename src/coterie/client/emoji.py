"""Emoji that people compare, as they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from coterie.client.events import Emoji
from coterie.e2ee.sas_emoji import EMOJI


def emoji_of(numbers: Iterable[int]) -> tuple[Emoji, ...]:
    """What stands for these numbers below 64."""
    return tuple(Emoji(*EMOJI[number]) for number in numbers)
