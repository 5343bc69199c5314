"""Spans become lines: cut into atoms, wrapped at a width, put into visual order, joined into pieces.

A piece is what the canvas gets: one text item, or one image. Lengths are pixels; offsets count characters
of the text that the spans make, which is what selecting and copying work on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

import msgspec

from coterie.desktop.canvas.clusters import clusters, has_direction, runs
from coterie.desktop.canvas.directions import levels, visual_order
from coterie.desktop.canvas.faces import Face, FaceName
from coterie.desktop.canvas.kit import EMOJI_GAP_PX, Kit
from coterie.screens.emoji_sequences import emoji_list
from coterie.screens.richtext import Span, Style

_WORDS: Final = re.compile(
    "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[ ]{1,200}|[^ \u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]{1,200}"
)
"""Words (in parts where very long), spaces, and signs of East Asian scripts, each of which may end a line."""


class Kind(IntEnum):
    TEXT = 0
    """For Tk to draw."""
    DRAWN = 1
    """For Pillow."""
    EMOJI = 2


class Piece(msgspec.Struct):
    """A stretch of one line with one look. Before its line is put together: an atom."""

    text: str
    width: int
    start: int
    kind: Kind = Kind.TEXT
    style: Style = Style.PLAIN
    target: str = ""
    cells: tuple[int, ...] = ()
    level: int = 0
    x: int = 0

    @property
    def blank(self) -> bool:
        return self.text.isspace()

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Line(msgspec.Struct):
    pieces: list[Piece]
    """From left to right, x counted from the line's left end."""
    width: int
    start: int
    end: int


def face_of(kit: Kit, style: Style, base: FaceName) -> Face:
    """The face of a style in a text of the base face."""
    return kit.faces[FaceName.MONO if style is Style.CODE else base]


def wrapped(kit: Kit, spans: Iterable[Span], base: FaceName, room: int, start: int = 0) -> list[Line]:
    """The lines of one paragraph, none wider than room (but for a single letter)."""
    spans = tuple(spans)
    parts = list(_atoms(kit, spans, base, start))
    lines: list[Line] = []
    line: list[Piece] = []
    used = 0
    for atom in _fitting(kit, parts, base, room):
        if used + atom.width > room and line and not atom.blank:
            lines.append(_line(kit, line, base))
            line, used = [], 0
        line.append(_narrowed(atom, room - used) if atom.blank else atom)
        used += line[-1].width
    lines.append(_line(kit, line, base) if line else Line([], 0, start, start))
    return lines


def one_line(kit: Kit, spans: Iterable[Span], base: FaceName, room: int) -> Line:
    """As much of the spans as fits into one line; "…" stands for the rest."""
    lines = wrapped(kit, spans, base, room)
    if len(lines) == 1 and lines[0].width <= room:
        return lines[0]
    more = kit.faces[base].width("…")
    kept = list(_until(kit, list(_atoms(kit, tuple(spans), base, 0)), base, room - more))
    end = kept[-1].end if kept else 0
    return _line(kit, [*kept, Piece("…", more, end)], base)


def width_of(kit: Kit, text: str, kind: Kind, face: Face) -> int:
    """How wide a text of this kind is drawn."""
    return kit.texts.width(text, face.size, face.bold) if kind is Kind.DRAWN else face.width(text)


def _atoms(kit: Kit, spans: tuple[Span, ...], base: FaceName, start: int) -> Iterator[Piece]:
    whole = "".join(span.text if span.cell < 0 else "\ufffc" * len(span.text) for span in spans)
    of = levels(whole) if has_direction(whole) else None
    at = 0
    for span in spans:
        face = face_of(kit, span.style, base)
        if span.cell >= 0:
            level = of[at] if of else 0
            yield Piece(
                span.text,
                face.emoji + EMOJI_GAP_PX,
                start + at,
                Kind.EMOJI,
                span.style,
                span.target,
                (span.cell,),
                level,
            )
            at += len(span.text)
            continue
        for word in _WORDS.findall(span.text):
            for text, kind, level in _kinds(word, of[at : at + len(word)] if of else None):
                yield _atom(kit, text, kind, span, face, start + at, level)
                at += len(text)


