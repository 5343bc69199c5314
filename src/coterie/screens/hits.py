"""Where the words of a search stand in a text: what is marked there, and which part of it is shown.

Words are compared as the index of the store compares them: without case, and without accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from coterie.screens.cleaning import clean
from coterie.screens.richtext import PREVIEW_CHARACTERS, Span, Style, plain

LOOKED_AT: Final = 4_000
"""Characters of a message in which hits are looked for."""
LEAD: Final = 16
"""Characters that are shown before the first hit, at most."""
SHOWN: Final = 30
"""At the end of a text so much of it is shown, wherever the hit is."""
WORDS_MAX: Final = 64
CHARACTERS_MAX: Final = 1_000
"""What of a search is looked for (client/store/timeline.py searches by as much)."""
MORE: Final = "\u2026 "

_WORD: Final = re.compile(r"[^\W_]+")


class Hits:
    """The words of one search. The last one may be the beginning of a word."""

    def __init__(self, words: str) -> None:
        found = _WORD.findall(_folded(words[:CHARACTERS_MAX]))[:WORDS_MAX]
        whole = [re.escape(word) + r"(?![^\W_])" for word in found[:-1]]
        begun = [re.escape(word) for word in found[-1:]]
        self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join([*begun, *whole])})") if found else None

    def snippet(self, text: str) -> tuple[Span, ...]:
        """The part of a text around the first hit, in one line, with every hit marked."""
        line = " ".join(clean(text[:LOOKED_AT]).split())
        places = self._places(line)
        start = _start(line, places[0][0]) if places else 0
        shown = line[start : start + PREVIEW_CHARACTERS]
        spans = [Span(MORE, Style.FAINT)] if start else []
        at = 0
        for first, last in places:
            first, last = first - start, min(last - start, len(shown))
            if first >= len(shown):
                break
            spans += [*plain(shown[at:first]), *plain(shown[first:last], Style.HIT)]
            at = last
        return (*spans, *plain(shown[at:]))

    def _places(self, line: str) -> list[tuple[int, int]]:
        if self._pattern is None:
            return []
        return [match.span() for match in self._pattern.finditer(_folded(line))]


def _start(line: str, hit: int) -> int:
    """Where the shown part begins: at a word, not far before the hit."""
    start = min(hit - LEAD, len(line) - SHOWN)
    return 0 if start <= 0 else line.find(" ", start, hit) + 1 or hit


def _folded(text: str) -> str:
    """As many characters, without case and accents."""
    return text.lower() if text.isascii() else "".join(_letters(text))


def _letters(text: str) -> Iterator[str]:
    for char in text:
        yield _letter(char)


@lru_cache(maxsize=4_096)
def _letter(char: str) -> str:
    return unicodedata.normalize("NFD", char)[0].lower()[0]
