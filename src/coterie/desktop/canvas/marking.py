"""Marking text with the mouse: from places to offsets, and from offsets to the boxes behind the text."""

from __future__ import annotations

from collections.abc import Iterator

from coterie.desktop.canvas.clusters import clusters
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Laid, TextLine
from coterie.desktop.canvas.lines import Kind, Piece, face_of
from coterie.screens.emoji_sequences import pieces


def offset_at(kit: Kit, laid: Laid, x: int, y: int) -> int:
    """The offset in the row's text that is nearest to a place in the row."""
    if not laid.lines or y < laid.lines[0].y:
        return 0
    line = max((each for each in laid.lines if each.y <= y), key=lambda each: each.y)
    best, near = line.line.start, None
    for piece in line.line.pieces:
        for offset, at in _stops(kit, piece, line.face):
            away = abs(line.x + piece.x + at - x)
            if near is None or away < near:
                best, near = offset, away
    return best


def word_at(text: str, offset: int) -> tuple[int, int]:
    """First and last offset of the word around an offset."""
    first = last = min(offset, len(text))
    while first > 0 and not text[first - 1].isspace():
        first -= 1
    while last < len(text) and not text[last].isspace():
        last += 1
    return first, last


def boxes(kit: Kit, laid: Laid, first: int, last: int) -> list[Box]:
    """What lies behind the marked text."""
    found: list[Box] = []
    for line in laid.lines:
        if line.line.start < last and first < line.line.end:
            found.extend(_line_boxes(kit, line, first, last))
    return found


def _line_boxes(kit: Kit, line: TextLine, first: int, last: int) -> Iterator[Box]:
    bottom = line.y + kit.faces[line.face].line
    for piece in line.line.pieces:
        if piece.start >= last or piece.end <= first:
            continue
        inside = [at for offset, at in _stops(kit, piece, line.face) if first <= offset <= last]
        if len(inside) > 1:
            left = line.x + piece.x
            yield Box(left + min(inside), line.y, left + max(inside), bottom, kit.colours.selection)


def _stops(kit: Kit, piece: Piece, base: FaceName) -> list[tuple[int, int]]:
    """(offset, x in the piece) of every place where the piece's text may be cut."""
    face = face_of(kit, piece.style, base)
    parts = _emoji(piece.text) if piece.kind is Kind.EMOJI else clusters(piece.text)
    stops = [(piece.start, 0)]
    offset = 0
    for place, part in enumerate(parts, 1):
        offset += len(part)
        even = piece.width * place // len(parts)
        x = stops[-1][1] + face.width(part) if piece.kind is Kind.TEXT else even
        stops.append((piece.start + offset, min(x, piece.width)))
    if piece.level % 2:
        stops = [(offset, piece.width - x) for offset, x in stops]
    return stops


def _emoji(text: str) -> list[str]:
    return [part.text for part in pieces(text)]
