"""The timeline: one canvas on which only what is seen is drawn, however long the conversation is."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from coterie.base.clock import SystemClock
from coterie.desktop.canvas.kept import Kept
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Item, Laid, Spot
from coterie.desktop.canvas.marks import lay
from coterie.desktop.canvas.paint import paint, within
from coterie.desktop.canvas.viewport import Viewport
from coterie.desktop.scrollbar import Scrollbar
from coterie.desktop.wheel import bind_wheel
from coterie.screens.rows import MessageRow, Row
from coterie.screens.signals import Append, Insert, Remove, Reset, RowsChanged, Update

FRAME_MS: Final = 16
FRAME_MOST_MS: Final = 100
"""Between two frames is the time that one takes, so that keys come through, but no more than this."""
LAID_MAX: Final = 400
"""Laid out rows that are kept."""
WHEEL_PX: Final = 60
PAGE_OVERLAP_PX: Final = 40
TOP_ROWS: Final = 30
"""So many rows above the seen ones, and the page before is asked for."""
REACH_PART: Final = 0.3
"""A row that is looked up stands so far below the top, as a part of the height."""
FLASH_MS: Final = 2_000
TAG: Final = "row"


class Drawn(msgspec.Struct):
    """A row that is on the canvas."""

    tag: str
    laid: Laid
    y: int
    top: int
    bottom: int
    """The stretch of the row that is painted."""
    marks: list[Box]
    flashed: bool
    items: list[Item]
    """What owns the images."""


class TimelineListener(Protocol):
    """What a timeline tells."""

    def timeline_moved(self) -> None:
        """Other rows are seen than before."""
        ...

    def timeline_near_top(self) -> None:
        """The oldest row is nearly seen."""
        ...

    def timeline_near_end(self) -> None:
        """The last row is nearly seen."""
        ...


class Timeline(tk.Frame):
    """Shows rows. All positions are pixels of the canvas."""

    def __init__(self, parent: tk.Misc, kit: Kit, listener: TimelineListener) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._listener = listener
        self._laid: Kept[tuple[str, int], tuple[Row, Laid]] = Kept(LAID_MAX)
        self._drawn: dict[str, Drawn] = {}
        self._serial = 0
        self._pending: str | None = None
        self._clock = SystemClock()
        self._pause_ms = FRAME_MS
        self._width = 1
        self._stale = False
        """Everything drawn is of another width or look."""
        self._flashed: str | None = None
        """Key of the row that is marked for a moment."""
        self._unflash: str | None = None
        self.marks: Callable[[int], list[Box]] = lambda _index: []
        """What of a row is marked; given by the one who marks."""
        self.view: Viewport[Row] = Viewport(lambda row: self.laid(row).height)
        self.canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, takefocus=True)
        self.scrollbar = Scrollbar(self, kit.theme, self._to_fraction)
        self.scrollbar.pack(side="right", fill="y")
        self.canvas.pack(side="left", fill="both", expand=True)
        self.canvas.bind("<Configure>", self._resized)
        bind_wheel(self.canvas, WHEEL_PX, self.scroll)
        self.restyle()

    def destroy(self) -> None:
        for timer in (self._pending, self._unflash):
            if timer is not None:
                self.after_cancel(timer)
        self._pending = self._unflash = None
        super().destroy()

    def restyle(self) -> None:
        """The theme or the zoom changed: lay out and draw everything anew."""
        self.canvas.configure(background=self._kit.colours.window)
        self.scrollbar.paint(self._kit.theme)
        self._laid.clear()
        self._stale = True
        self.schedule()

    def change(self, signal: RowsChanged) -> None:
        """Take over a change of the rows; it is seen with the next frame."""
        view = self.view
        match signal:
            case Reset(rows=rows, focus=focus):
                keys = [row.key for row in _rows(rows)]
                view.reset(_rows(rows), keys.index(focus) if focus in keys else None)
            case Insert(index=index, rows=rows):
                view.insert(index, _rows(rows))
            case Append(rows=rows):
                view.append(_rows(rows))
            case Update(index=index, row=row):
                view.update(index, _rows((row,))[0])
            case Remove(index=index, count=count):
                view.remove(index, count)
        self.schedule()

    def scroll(self, pixels: int) -> None:
        """Move down (up: negative)."""
        self.view.scroll(pixels)
        self.schedule()

    def page(self, direction: int) -> None:
        """One page down (1) or up (-1)."""
        self.scroll(direction * max(PAGE_OVERLAP_PX, self.view.height - PAGE_OVERLAP_PX))

    def to_end(self) -> None:
        self.view.to_end()
        self.schedule()

    def reach(self, key: str) -> None:
        """Bring the row into view, not at the edge, and mark it for a moment."""
        index = next((at for at, row in enumerate(self.view.rows) if row.key == key), None)
        if index is None:
            return
        self.view.to_row(index)
        self.view.offset = -round(self.view.height * REACH_PART)
        self._flash(key)
        if self._unflash is not None:
            self.after_cancel(self._unflash)
        self._unflash = self.after(FLASH_MS, self._flash, None)

    def _flash(self, key: str | None) -> None:
        self._flashed = key
        self._unflash = None
        self.schedule()

    def to_start(self) -> None:
        self.view.to_row(0)
        self.schedule()

    def schedule(self) -> None:
        """Have everything drawn with the next frame, once."""
        if self._pending is None:
            self._pending = self.after(self._pause_ms, self._frame)

    @property
    def waiting(self) -> bool:
        """Whether something is still to be drawn."""
        return self._pending is not None

    def laid(self, row: Row) -> Laid:
        """The layout of a row at the present width."""
        width = self._width
        known, laid = self._laid.get((row.key, width), lambda: (row, lay(self._kit, row, width)))
        if known is not row and known != row:
            self._laid.drop((row.key, width))
            laid = self._laid.get((row.key, width), lambda: (row, lay(self._kit, row, width)))[1]
        return laid

    def row_at(self, y: int) -> tuple[int, int] | None:
        """(index, y of its top) of the row at this height of the canvas."""
        found = None
        for index, top in self.view.place():
            if top <= y or found is None:
                found = (index, top)
        return found

    def spot_at(self, x: int, y: int) -> Spot | None:
        """What a click at the place means."""
        at = self.row_at(y)
        if at is None:
            return None
        index, top = at
        return self.laid(self.view.rows[index]).spot(x, y - top)

    def newest_seen(self) -> int:
        """Message.order of the newest message that is seen as a whole, 0 where there is none."""
        for index, top in reversed(self.view.place()):
            row = self.view.rows[index]
            if isinstance(row, MessageRow):
                shown = min(self.laid(row).height, self.view.height)
                if top + shown <= self.view.height:
                    return row.order
        return 0

    def render(self) -> None:
        """Draw what is seen, and only what changed: rows that stay are moved."""
        self.view.height = max(1, self.canvas.winfo_height())
        if self._stale:
            self.canvas.delete(TAG)
            self._drawn.clear()
            self._stale = False
        placed = [(index, y, self.view.rows[index]) for index, y in self.view.place()]
        seen = {row.key for _, _, row in placed}
        if gone := [key for key in self._drawn if key not in seen]:
            self.canvas.delete(*[self._drawn.pop(key).tag for key in gone])
        self._move([(row.key, y) for _, y, row in placed])
        for index, y, row in placed:
            self._draw(index, y, row)
        self._show_position(placed[0][0] if placed else 0, len(placed))

    def _frame(self) -> None:
        """Draw, and have it shown now: while much arrives Tk is never idle, and keys would not show."""
        self._pending = None
        began = self._clock.monotonic_seconds()
        self.render()
        self._listener.timeline_moved()
        if self.view.index < TOP_ROWS and self.view.rows:
            self._listener.timeline_near_top()
        if self.view.last > len(self.view.rows) - TOP_ROWS:
            self._listener.timeline_near_end()
        self.update_idletasks()
        took_ms = round((self._clock.monotonic_seconds() - began) * 1000)
        self._pause_ms = min(max(FRAME_MS, took_ms), FRAME_MOST_MS)

    def _move(self, placed: list[tuple[str, int]]) -> None:
        """Move the rows that are drawn already; all at once where they move by the same."""
        steps = [(drawn, y - drawn.y) for key, y in placed if (drawn := self._drawn.get(key)) is not None]
        if not steps:
            return
        if len({step for _, step in steps}) == 1:
            if steps[0][1]:
                self.canvas.move(TAG, 0, steps[0][1])
        else:
            for drawn, step in steps:
                if step:
                    self.canvas.move(drawn.tag, 0, step)
        for drawn, step in steps:
            drawn.y += step

    def _draw(self, index: int, y: int, row: Row) -> None:
        laid, marks, flashed = self.laid(row), self.marks(index), row.key == self._flashed
        first, last = max(0, -y), min(laid.height, self.view.height - y)
        drawn = self._drawn.get(row.key)
        if drawn is not None:
            same = drawn.laid is laid and drawn.marks == marks and drawn.flashed == flashed
            if same and drawn.top <= first and last <= drawn.bottom:
                return
            self.canvas.delete(drawn.tag)
        tall = laid.height > 2 * self.view.height
        top = max(0, first - self.view.height) if tall else 0
        bottom = min(laid.height, last + self.view.height) if tall else laid.height
        band = [Box(0, 0, self._width, laid.height, self._kit.colours.unread_line)] if flashed else []
        items: list[Item] = [*band, *laid.ground, *marks, *laid.items]
        if tall:
            items = within(items, top, bottom)
        self._serial += 1
        tag = f"{TAG}{self._serial}"
        paint(self.canvas, items, 0, y, (TAG, tag))
        self._drawn[row.key] = Drawn(tag, laid, y, top, bottom, marks, flashed, items)

    def _show_position(self, first: int, count: int) -> None:
        rows = max(1, len(self.view.rows))
        if self.view.at_end:
            whole = first == 0 and self.view.offset <= 0
            self.scrollbar.show(0.0 if whole else 1.0 - count / rows if count < rows else 0.0, 1.0)
        else:
            self.scrollbar.show(first / rows, min(1.0, (first + count) / rows))

    def _to_fraction(self, fraction: float) -> None:
        at = fraction * len(self.view.rows)
        self.view.to_row(int(at))
        if self.view.rows:
            self.view.offset = round((at - int(at)) * self.laid(self.view.rows[self.view.index]).height)
        self.schedule()

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        self._stale = self._stale or event.width != self._width
        self._width = event.width
        self.schedule()


def _rows(rows: tuple[object, ...]) -> list[Row]:
    return [row for row in rows if isinstance(row, Row)]
