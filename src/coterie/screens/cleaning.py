"""Text from strangers, made harmless to show: nothing in it can reorder, hide or overprint what is around it.

Overrides, embeddings and isolates of the bidirectional algorithm are dropped, so letters stand in the order
in which they were written and each line finds its direction by its letters alone. Other controls become
visible pictures, code points without a meaning become U+FFFD, and stacks of combining marks are cut. Joiners,
selectors and tags are kept here, because emoji are made of them; loose() takes them away where no emoji is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LINE_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ZWNJ, ZWJ = "\u200c", "\u200d"
TAB: Final = "    "
MARKS_MAX: Final = 3
"""Combining marks on one letter that are shown."""

_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20df\u20e1-\u20ff\ufe20-\ufe2f"
_STACKS: Final = re.compile(f"([{_MARKS}]{{{MARKS_MAX}}})[{_MARKS}]+")
_LOOSE: Final = re.compile("[\ufe00-\ufe0f\u20e3\U000e0020-\U000e007f]")
_JOINER: Final = re.compile(f"[{ZWNJ}{ZWJ}]")
_JOINING: Final = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u18af]")
"""Scripts in which a joiner changes the shape of letters."""
_TAGS: Final = range(0xE0020, 0xE0080)
_PICTURES: Final = 0x2400
_DELETE: Final = "\x7f"
_LATER_EMOJI: Final = range(0x1F000, 0x1FB00)
"""Where emoji are added each year: newer ones than this Python knows stay for the emoji list to find."""


def clean(text: str) -> str:
    """The text with line breaks as "\\n" and everything harmful replaced or dropped."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = LINE_BREAKS.sub("\n", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _STACKS.sub(r"\1", text))
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() else _harmless(char) for char in text)


def loose(text: str) -> str:
    """A stretch without emoji: joiners that join nothing, selectors and tags are taken away."""
    if text.isascii():
        return text
    text = _LOOSE.sub("", text)
    if not _JOINER.search(text):
        return text
    return _JOINER.sub(lambda match: _joiner(text, match), text)


def _joiner(text: str, match: re.Match[str]) -> str:
    before = text[match.start() - 1 : match.start()]
    return match.group() if before and _JOINING.match(before) else ""


def _harmless(char: str) -> str:
    if char in "\n" + ZWNJ + ZWJ or ord(char) in _TAGS or ord(char) in _LATER_EMOJI:
        return char
    if char == "\t":
        return TAB
    if char < " ":
        return chr(_PICTURES + ord(char))
    if char == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    category = unicodedata.category(char)
    if category == "Zs":
        return char if char == "\N{IDEOGRAPHIC SPACE}" else " "
    return "" if category == "Cf" else REPLACEMENT
