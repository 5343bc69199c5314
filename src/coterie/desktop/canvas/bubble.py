"""Lays out a message: its bubble, name, text, time and tick, and the sender's avatar. Lengths are pixels."""

from __future__ import annotations

from typing import Final

import msgspec

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import EMOJI_GAP_PX, Kit
from coterie.desktop.canvas.laid import (
    Box,
    Ink,
    Item,
    Laid,
    Picture,
    Spot,
    SpotKind,
    TextLine,
    Words,
    put_line,
    put_rounded,
)
from coterie.desktop.canvas.lines import Line, one_line, wrapped
from coterie.desktop.canvas.pictures import Icon
from coterie.screens.i18n import Text, say
from coterie.screens.richtext import CodeBlock, Paragraph, Span, Style
from coterie.screens.rows import MessageRow, Tick

META_GAP: Final = 12
CODE_PAD: Final = 8
LARGE_EMOJI_PX: Final = 40
TICK_GAP: Final = 4
LEAST_ROOM: Final = 60
MORE: Final = "\x00more"
"""Target of the line that shows the rest of a message: no link and no name has it."""


_TICKS: Final = {Tick.QUEUED: Icon.CLOCK, Tick.SENT: Icon.TICK, Tick.DELIVERED: Icon.TICKS}


class Placed(msgspec.Struct):
    """A line of the bubble's content; x and y from the content's corner."""

    line: Line
    y: int
    face: FaceName
    ink: Ink
    at_right: bool = False
    indent: int = 0


class Content(msgspec.Struct):
    """What stands inside a bubble, before its width is known."""

    lines: list[Placed] = []
    codes: list[tuple[int, int]] = []
    """Top and bottom of the grounds of code blocks."""
    width: int = 0
    height: int = 0
    text: str = ""
    tail: int = -1
    """Width of the last line where the time may stand beside it, -1 where it may not."""


