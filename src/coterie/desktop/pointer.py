"""The pointer over the timeline: clicks on links and people, marking and copying of text, the menu."""

from __future__ import annotations

import tkinter as tk
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Spot, SpotKind
from coterie.desktop.canvas.marking import boxes, offset_at, word_at
from coterie.desktop.keys import dress_menu
from coterie.desktop.timeline import Timeline
from coterie.screens.i18n import Text, say
from coterie.screens.rows import MessageRow

DRAG_PX: Final = 4
EDGE_MS: Final = 30
"""While text is marked beyond an edge, the timeline scrolls once in this time."""
EDGE_PX: Final = 24


class PointerListener(Protocol):
    """What is asked for with the pointer."""

    def pointer_opens(self, address: str) -> None: ...

    def pointer_addresses(self, name: str) -> None: ...

    def pointer_expands(self, key: str) -> None:
        """All of a long message is wanted."""
        ...

    def pointer_asks(self, order: int) -> None:
        """Who has that message of one's own?"""
        ...

    def pointer_over(self, text: str) -> None:
        """What a click would do, empty for nothing."""
        ...


class Place(msgspec.Struct, frozen=True):
    """A place in the text of a row."""

    key: str
    offset: int


class Pointer:
    """Belongs to one timeline."""

    def __init__(self, timeline: Timeline, kit: Kit, listener: PointerListener) -> None:
        self._timeline = timeline
        self._kit = kit
        self._listener = listener
        self._from: Place | None = None
        self._to: Place | None = None
        self._pressed: tuple[int, int] | None = None
        self._edge: str | None = None
        self._at = (0, 0)
        self._menu = tk.Menu(timeline, tearoff=False)
        timeline.marks = self.marks
        canvas = timeline.canvas
        canvas.bind("<Button-1>", self._press)
        canvas.bind("<B1-Motion>", self._drag)
        canvas.bind("<ButtonRelease-1>", self._release)
        canvas.bind("<Double-Button-1>", self._word)
        canvas.bind("<Triple-Button-1>", self._row)
        canvas.bind("<Motion>", self._motion)
        canvas.bind("<Leave>", lambda _: self._listener.pointer_over(""))
        for button in ("<Button-3>", "<Control-Button-1>"):
            canvas.bind(button, self._popup)
        canvas.bind("<Destroy>", lambda _: self._stop_edge())

    def marks(self, index: int) -> list[Box]:
        """The boxes behind what is marked in a row."""
        span = self._span(index)
        row = self._timeline.view.rows[index]
        if span is None or not isinstance(row, MessageRow):
            return []
        laid = self._timeline.laid(row)
        return boxes(self._kit, laid, span[0], len(laid.text) if span[1] is None else span[1])

    def marked_text(self) -> str:
        """What copying copies: of one message the marked part, of several with time and name."""
        rows = self._timeline.view.rows
        parts: list[tuple[MessageRow, str]] = []
        for index in self._range():
            row, span = rows[index], self._span(index)
            if isinstance(row, MessageRow) and span is not None:
                whole = span == (0, None)
                text = row.text if whole else self._timeline.laid(row).text[span[0] : span[1]]
                parts.append((row, text))
        if len(parts) == 1:
            return parts[0][1]
        return "\n".join(f"[{row.time}] {row.sender}: {text}" for row, text in parts if text)

    def copy(self) -> None:
        """Put what is marked on the clipboard, if anything is."""
        text = self.marked_text()
        if text:
            self._to_clipboard(text)

    def clear(self) -> None:
        """Mark nothing."""
        if self._from is not None:
            self._from = self._to = None
            self._timeline.schedule()

    def _place(self, x: int, y: int) -> Place | None:
        at = self._timeline.row_at(y)
        if at is None:
            return None
        index, top = at
        row = self._timeline.view.rows[index]
        laid = self._timeline.laid(row)
        return Place(row.key, offset_at(self._kit, laid, x, y - top))

    def _ends(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """(index, offset) of both ends, in order; None where nothing is marked or the rows are gone."""
        if self._from is None or self._to is None or self._from == self._to:
            return None
        found = []
        for place in (self._from, self._to):
            rows = self._timeline.view.rows
            index = next((at for at, row in enumerate(rows) if row.key == place.key), None)
            if index is None:
                return None
            found.append((index, place.offset))
        first, last = sorted(found)
        return first, last

    def _range(self) -> range:
        ends = self._ends()
        return range(0) if ends is None else range(ends[0][0], ends[1][0] + 1)

    def _span(self, index: int) -> tuple[int, int | None] | None:
        """What of a row's text is marked; None as the end: all of the rest."""
        if self._from is None:
            return None
        ends = self._ends()
        if ends is None or not ends[0][0] <= index <= ends[1][0]:
            return None
        first = ends[0][1] if index == ends[0][0] else 0
        last = ends[1][1] if index == ends[1][0] else None
        return first, last

    def _press(self, event: tk.Event[tk.Misc]) -> None:
        self._timeline.canvas.focus_set()
        self._pressed = (event.x, event.y)
        self.clear()

    def _drag(self, event: tk.Event[tk.Misc]) -> None:
        if self._pressed is None:
            return
        self._at = (event.x, event.y)
        x, y = self._pressed
        if self._from is None and abs(event.x - x) + abs(event.y - y) < DRAG_PX:
            return
        if self._from is None:
            self._from = self._place(x, y)
        self._reach()
        outside = event.y < 0 or event.y >= self._timeline.view.height
        if outside and self._edge is None:
            self._edge = self._timeline.after(EDGE_MS, self._past_edge)

    def _reach(self) -> None:
        height = self._timeline.view.height
        self._to = self._place(self._at[0], min(max(self._at[1], 0), height - 1))
        self._timeline.schedule()

    def _past_edge(self) -> None:
        """Scroll on while the button is held outside."""
        self._edge = None
        y = self._at[1]
        if self._pressed is None or 0 <= y < self._timeline.view.height:
            return
        self._timeline.scroll(-EDGE_PX if y < 0 else EDGE_PX)
        self._reach()
        self._edge = self._timeline.after(EDGE_MS, self._past_edge)

    def _stop_edge(self) -> None:
        if self._edge is not None:
            self._timeline.after_cancel(self._edge)
            self._edge = None

    def _release(self, event: tk.Event[tk.Misc]) -> None:
        self._stop_edge()
        pressed, self._pressed = self._pressed, None
        if pressed is None or self._from is not None:
            return
        spot = self._timeline.spot_at(event.x, event.y)
        if spot is not None:
            self._follow(spot)

    def _follow(self, spot: Spot) -> None:
        match spot.kind:
            case SpotKind.LINK:
                self._listener.pointer_opens(spot.target)
            case SpotKind.PERSON:
                self._listener.pointer_addresses(spot.target)
            case SpotKind.MORE:
                self._listener.pointer_expands(spot.target)

    def _word(self, event: tk.Event[tk.Misc]) -> None:
        place = self._place(event.x, event.y)
        row = self._row_of(place)
        if place is not None and row is not None:
            first, last = word_at(self._timeline.laid(row).text, place.offset)
            self._mark(place.key, first, last)

    def _row(self, event: tk.Event[tk.Misc]) -> None:
        place = self._place(event.x, event.y)
        row = self._row_of(place)
        if place is not None and row is not None:
            self._mark(place.key, 0, len(self._timeline.laid(row).text))

    def _mark(self, key: str, first: int, last: int) -> None:
        self._from, self._to, self._pressed = Place(key, first), Place(key, last), None
        self._timeline.schedule()

    def _row_of(self, place: Place | None) -> MessageRow | None:
        rows = self._timeline.view.rows
        row = next((row for row in rows if place is not None and row.key == place.key), None)
        return row if isinstance(row, MessageRow) else None

    def _motion(self, event: tk.Event[tk.Misc]) -> None:
        spot = self._timeline.spot_at(event.x, event.y)
        self._timeline.canvas.configure(cursor="hand2" if spot is not None else "")
        self._listener.pointer_over("" if spot is None else _about(spot))

    def _popup(self, event: tk.Event[tk.Misc]) -> None:
        row = self._row_of(self._place(event.x, event.y))
        spot = self._timeline.spot_at(event.x, event.y)
        menu = self._menu
        dress_menu(menu, self._kit)
        if self._ends() is not None:
            menu.add_command(label=say(Text.COPY), command=self.copy)
        if row is not None:
            menu.add_command(label=say(Text.COPY_MESSAGE), command=lambda: self._to_clipboard(row.text))
        if row is not None and row.own:
            asked = row.order
            menu.add_command(label=say(Text.WHO_HAS_IT), command=lambda: self._listener.pointer_asks(asked))
        if spot is not None and spot.kind is SpotKind.LINK:
            menu.add_command(label=say(Text.COPY_LINK), command=lambda: self._to_clipboard(spot.target))
        if menu.index("end") is not None:
            menu.tk_popup(event.x_root, event.y_root)

    def _to_clipboard(self, text: str) -> None:
        self._timeline.clipboard_clear()
        self._timeline.clipboard_append(text)


def _about(spot: Spot) -> str:
    match spot.kind:
        case SpotKind.LINK:
            return say(Text.OPENS, host=urlsplit(spot.target).hostname or "")
        case SpotKind.PERSON:
            return say(Text.WRITE_TO, name=spot.target)
        case SpotKind.MORE:
            return ""
