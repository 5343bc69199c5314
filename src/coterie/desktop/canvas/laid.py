"""A row of the timeline, laid out: what is drawn where, what can be clicked, what can be marked.

Coordinates count from the row's top left corner, in pixels.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.desktop.canvas.faces import Face, FaceName
from coterie.desktop.canvas.kit import EMOJI_GAP_PX, Kit
from coterie.desktop.canvas.lines import Kind, Line, Piece, face_of
from coterie.desktop.canvas.pictures import Photo
from coterie.desktop.canvas.text_images import OVERSHOOT
from coterie.screens.richtext import Style


class Box(msgspec.Struct):
    """A filled rectangle."""

    x: int
    y: int
    right: int
    bottom: int
    colour: str


class Words(msgspec.Struct):
    """Text for Tk, by its top left corner."""

    x: int
    y: int
    bottom: int
    text: str
    face: Face
    colour: str


class Picture(msgspec.Struct):
    x: int
    y: int
    bottom: int
    photo: Photo


Item = Box | Words | Picture


class SpotKind(StrEnum):
    LINK = "link"
    PERSON = "person"
    MORE = "more"
    """Shows the rest of a message; the target is its row key."""


class Spot(msgspec.Struct):
    """Where a click does something."""

    kind: SpotKind
    target: str
    x: int
    y: int
    right: int
    bottom: int


class TextLine(msgspec.Struct):
    """A line that can be marked."""

    x: int
    y: int
    line: Line
    face: FaceName


class Laid(msgspec.Struct):
    height: int
    ground: list[Item] = []
    """Bubbles and boxes; marks are painted between them and the items."""
    items: list[Item] = []
    spots: list[Spot] = []
    lines: list[TextLine] = []
    text: str = ""
    """What the offsets of the lines count in."""

    def spot(self, x: int, y: int) -> Spot | None:
        """What a click at the place means."""
        for spot in self.spots:
            if spot.x <= x < spot.right and spot.y <= y < spot.bottom:
                return spot
        return None


class Ink(msgspec.Struct, frozen=True):
    """Colours of a text."""

    plain: str
    faint: str
    link: str
    hit: str = ""
    """Of words that were searched for, where some can be."""

    def of(self, style: Style) -> str:
        match style:
            case Style.LINK | Style.MENTION:
                return self.link
            case Style.FAINT:
                return self.faint
            case Style.HIT:
                return self.hit or self.plain
            case _:
                return self.plain


def put_line(kit: Kit, laid: Laid, line: Line, x: int, y: int, base: FaceName, ink: Ink) -> None:
    """Add a line with its top left corner at the place, and where it can be clicked."""
    height = kit.faces[base].line
    for piece in line.pieces:
        if not piece.blank:
            laid.items.append(_item(kit, piece, x + piece.x, y, base, ink))
        if piece.target:
            kind = SpotKind.LINK if piece.style is Style.LINK else SpotKind.PERSON
            left = x + piece.x
            laid.spots.append(Spot(kind, piece.target, left, y, left + piece.width, y + height))


def _item(kit: Kit, piece: Piece, x: int, y: int, base: FaceName, ink: Ink) -> Item:
    line, face = kit.faces[base], face_of(kit, piece.style, base)
    if piece.kind is Kind.TEXT:
        top = y + line.baseline - face.ascent
        return Words(x, top, top + face.height, piece.text, face, ink.of(piece.style))
    if piece.kind is Kind.EMOJI:
        size = piece.width // len(piece.cells) - EMOJI_GAP_PX
        top = y + (line.line - size) // 2
        return Picture(x, top, top + size, kit.emoji_photo(piece.cells, size))
    photo = kit.text_photo(piece.text, face, piece.level % 2 == 1, ink.of(piece.style))
    top = y + line.baseline - face.baseline - OVERSHOOT
    return Picture(x, top, top + photo.height(), photo)


def put_rounded(kit: Kit, laid: Laid, box: Box, radius: int) -> None:
    """Add a rectangle with round corners: three plain rectangles and four corner images."""
    radius = min(radius, (box.right - box.x) // 2, (box.bottom - box.y) // 2)
    x, y, right, bottom, colour = box.x, box.y, box.right, box.bottom, box.colour
    laid.ground += [
        Box(x + radius, y, right - radius, y + radius, colour),
        Box(x, y + radius, right, bottom - radius, colour),
        Box(x + radius, bottom - radius, right - radius, bottom, colour),
    ]
    top_left, top_right, bottom_right, bottom_left = kit.pictures.corners(radius, colour)
    laid.ground += [
        Picture(x, y, y + radius, top_left),
        Picture(right - radius, y, y + radius, top_right),
        Picture(right - radius, bottom - radius, bottom, bottom_right),
        Picture(x, bottom - radius, bottom, bottom_left),
    ]