class Bubble:
    """Lays out messages at one width of the timeline."""

    def __init__(self, kit: Kit, width: int) -> None:
        self._kit = kit
        self._width = width
        spacing = kit.spacing
        free = width - spacing.gutter - spacing.timeline_margin - 2 * spacing.bubble_pad_x
        self._room = max(LEAST_ROOM, min(spacing.bubble_max, free))

    def lay(self, row: MessageRow) -> Laid:
        """The row with the gap above it."""
        kit, spacing = self._kit, self._kit.spacing
        content = self._content(row)
        meta, meta_width = self._meta(row)
        gap = spacing.group_gap if row.opens else spacing.bubble_gap
        if content.tail >= 0 and content.tail + META_GAP + meta_width <= self._room:
            inner = max(content.width, content.tail + META_GAP + meta_width)
            below = 0
        else:
            inner, below = max(content.width, meta_width), kit.faces[FaceName.TINY].line
        outer = inner + 2 * spacing.bubble_pad_x
        left = self._width - spacing.timeline_margin - outer if row.own else spacing.gutter
        height = content.height + below + 2 * spacing.bubble_pad_y
        laid = Laid(gap + height, text=content.text)
        colours = kit.colours
        ground = colours.outgoing if row.own else colours.incoming
        put_rounded(kit, laid, Box(left, gap, left + outer, gap + height, ground), spacing.bubble_radius)
        self._put_content(laid, content, row, left + spacing.bubble_pad_x, gap + spacing.bubble_pad_y, inner)
        bottom = gap + height - 5
        right = left + outer - spacing.bubble_pad_x + 2
        for item, width in meta:
            right -= width
            laid.items.append(_moved(item, right, bottom - kit.faces[FaceName.TINY].line))
        for spot in laid.spots:
            if spot.target == MORE:
                spot.kind, spot.target = SpotKind.MORE, row.key
        if row.closes and not row.own:
            self._put_avatar(laid, row, gap + height)
        return laid

    def _content(self, row: MessageRow) -> Content:
        content = Content([], [])
        colours = self._kit.colours
        ink = Ink(colours.text, self._muted(row), colours.link)
        if row.opens and not row.own:
            self._add_name(content, row)
        if row.large:
            self._add_large(content, row, ink)
        else:
            for block in row.blocks:
                if isinstance(block, CodeBlock):
                    self._add_code(content, block, ink)
                else:
                    self._add_paragraph(content, block, ink)
        if row.cut:
            self._add_lines(
                content, (Span(say(Text.SHOW_ALL), Style.LINK, MORE),), FaceName.SMALL, ink, own_text=False
            )
            content.tail = -1
        faint = Ink(ink.faint, ink.faint, ink.link)
        for note in row.notes:
            self._add_lines(content, (Span(note),), FaceName.TINY, faint, own_text=False)
            content.tail = -1
        return content

    def _add_name(self, content: Content, row: MessageRow) -> None:
        link = self._kit.colours.link
        span = Span(row.sender, Style.MENTION, row.sender)
        line = one_line(self._kit, (span,), FaceName.BOLD, self._room)
        content.lines.append(Placed(line, 0, FaceName.BOLD, Ink(link, link, link)))
        content.width = line.width
        content.height = self._kit.faces[FaceName.BOLD].line

    def _add_paragraph(self, content: Content, block: Paragraph, ink: Ink) -> None:
        self._add_lines(content, block.spans, FaceName.BODY, ink, at_right=block.right_to_left)

    def _add_lines(
        self,
        content: Content,
        spans: tuple[Span, ...],
        face: FaceName,
        ink: Ink,
        *,
        at_right: bool = False,
        own_text: bool = True,
        indent: int = 0,
    ) -> None:
        start = self._begin_text(content, spans) if own_text else -1
        step = self._kit.faces[face].line
        for line in wrapped(self._kit, spans, face, self._room - 2 * indent, max(start, 0)):
            shown = line if own_text else msgspec.structs.replace(line, start=-1, end=-1)
            content.lines.append(Placed(shown, content.height, face, ink, at_right, indent))
            content.height += step
            content.width = max(content.width, line.width + 2 * indent)
            content.tail = -1 if at_right else line.width

    def _begin_text(self, content: Content, spans: tuple[Span, ...]) -> int:
        """Add the spans to the text that can be marked, and say where they begin in it."""
        if any(placed.line.start >= 0 and placed.face is not FaceName.BOLD for placed in content.lines):
            content.text += "\n"
        start = len(content.text)
        content.text += "".join(span.text for span in spans)
        return start

    def _add_code(self, content: Content, block: CodeBlock, ink: Ink) -> None:
        top = content.height + (2 if content.height else 0)
        content.height = top + CODE_PAD
        for line in block.lines:
            self._add_lines(content, line, FaceName.MONO, ink, indent=CODE_PAD)
        content.height += CODE_PAD
        content.codes.append((top, content.height))
        content.height += 2
        content.tail = -1

    def _add_large(self, content: Content, row: MessageRow, ink: Ink) -> None:
        block = row.blocks[0]
        spans = block.spans if isinstance(block, Paragraph) else ()
        start = self._begin_text(content, spans)
        line = wrapped(self._kit, spans, FaceName.BODY, self._room, start)[0]
        x = 0
        for piece in line.pieces:
            piece.x = x
            if piece.cells:
                piece.width = len(piece.cells) * (LARGE_EMOJI_PX + EMOJI_GAP_PX)
            x += piece.width
        lift = (LARGE_EMOJI_PX - self._kit.faces[FaceName.BODY].line) // 2
        content.lines.append(
            Placed(msgspec.structs.replace(line, width=x), content.height + lift, FaceName.BODY, ink)
        )
        content.height += LARGE_EMOJI_PX
        content.width, content.tail = max(content.width, x), x

    def _put_content(
        self, laid: Laid, content: Content, row: MessageRow, left: int, top: int, inner: int
    ) -> None:
        colours = self._kit.colours
        ground = colours.outgoing_code if row.own else colours.incoming_code
        for first, last in content.codes:
            laid.ground.append(Box(left, top + first, left + inner, top + last, ground))
        for placed in content.lines:
            x = left + (inner - placed.line.width if placed.at_right else placed.indent)
            put_line(self._kit, laid, placed.line, x, top + placed.y, placed.face, placed.ink)
            if placed.line.start >= 0 and placed.face is not FaceName.BOLD:
                laid.lines.append(TextLine(x, top + placed.y, placed.line, placed.face))

    def _muted(self, row: MessageRow) -> str:
        colours = self._kit.colours
        return colours.outgoing_muted if row.own else colours.incoming_muted

    def _meta(self, row: MessageRow) -> tuple[list[tuple[Item, int]], int]:
        """Tick and time from right to left, each with the room it takes, and all of that room."""
        kit, colour = self._kit, self._muted(row)
        tiny = kit.faces[FaceName.TINY]
        meta: list[tuple[Item, int]] = []
        if row.tick is not Tick.NONE:
            icon = _TICKS[row.tick]
            photo = kit.pictures.icon(icon, tiny.size + 2, colour)
            top = (tiny.line - tiny.size - 2) // 2
            meta.append((Picture(0, top, top + tiny.size + 2, photo), tiny.size + 2))
        width = tiny.width(row.time) + (TICK_GAP if meta else 0)
        meta.append((Words(0, tiny.top, tiny.top + tiny.height, row.time, tiny, colour), width))
        return meta, sum(width for _, width in meta)

    def _put_avatar(self, laid: Laid, row: MessageRow, bottom: int) -> None:
        spacing = self._kit.spacing
        size, x = spacing.timeline_avatar, spacing.timeline_margin
        y = bottom - size
        put_avatar(self._kit, laid, row.initials[:1], row.colour, x, y, size, FaceName.SMALL_BOLD)
        laid.spots.append(Spot(SpotKind.PERSON, row.sender, x, y, x + size, bottom))


def put_avatar(
    kit: Kit, laid: Laid, initials: str, colour: int, x: int, y: int, size: int, face: FaceName
) -> None:
    """A disc with initials in its middle."""
    colours = kit.colours
    photo = kit.pictures.disc(size, colours.avatars[colour % len(colours.avatars)])
    laid.items.append(Picture(x, y, y + size, photo))
    line = one_line(kit, (Span(initials),), face, size)
    white = colours.on_accent
    middle = y + (size - kit.faces[face].line) // 2
    put_line(kit, laid, line, x + (size - line.width) // 2, middle, face, Ink(white, white, white))


def _moved(item: Item, x: int, y: int) -> Item:
    match item:
        case Words():
            return msgspec.structs.replace(item, x=x, y=y + item.y, bottom=y + item.bottom)
        case Picture():
            return msgspec.structs.replace(item, x=x, y=y + item.y, bottom=y + item.bottom)
        case Box():
            width = item.right - item.x
            return msgspec.structs.replace(item, x=x, right=x + width, y=y + item.y, bottom=y + item.bottom)
