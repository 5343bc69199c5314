"""One line of any text on a canvas of its own: names and words of strangers may stand in it."""

from __future__ import annotations

import tkinter as tk

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Ink, Laid, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.canvas.paint import paint
from coterie.screens.richtext import preview

TAG = "line"


class LineBar(tk.Canvas):
    """Shows a line cut to its width; takes no room while empty. colour and ground name theme colours."""

    def __init__(self, parent: tk.Misc, kit: Kit, face: FaceName, colour: str, ground: str, pad: int) -> None:
        super().__init__(parent, height=1, highlightthickness=0, borderwidth=0)
        self._kit = kit
        self._face = face
        self._colour = colour
        self._ground = ground
        self._pad = pad
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
        height = self._kit.faces[self._face].line + 6 if text else 1
        self.configure(height=height)
        self._draw()

    def _draw(self) -> None:
        self.delete(TAG)
        colour = getattr(self._kit.colours, self._colour)
        room = max(1, self.winfo_width() - 2 * self._pad)
        line = one_line(self._kit, preview(self.text), self._face, room)
        self._laid = Laid(0)
        put_line(self._kit, self._laid, line, self._pad, 3, self._face, Ink(colour, colour, colour))
        paint(self, self._laid.items, 0, 0, (TAG,))
