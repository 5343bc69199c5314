"""Any text on a canvas of its own, of one line or more: names and words of strangers may stand in it."""

from __future__ import annotations

import tkinter as tk

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Ink, Laid, put_line
from coterie.desktop.canvas.lines import Line, one_line, wrapped
from coterie.desktop.canvas.paint import paint
from coterie.screens.richtext import PREVIEW_CHARACTERS, Span, preview

TAG = "line"
MOST_CHARACTERS = 600
"""Where a text may take several lines."""


class LineBar(tk.Canvas):
    """Shows a line cut to its width, or (wrap) as many as the text takes; takes no room while empty. colour
    and ground name theme colours."""

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        face: FaceName,
        colour: str,
        ground: str,
        pad: int,
        *,
        wrap: bool = False,
    ) -> None:
        super().__init__(parent, height=1, highlightthickness=0, borderwidth=0)
        self._kit = kit
        self._face = face
        self._colour = colour
        self._ground = ground
        self._pad = pad
        self._wrap = wrap
        self._laid = Laid(0)
        self.text = ""
        self.bind("<Configure>", lambda _: self._draw())
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=getattr(self._kit.colours, self._ground))
        self._draw()

    def show(self, text: str, colour: str | None = None) -> None:
        """Show another text, perhaps in another of the theme's colours."""
        colour = colour or self._colour
        if (text, colour) == (self.text, self._colour):
            return
        self.text, self._colour = text, colour
        self._draw()

    def _draw(self) -> None:
        self.delete(TAG)
        colour = getattr(self._kit.colours, self._colour)
        room = max(1, self.winfo_width() - 2 * self._pad)
        most = MOST_CHARACTERS if self._wrap else PREVIEW_CHARACTERS
        spans, height = preview(self.text, most), self._kit.faces[self._face].line
        lines = wrapped(self._kit, spans, self._face, room) if self._wrap else [self._one(spans, room)]
        self.configure(height=height * len(lines) + 6 if self.text else 1)
        self._laid = Laid(0)
        for place, line in enumerate(lines):
            y = 3 + place * height
            put_line(self._kit, self._laid, line, self._pad, y, self._face, Ink(colour, colour, colour))
        paint(self, self._laid.items, 0, 0, (TAG,))

    def _one(self, spans: tuple[Span, ...], room: int) -> Line:
        return one_line(self._kit, spans, self._face, room)
