"""A list whose rows are all of one height: one canvas on which only the rows that are seen are drawn."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Item, Laid
from coterie.desktop.canvas.paint import paint
from coterie.desktop.wheel import bind_wheel
from coterie.screens.pages import PageRow
from coterie.screens.rows import FoundRow, ListRow
from coterie.screens.signals import Append, Insert, Remove, Reset, RowsChanged, Update

AnyListed = ListRow | FoundRow | PageRow
R = TypeVar("R", ListRow, FoundRow, PageRow)

FRAME_MS: Final = 16
TAG: Final = "row"


class Drawn(msgspec.Struct):
    """A row that is on the canvas."""

    tag: str
    row: AnyListed
    hovered: bool
    y: int
    items: list[Item]
    """What owns the images."""


class RowCanvas(tk.Canvas, Generic[R]):
    """Shows rows of one kind, each drawn as lay_row() lays it out. Lengths are pixels."""

    kind: type[R]

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        on_choose: Callable[[R], None],
        on_near_end: Callable[[], None] = lambda: None,
    ) -> None:
        """on_choose: a row was clicked. on_near_end: the last row is nearly seen."""
        super().__init__(parent, highlightthickness=0, borderwidth=0, width=kit.spacing.list_width)
        self._kit = kit
        self._on_choose: Callable[[R], None] = on_choose
        self._on_near_end = on_near_end
        self.rows: list[R] = []
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
        bind_wheel(self, self.row_height, self.scroll)
        self.restyle()

    @property
    def row_height(self) -> int:
        return self._kit.spacing.list_row

    def lay_row(self, row: R, hovered: bool) -> Laid:
        """The row at the present width."""
        raise NotImplementedError

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
                self.replace(self._own(rows))
            case Insert(index=index, rows=rows):
                self.rows[index:index] = self._own(rows)
            case Append(rows=rows):
                self.rows.extend(self._own(rows))
            case Update(index=index, row=row):
                self.rows[index] = self._own((row,))[0]
            case Remove(index=index, count=count):
                del self.rows[index : index + count]
        self._schedule()

    def replace(self, rows: list[R]) -> None:
        """Show other rows, from the first one on."""
        self.rows = rows
        self._top = 0
        self._schedule()

    def scroll(self, pixels: int) -> None:
        """Move down (up: negative)."""
        self._top += pixels
        self._schedule()

    def bring(self, place: int) -> None:
        """Have the row at this place in view."""
        height = self.row_height
        lowest = (place + 1) * height - self.winfo_height()
        self._top = max(min(self._top, place * height), lowest)
        self._schedule()

    @property
    def waiting(self) -> bool:
        """Whether something is still to be drawn."""
        return self._pending is not None

    def row_at(self, y: int) -> R | None:
        """The row at this height of the canvas."""
        index = (y + self._top) // self.row_height
        return self.rows[index] if y >= 0 and 0 <= index < len(self.rows) else None

    def render(self) -> None:
        """Draw what is seen, and only what changed."""
        height = self.row_height
        self._top = max(0, min(self._top, len(self.rows) * height - self.winfo_height()))
        first = self._top // height
        last = (self._top + self.winfo_height()) // height + 1
        seen = {
            row.key: (row, (first + place) * height - self._top)
            for place, row in enumerate(self.rows[first:last])
        }
        if gone := [key for key in self._drawn if key not in seen]:
            self.delete(*[self._drawn.pop(key).tag for key in gone])
        for row, y in seen.values():
            self._draw(row, y)

    def _draw(self, row: R, y: int) -> None:
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
        laid: Laid = self.lay_row(row, hovered)
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
        height = self.row_height
        if self.rows and self._top + 2 * self.winfo_height() > len(self.rows) * height:
            self._on_near_end()

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        row = self.row_at(event.y)
        if row is not None:
            self._on_choose(row)

    def _hover(self, y: int) -> None:
        row = self.row_at(y)
        key = None if row is None else row.key
        if key != self._hovered:
            self._hovered = key
            self.configure(cursor="hand2" if key else "")
            self._schedule()

    def _own(self, rows: tuple[object, ...]) -> list[R]:
        return [row for row in rows if isinstance(row, self.kind)]


S = TypeVar("S", ListRow, FoundRow)


class ChoosingCanvas(RowCanvas[S], Generic[S]):
    """One of its rows is the selected one."""

    def reveal(self) -> None:
        """Bring the selected row into view."""
        at = next((index for index, row in enumerate(self.rows) if row.selected), None)
        if at is not None:
            self.bring(at)
