"""The conversation list: who and what one can write to."""

from __future__ import annotations

from typing import Final

from coterie.desktop.canvas.bubble import put_avatar
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Laid, Picture, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.canvas.person_mark import mark_room, put_mark
from coterie.desktop.row_canvas import ChoosingCanvas
from coterie.screens.richtext import Span, preview
from coterie.screens.rows import ListRow, Presence

BADGE_PX: Final = 22
BADGE_PAD: Final = 8
UNREAD_MAX: Final = 999
DOT_RING_PX: Final = 2
TITLE_Y: Final = 13
PREVIEW_Y: Final = 35


class ConversationList(ChoosingCanvas[ListRow]):
    """Shows conversations."""

    kind = ListRow

    def lay_row(self, row: ListRow, hovered: bool) -> Laid:
        return lay_row(self._kit, row, hovered, self.winfo_width())


def ground_of(kit: Kit, selected: bool, hovered: bool) -> str:
    """The colour behind a row."""
    colours = kit.colours
    return colours.selected if selected else colours.hover if hovered else colours.panel


def lay_row(kit: Kit, row: ListRow, hovered: bool, width: int) -> Laid:
    """One row of the list at this width."""
    spacing, colours = kit.spacing, kit.colours
    laid = Laid(spacing.list_row)
    ground = ground_of(kit, row.selected, hovered)
    laid.ground.append(Box(0, 0, width, spacing.list_row, ground))
    text = colours.selected_text if row.selected else colours.text
    muted = colours.selected_muted if row.selected else colours.muted
    link = colours.selected_link if row.selected else colours.link
    _put_disc(kit, laid, row, ground)
    left = 2 * spacing.list_margin + spacing.list_avatar
    right = width - spacing.list_margin
    tiny = kit.faces[FaceName.TINY]
    time = tiny.width(row.time)
    ink = Ink(text, text, text)
    room = max(1, right - left - time - spacing.gap - mark_room(row.mark))
    title = one_line(kit, preview(row.title), FaceName.BOLD, room)
    put_line(kit, laid, title, left, TITLE_Y, FaceName.BOLD, ink)
    colour = text if row.selected else ""
    put_mark(kit, laid, row.mark, left + title.width, TITLE_Y, FaceName.BOLD, colour)
    stamp = one_line(kit, (Span(row.time),), FaceName.TINY, time + 1)
    put_line(kit, laid, stamp, right - time, TITLE_Y + 1, FaceName.TINY, Ink(muted, muted, muted))
    badge = _put_badge(kit, laid, row, right)
    room = max(1, right - left - (badge + spacing.gap if badge else 0))
    line = one_line(kit, row.preview, FaceName.BODY, room)
    put_line(kit, laid, line, left, PREVIEW_Y, FaceName.BODY, Ink(muted, muted, link))
    laid.spots.clear()
    return laid


def _put_disc(kit: Kit, laid: Laid, row: ListRow, ground: str) -> None:
    spacing, colours = kit.spacing, kit.colours
    size, x = spacing.list_avatar, spacing.list_margin
    y = (spacing.list_row - size) // 2
    put_avatar(kit, laid, row.initials, row.colour, x, y, size, FaceName.AVATAR)
    if row.presence is Presence.NONE:
        return
    colour = colours.online if row.presence is Presence.ONLINE else colours.offline
    dot = spacing.presence_dot + 2 * DOT_RING_PX
    photo = kit.pictures.ringed(dot, DOT_RING_PX, colour, ground)
    laid.items.append(Picture(x + size - dot + 1, y + size - dot + 1, y + size + 1, photo))


def _put_badge(kit: Kit, laid: Laid, row: ListRow, right: int) -> int:
    """The number of unread messages; how much room it takes."""
    if not row.unread:
        return 0
    colours, face = kit.colours, kit.faces[FaceName.SMALL]
    shown = str(row.unread) if row.unread <= UNREAD_MAX else f"{UNREAD_MAX}+"
    line = one_line(kit, (Span(shown),), FaceName.SMALL, kit.spacing.list_width)
    width = max(BADGE_PX, line.width + 2 * BADGE_PAD)
    top = PREVIEW_Y - 1
    fill, ink = (colours.on_accent, colours.selected) if row.selected else (colours.accent, colours.on_accent)
    laid.items.append(Picture(right - width, top, top + BADGE_PX, kit.pictures.pill(width, BADGE_PX, fill)))
    middle = top + (BADGE_PX - face.line) // 2
    x = right - width + (width - line.width) // 2
    put_line(kit, laid, line, x, middle, FaceName.SMALL, Ink(ink, ink, ink))
    return width