def _atom(kit: Kit, text: str, kind: Kind, span: Span, face: Face, start: int, level: int) -> Piece:
    if kind is Kind.DRAWN and (cell := _pictured(kit, text, face)) >= 0:
        return Piece(
            text, face.emoji + EMOJI_GAP_PX, start, Kind.EMOJI, span.style, span.target, (cell,), level
        )
    width = width_of(kit, text, kind, face)
    return Piece(text, width, start, kind, span.style, span.target, (), level)


def _pictured(kit: Kit, text: str, face: Face) -> int:
    """The cell of a sign that is also an emoji, where no font of this machine has it as text; else -1."""
    cell = emoji_list().cells.get(text, -1)
    return cell if cell >= 0 and kit.files.having(text[0], face.bold) is None else -1


def _kinds(word: str, of: list[int] | None) -> Iterator[tuple[str, Kind, int]]:
    """A word cut where its kind or its level changes. What runs from right to left is drawn."""
    if of is None:
        for text, is_drawn in runs(word):
            yield text, Kind.DRAWN if is_drawn else Kind.TEXT, 0
        return
    at = 0
    while at < len(word):
        end = at + 1
        while end < len(word) and of[end] == of[at]:
            end += 1
        if of[at] % 2:
            yield word[at:end], Kind.DRAWN, of[at]
        else:
            for text, is_drawn in runs(word[at:end]):
                yield text, Kind.DRAWN if is_drawn else Kind.TEXT, of[at]
        at = end


def _fitting(kit: Kit, parts: list[Piece], base: FaceName, room: int) -> Iterator[Piece]:
    """The atoms, those wider than a line cut between letters."""
    for part in parts:
        if part.width <= room or part.kind is Kind.EMOJI or part.blank:
            yield part
            continue
        left = part
        while left.text:
            head = _cut(kit, left, base, room)
            yield head
            taken = len(head.text)
            left = msgspec.structs.replace(left, text=left.text[taken:], start=left.start + taken)


def _narrowed(blank: Piece, left: int) -> Piece:
    """Spaces at the end of a line take no more than what is left of it."""
    return blank if blank.width <= left else msgspec.structs.replace(blank, width=max(0, left))


def _until(kit: Kit, parts: list[Piece], base: FaceName, room: int) -> Iterator[Piece]:
    used = 0
    for part in parts:
        if used + part.width > room:
            if part.kind is not Kind.EMOJI and not part.blank and room - used > 0:
                head = _cut(kit, part, base, room - used)
                if head.width <= room - used:
                    yield head
            return
        yield part
        used += part.width


def _cut(kit: Kit, part: Piece, base: FaceName, room: int) -> Piece:
    """The beginning of an atom that fits; one letter at least."""
    face = face_of(kit, part.style, base)
    taken, width = 0, 0
    for cluster in clusters(part.text):
        more = width_of(kit, cluster, part.kind, face)
        if taken and width + more > room:
            break
        taken, width = taken + len(cluster), width + more
    text = part.text[:taken]
    return msgspec.structs.replace(part, text=text, width=width_of(kit, text, part.kind, face))


def _line(kit: Kit, atoms: list[Piece], base: FaceName) -> Line:
    """Atoms in the order of the text become pieces in the order of the eye."""
    start, end = atoms[0].start, atoms[-1].end
    while len(atoms) > 1 and atoms[-1].blank:
        atoms = atoms[:-1]
    joined: list[Piece] = []
    for atom in atoms:
        if joined and _joins(joined[-1], atom):
            joined[-1] = _join(kit, joined[-1], atom, base)
        else:
            joined.append(atom)
    if any(piece.level for piece in joined):
        joined = visual_order(joined, [piece.level for piece in joined])
    x = 0
    pieces: list[Piece] = []
    for piece in joined:
        pieces.append(msgspec.structs.replace(piece, x=x))
        x += piece.width
    return Line(pieces, x, start, end)


def _joins(one: Piece, other: Piece) -> bool:
    return (
        one.kind == other.kind
        and one.style is other.style
        and one.level == other.level
        and one.target == other.target
        and not (one.kind is Kind.EMOJI and one.level % 2)
    )


def _join(kit: Kit, one: Piece, other: Piece, base: FaceName) -> Piece:
    text = one.text + other.text
    if one.kind is Kind.DRAWN:
        width = width_of(kit, text, one.kind, face_of(kit, one.style, base))
    else:
        width = one.width + other.width
    return msgspec.structs.replace(one, text=text, width=width, cells=one.cells + other.cells)
