"""A narrow scrollbar in the look of the design: a flat thumb on the ground of what it scrolls."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from coterie.screens.theme import Theme

LEAST_THUMB_PX: Final = 30


class Scrollbar(tk.Canvas):
    """on_move(fraction): the person wants to see from this part of the whole on."""

    def __init__(self, parent: tk.Misc, theme: Theme, on_move: Callable[[float], None]) -> None:
        super().__init__(parent, width=theme.spacing.scrollbar, highlightthickness=0, borderwidth=0)
        self._on_move = on_move
        self._first = 0.0
        self._last = 1.0
        self._held: int | None = None
        self._thumb = self.create_rectangle(0, 0, 0, 0, width=0, tags="thumb")
        self.paint(theme)
        self.bind("<Configure>", lambda _: self._draw())
        self.bind("<Button-1>", self._press)
        self.bind("<B1-Motion>", self._drag)
        self.bind("<ButtonRelease-1>", self._release)

    def paint(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.configure(background=theme.colours.window)
        self.itemconfigure(self._thumb, fill=theme.colours.pill)

    def show(self, first: float, last: float) -> None:
        """The part of the whole that is seen, 0 to 1."""
        if (first, last) != (self._first, self._last):
            self._first, self._last = first, last
            self._draw()

    def _ends(self) -> tuple[int, int]:
        height = self.winfo_height()
        length = max(LEAST_THUMB_PX, round((self._last - self._first) * height))
        free = max(0, height - length)
        room = 1.0 - (self._last - self._first)
        top = round(free * self._first / room) if room > 0 else 0
        return min(top, free), min(top, free) + length

    def _draw(self) -> None:
        state = tk.HIDDEN if self._last - self._first >= 1.0 else tk.NORMAL
        top, bottom = self._ends()
        self.coords(self._thumb, 0, top, self.winfo_width(), bottom)
        self.itemconfigure(self._thumb, state=state)

    def _press(self, event: tk.Event[tk.Misc]) -> None:
        top, bottom = self._ends()
        self._held = event.y - top if top <= event.y < bottom else (bottom - top) // 2
        self._drag(event)

    def _drag(self, event: tk.Event[tk.Misc]) -> None:
        if self._held is None:
            return
        top, bottom = self._ends()
        free = self.winfo_height() - (bottom - top)
        if free > 0:
            place = min(max((event.y - self._held) / free, 0.0), 1.0)
            self._on_move(place * (1.0 - (self._last - self._first)))

    def _release(self, _event: tk.Event[tk.Misc]) -> None:
        self._held = None
