"""Which text may stand in an entry, a label or a window title.

On some systems a colour emoji in a Tk widget ends the process with an X error that nobody can catch, so such
widgets get plain text only: letters, marks, digits, punctuation and plain signs of the basic plane.
Bidirectional controls and other invisible characters are left out too: they make one name look like another.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_LAST_OF_BASIC_PLANE: Final = "\uffff"
_LAST_OF_LATIN_1: Final = "\u00ff"
_FORBIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Me", "So", "Zl", "Zp"))
_VARIATION_SELECTORS: Final = range(0xFE00, 0xFE10)
_EMOJI_AMONG_SIGNS: Final = frozenset("\u00a9\u00ae\u203c\u2049\u2194\u25fb\u25fc\u25fd\u25fe\u3030")
"""Code points with an emoji form outside the category of pictures (Unicode 15, emoji-data.txt)."""


def is_plain(text: str) -> bool:
    """Whether every character may reach a Tk widget."""
    return all(map(_allowed, text))


def plain(text: str) -> str:
    """The text without the characters that may not reach a Tk widget."""
    return text if is_plain(text) else "".join(filter(_allowed, text))


def _allowed(character: str) -> bool:
    if " " <= character <= "~":
        return True
    if character > _LAST_OF_BASIC_PLANE or character in _EMOJI_AMONG_SIGNS:
        return False
    if ord(character) in _VARIATION_SELECTORS:
        return False
    category = unicodedata.category(character)
    return category not in _FORBIDDEN_CATEGORIES or (category == "So" and character <= _LAST_OF_LATIN_1)
