"""What a message looks like, free of any toolkit: paragraphs and code blocks made of spans.

Known: links to http and https (the host that really opens is shown where the text could hide it), `code`,
code blocks between lines of three backticks, and @names of people. All else is text, cleaned by cleaning.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

from coterie.base.quiet import Quiet
from coterie.screens.cleaning import clean, loose
from coterie.screens.emoji_sequences import pieces
from coterie.screens.links import Link, link

LARGE_EMOJI_MAX: Final = 3
PREVIEW_CHARACTERS: Final = 120
_FENCE: Final = re.compile(r"^```[^\n`]*\n(.*?)(?:\n```[ ]*$|\Z)", re.DOTALL | re.MULTILINE)
_MARKED: Final = re.compile(
    r"`(?P<code>[^`\n]+)`|(?P<link>https?://[^\s<>\"`]+)|(?<!\w)@(?P<name>[^\s@]+)", re.IGNORECASE
)
_NAME_END: Final = ".,:;!?)]}\"'"
_RIGHT_TO_LEFT: Final = ("R", "AL")


class Style(StrEnum):
    PLAIN = "plain"
    CODE = "code"
    LINK = "link"
    MENTION = "mention"
    FAINT = "faint"
    HIT = "hit"
    """A word that was searched for."""


class Span(Quiet, frozen=True):
    """A stretch of one look. cell: the emoji it is (text holds the sequence), -1 for letters."""

    text: str
    style: Style = Style.PLAIN
    target: str = ""
    """Of a link the address to open, of a mention the name."""
    cell: int = -1


class Paragraph(Quiet, frozen=True):
    """One line as it was written; the screen wraps it."""

    spans: tuple[Span, ...]
    right_to_left: bool = False


class CodeBlock(Quiet, frozen=True):
    lines: tuple[tuple[Span, ...], ...]


Block = Paragraph | CodeBlock
IsName = Callable[[str], bool]


def rich(text: str, is_name: IsName) -> tuple[Block, ...]:
    """The blocks of a message. Never fails, whatever the text holds."""
    text = clean(text)
    blocks: list[Block] = []
    at = 0
    if "```" in text:
        for match in _FENCE.finditer(text):
            before = text[at : match.start()].removesuffix("\n")
            blocks.extend(_paragraphs(before, is_name, at < match.start()))
            blocks.append(CodeBlock(tuple(tuple(plain(line, Style.CODE)) for line in match[1].split("\n"))))
            at = min(match.end() + 1, len(text))
    blocks.extend(_paragraphs(text[at:], is_name, at < len(text) or not blocks))
    return tuple(blocks)


def large_emoji(blocks: tuple[Block, ...]) -> bool:
    """Whether a message is a few emoji and nothing else, and so drawn large."""
    if len(blocks) != 1 or not isinstance(blocks[0], Paragraph):
        return False
    spans = [span for span in blocks[0].spans if span.cell >= 0 or span.text.strip()]
    return 0 < len(spans) <= LARGE_EMOJI_MAX and all(span.cell >= 0 for span in spans)


def preview(text: str, most: int = PREVIEW_CHARACTERS) -> tuple[Span, ...]:
    """The beginning of a message in one line, for the list. most: characters."""
    line = " ".join(clean(text[: most * 2]).split())[:most]
    return tuple(plain(line))


def right_to_left(text: str) -> bool:
    """The direction of a line by its first letter that has one (UAX 9, P2 and P3)."""
    if text.isascii():
        return False
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction == "L":
            return False
        if direction in _RIGHT_TO_LEFT:
            return True
    return False


def _paragraphs(text: str, is_name: IsName, wanted: bool) -> Iterator[Paragraph]:
    if not wanted:
        return
    for line in text.split("\n"):
        yield Paragraph(tuple(_spans(line, is_name)), right_to_left(line))


def _spans(line: str, is_name: IsName) -> Iterator[Span]:
    at = 0
    for match in _MARKED.finditer(line):
        found = _marked(match, is_name)
        if found is None:
            continue
        spans, end = found
        yield from plain(line[at : match.start()])
        yield from spans
        at = end
    yield from plain(line[at:])


def _marked(match: re.Match[str], is_name: IsName) -> tuple[tuple[Span, ...], int] | None:
    """What a marked stretch is, and where it ends; None: it is plain text after all."""
    if (code := match["code"]) is not None:
        return tuple(plain(code, Style.CODE)), match.end()
    if match["link"] is not None:
        found = link(match["link"])
        return None if found is None else (_link_spans(found), match.start() + len(found.text))
    word = match["name"]
    for name in (word, word.rstrip(_NAME_END)):
        if name and is_name(name):
            end = match.start() + 1 + len(name)
            return tuple(plain("@" + name, Style.MENTION, name)), end
    return None


def _link_spans(found: Link) -> tuple[Span, ...]:
    shown = tuple(plain(found.text, Style.LINK, found.address))
    return (*shown, Span(f" ({found.host})", Style.FAINT)) if found.says_host else shown


def plain(text: str, style: Style = Style.PLAIN, target: str = "") -> Iterator[Span]:
    """The spans of a stretch of clean text in one look."""
    for piece in pieces(text):
        shown = piece.text if piece.cell >= 0 else loose(piece.text)
        if shown:
            yield Span(shown, style, target, piece.cell)
