"""The conversation list: one canvas on which only the rows that are seen are drawn."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

import msgspec

from coterie.base.ids import ConversationId
from coterie.desktop.canvas.bubble import put_avatar
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Item, Laid, Picture, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.canvas.paint import paint
from coterie.desktop.wheel import bind_wheel
from coterie.screens.richtext import Span, preview
from coterie.screens.rows import ListRow, Presence
from coterie.screens.signals import Append, Insert, Remove, Reset, RowsChanged, Update

FRAME_MS: Final = 16
WHEEL_PX: Final = 66
BADGE_PX: Final = 22
BADGE_PAD: Final = 8
UNREAD_MAX: Final = 999
DOT_RING_PX: Final = 2
TITLE_Y: Final = 13
PREVIEW_Y: Final = 35
TAG: Final = "row"


class Drawn(msgspec.Struct):
    tag: str
    row: ListRow
    hovered: bool
    y: int
    items: list[Item]


class ConversationList(tk.Canvas):
    """Shows rows; on_select is called with the conversation of the row that is clicked."""

    def __init__(self, parent: tk.Misc, kit: Kit, on_select: Callable[[ConversationId], None]) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0, width=kit.spacing.list_width)
        self._kit = kit
        self._on_select = on_select
        self.rows: list[ListRow] = []
        self._top = 0
        """Pixels above the seen part."""
        self._hovered: str | None = None
        self._drawn: dict[str, Drawn] = {}
        self._serial = 0
        self._pending: str | None = None
        self.bind("<Configure>", lambda _: self._redraw())
        self.bind("<Button-1>", self._clicked)
        self.bind("<Motion>", lambda event: self._hover(event.y))
        self.bind("<Leave>", lambda _: self._hover(-1))
        bind_wheel(self, WHEEL_PX, self.scroll)
        self.restyle()

    def destroy(self) -> None:
        if self._pending is not None:
            self.after_cancel(self._pending)
            self._pending = None
        super().destroy()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=self._kit.colours.panel)
        self._redraw()

    def change(self, signal: RowsChanged) -> None:
        """Take over a change of the rows; it is seen with the next frame."""
        match signal:
            case Reset(rows=rows):
                self.rows = _rows(rows)
                self._top = 0
            case Insert(index=index, rows=rows):
                self.rows[index:index] = _rows(rows)
            case Append(rows=rows):
                self.rows.extend(_rows(rows))
            case Update(index=index, row=row):
                self.rows[index] = _rows((row,))[0]
            case Remove(index=index, count=count):
                del self.rows[index : index + count]
        self._schedule()

    def scroll(self, pixels: int) -> None:
        """Move down (up: negative)."""
        self._top += pixels
        self._schedule()

    @property
    def waiting(self) -> bool:
        """Whether something is still to be drawn."""
        return self._pending is not None

    def reveal(self) -> None:
        """Bring the selected row into view."""
        height = self._kit.spacing.list_row
        at = next((index for index, row in enumerate(self.rows) if row.selected), None)
        if at is not None:
            lowest = (at + 1) * height - self.winfo_height()
            self._top = max(min(self._top, at * height), lowest)
            self._schedule()

    def row_at(self, y: int) -> ListRow | None:
        """The row at this height of the canvas."""
        index = (y + self._top) // self._kit.spacing.list_row
        return self.rows[index] if y >= 0 and 0 <= index < len(self.rows) else None

    def render(self) -> None:
        """Draw what is seen, and only what changed."""
        height = self._kit.spacing.list_row
        self._top = max(0, min(self._top, len(self.rows) * height - self.winfo_height()))
        first = self._top // height
        last = (self._top + self.winfo_height()) // height + 1
        seen = {
            row.key: (row, (first + place) * height - self._top)
            for place, row in enumerate(self.rows[first:last])
        }
        for key in [key for key in self._drawn if key not in seen]:
            self.delete(self._drawn.pop(key).tag)
        for row, y in seen.values():
            self._draw(row, y)

    def _draw(self, row: ListRow, y: int) -> None:
        drawn, hovered = self._drawn.get(row.key), row.key == self._hovered
        if drawn is not None:
            if drawn.row == row and drawn.hovered == hovered:
                if drawn.y != y:
                    self.move(drawn.tag, 0, y - drawn.y)
                    drawn.y = y
                return
            self.delete(drawn.tag)
        self._serial += 1
        tag = f"{TAG}{self._serial}"
        laid = lay_row(self._kit, row, hovered, self.winfo_width())
        items: list[Item] = [*laid.ground, *laid.items]
        paint(self, items, 0, y, (TAG, tag))
        self._drawn[row.key] = Drawn(tag, row, hovered, y, items)

    def _redraw(self) -> None:
        self.delete(TAG)
        self._drawn.clear()
        self._schedule()

    def _schedule(self) -> None:
        if self._pending is None:
            self._pending = self.after(FRAME_MS, self._frame)

    def _frame(self) -> None:
        self._pending = None
        self.render()

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        row = self.row_at(event.y)
        if row is not None:
            self._on_select(row.conversation)

    def _hover(self, y: int) -> None:
        row = self.row_at(y)
        key = None if row is None else row.key
        if key != self._hovered:
            self._hovered = key
            self.configure(cursor="hand2" if key else "")
            self._schedule()


def lay_row(kit: Kit, row: ListRow, hovered: bool, width: int) -> Laid:
    """One row of the list at this width."""
    spacing, colours = kit.spacing, kit.colours
    laid = Laid(spacing.list_row)
    ground = colours.selected if row.selected else colours.hover if hovered else colours.panel
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
    title = one_line(kit, preview(row.title), FaceName.BOLD, max(1, right - left - time - spacing.gap))
    put_line(kit, laid, title, left, TITLE_Y, FaceName.BOLD, ink)
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


def _rows(rows: tuple[object, ...]) -> list[ListRow]:
    return [row for row in rows if isinstance(row, ListRow)]
