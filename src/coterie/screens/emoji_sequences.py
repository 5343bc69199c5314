"""Finds emoji in text: each sequence (skin tone, flag, family, keycap) as one, by its cell in the sheets.

The list (assets/emoji.txt) has one sequence a line, code points in hex, in the order of the cells; it and the
sheets are made by tools/make_emoji_sheets.py. A sequence that is not in the list falls apart into the parts
that are, as Unicode asks (UTS 51, 2.2).
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

import msgspec

EMOJI_STYLE, TEXT_STYLE, ZWJ, KEYCAP = "\ufe0f", "\ufe0e", "\u200d", "\u20e3"
_BASE: Final = "[\u00a9\u00ae\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff]"
"""All emoji that are one character lie here, and other signs: the list decides."""
_ONE: Final = f"{_BASE}(?:[\U0001f3fb-\U0001f3ff]|[\ufe0e\ufe0f])?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_SHAPE: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[#*0-9]{EMOJI_STYLE}?{KEYCAP}|{_ONE}(?:{ZWJ}{_ONE})*"
)
"""What may be an emoji, longest first."""
_KEEPS_TEXT: Final = frozenset("#*0123456789\u00a9\u00ae\u2122")
"""Single characters that are emoji only where the emoji style is asked for, and safe for every toolkit."""


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text without emoji (cell -1), or one emoji."""

    text: str
    cell: int = -1


class EmojiList(msgspec.Struct, frozen=True):
    cells: dict[str, int]
    """Sequence without style selectors -> cell."""
    text_by_default: frozenset[str]
    """Single characters that are shown as text unless the emoji style follows."""


@cache
def emoji_list() -> EmojiList:
    """The list, read once."""
    lines = (resources.files("coterie.screens") / "assets" / "emoji.txt").read_text("ascii").split()
    cells: dict[str, int] = {}
    by_default: set[str] = set()
    for cell, line in enumerate(lines):
        text = "".join(chr(int(point, 16)) for point in line.split("-"))
        key = text.replace(EMOJI_STYLE, "")
        cells[key] = cell
        if len(key) == 1 and text.endswith(EMOJI_STYLE):
            by_default.add(key)
    return EmojiList(cells, frozenset(by_default))


def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut into stretches and emoji, in order; joined together they are the text."""
    if text.isascii() and KEYCAP not in text:
        return (Piece(text),) if text else ()
    known = emoji_list()
    found: list[Piece] = []
    plain_from = at = 0
    while (match := _SHAPE.search(text, at)) is not None:
        length, cell = _longest(known, match.group())
        if cell < 0:
            at = match.start() + length
            continue
        if match.start() > plain_from:
            found.append(Piece(text[plain_from : match.start()]))
        plain_from = at = match.start() + length
        found.append(Piece(text[match.start() : at], cell))
    if plain_from < len(text):
        found.append(Piece(text[plain_from:]))
    return tuple(found)


def is_emoji_part(char: str) -> bool:
    """Whether a font with coloured pictures may draw this character: it must then not reach a toolkit raw."""
    return char in (ZWJ, KEYCAP, EMOJI_STYLE) or (
        char not in _KEEPS_TEXT and not char.isascii() and char in emoji_list().cells
    )


def _longest(known: EmojiList, candidate: str) -> tuple[int, int]:
    """The longest beginning of the candidate that is in the list: its length and cell (-1: it stays text)."""
    for length in range(len(candidate), 0, -1):
        part = candidate[:length]
        key = part.replace(EMOJI_STYLE, "")
        cell = known.cells.get(key, -1)
        if cell < 0:
            continue
        if part == key and key in known.text_by_default and not candidate[length:].startswith(EMOJI_STYLE):
            return length, -1
        return length, cell
    return 1, -1
