"""Above the timeline: with whom, and what holds here."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Ink, Laid, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.canvas.paint import paint
from coterie.desktop.canvas.person_mark import mark_room, put_mark
from coterie.screens.richtext import preview
from coterie.screens.rows import Header, Mark

LEFT_PX: Final = 18
TITLE_Y: Final = 8
SUBTITLE_Y: Final = 32
TAG: Final = "header"


class HeaderBar(tk.Canvas):
    """Two lines on the panel's ground, a line of the divider's colour below."""

    def __init__(self, parent: tk.Misc, kit: Kit, on_click: Callable[[], None]) -> None:
        super().__init__(parent, height=kit.spacing.header, highlightthickness=0, borderwidth=0)
        self.bind("<Button-1>", lambda _: on_click())
        self._kit = kit
        self.header = Header("", "")
        self._laid = Laid(0)
        self.bind("<Configure>", lambda _: self._draw())
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=self._kit.colours.panel)
        self._draw()

    def show(self, header: Header) -> None:
        if header != self.header:
            self.header = header
            self._draw()

    def _draw(self) -> None:
        self.delete(TAG)
        kit, room = self._kit, max(1, self.winfo_width() - 2 * LEFT_PX)
        colours = kit.colours
        laid = self._laid = Laid(0)
        for text, face, y, colour in (
            (self.header.title, FaceName.HEADING, TITLE_Y, colours.text),
            (self.header.subtitle, FaceName.SMALL, SUBTITLE_Y, colours.muted),
        ):
            mark = self.header.mark if y == TITLE_Y else Mark.NONE
            line = one_line(kit, preview(text), face, max(1, room - mark_room(mark)))
            put_line(kit, laid, line, LEFT_PX, y, face, Ink(colour, colour, colour))
            put_mark(kit, laid, mark, LEFT_PX + line.width, y, face)
        paint(self, laid.items, 0, 0, (TAG,))
        bottom = kit.spacing.header - 1
        self.create_line(0, bottom, self.winfo_width(), bottom, fill=colours.divider, tags=TAG)
