"""A thin bar that glides while the loop works, and is not to be seen while it does not."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from coterie.desktop.look import Look

HEIGHT_PX: Final = 3
FRAME_MS: Final = 30
STEP: Final = 0.02
SHARE: Final = 0.25
"""Width of the moving part, as a share of the whole."""


class Progress(tk.Canvas):
    """start() and stop() may each be called at any time."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent, height=HEIGHT_PX, width=1, highlightthickness=0, borderwidth=0)
        self._look = look
        self._at = 0.0
        self._timer: str | None = None
        self._bar = self.create_rectangle(0, 0, 0, 0, width=0, state="hidden")
        self.bind("<<ThemeChanged>>", lambda _event: self._paint())
        self._paint()

    @property
    def moving(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        """Glide until stop()."""
        if self._timer is None:
            self._at = 0.0
            self.itemconfigure(self._bar, state="normal")
            self._step()

    def stop(self) -> None:
        """Disappear."""
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None
        self.itemconfigure(self._bar, state="hidden")

    def destroy(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None
        super().destroy()

    def _step(self) -> None:
        """There and back again."""
        self._at = (self._at + STEP) % 2.0
        left = (self._at if self._at <= 1.0 else 2.0 - self._at) * (1.0 - SHARE)
        width = self.winfo_width()
        self.coords(self._bar, round(left * width), 0, round((left + SHARE) * width), HEIGHT_PX)
        self._timer = self.after(FRAME_MS, self._step)

    def _paint(self) -> None:
        colours = self._look.theme.colours
        self.configure(background=colours.panel)
        self.itemconfigure(self._bar, fill=colours.accent)
