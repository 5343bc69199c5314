"""Which characters a Tk widget may draw, and where text may be cut.

Coloured glyphs end the process on some systems (an X error that nobody can catch), and Tk neither shapes
nor reorders complex scripts on X11. So emoji, everything outside the basic plane, right-to-left and shaping
scripts never reach a widget: they are pictures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from coterie.screens.emoji_sequences import emoji_list, is_emoji_part

_RIGHT_TO_LEFT: Final = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe"
_SHAPING: Final = (
    "\u0900-\u0fff\u1000-\u109f\u1700-\u18af\u1900-\u1aaf\u1b00-\u1c4f\u1cd0-\u1cff"
    "\ua800-\ua95f\ua980-\uab2f\uabc0-\uabff"
)
_NEVER: Final = "\u200b-\u200f\u20e3\u202a-\u202e\u2060-\u206f\ud800-\uf8ff\ufe00-\ufe0f"
_ASTRAL: Final = "[\U00010000-\U0010ffff]"
"""Apart from the others: one class with characters of both planes is searched slowly."""
_HAS_DIRECTION: Final = re.compile(f"[{_RIGHT_TO_LEFT}\U00010800-\U00010fff\U0001e800-\U0001efff]")


@cache
def _drawn_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:[{_RIGHT_TO_LEFT}{_SHAPING}{_NEVER}{_emoji()}]|{_ASTRAL})+")


@cache
def _never_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:[{_NEVER}{_emoji()}]|{_ASTRAL})+")


def _emoji() -> str:
    """Single emoji of the basic plane, for a class of characters."""
    return "".join(
        re.escape(char)
        for char in sorted(emoji_list().cells)
        if len(char) == 1 and "\u00ff" < char <= "\uffff" and is_emoji_part(char)
    )


def unsafe_runs(text: str) -> Iterator[tuple[str, bool]]:
    """Like runs(), but scripts that Tk only draws badly stay text: for what is being typed."""
    return _cut(text, _never_pattern())


def drawn(text: str) -> bool:
    """Whether any of it must be a picture."""
    return not text.isascii() and _drawn_pattern().search(text) is not None


def tk_text(text: str) -> str:
    """The text for a widget that can hold no pictures: what must be a picture becomes a box."""
    return text if text.isascii() else _drawn_pattern().sub("\N{WHITE SQUARE}", text)


def has_direction(text: str) -> bool:
    """Whether any of it is written from right to left."""
    return not text.isascii() and _HAS_DIRECTION.search(text) is not None


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """The text cut into stretches for Tk (False) and stretches to draw (True)."""
    return _cut(text, _drawn_pattern())


def _cut(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    if text.isascii():
        yield text, False
        return
    at = 0
    for match in pattern.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], False
        yield match.group(), True
        at = match.end()
    if at < len(text):
        yield text[at:], False


def clusters(text: str) -> list[str]:
    """Letters with their marks: what may not be cut apart (close to UAX 29)."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for char in text:
        if found and (unicodedata.category(char)[0] == "M" or char == "\u200d" or found[-1][-1] == "\u200d"):
            found[-1] += char
        else:
            found.append(char)
    return found
