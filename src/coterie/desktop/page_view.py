"""A page over the conversation: a title, what it is about, and rows to look at; a click copies a value."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Laid, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.line_bar import LineBar
from coterie.desktop.row_canvas import RowCanvas
from coterie.screens.page_texts import PageText
from coterie.screens.richtext import preview
from coterie.screens.rows import Page, PageRow

SIDE_PX: Final = 18
PAD_PX: Final = 12
LINE_GAP_PX: Final = 4
NAME_PART: Final = 0.28
"""Of the width, for what a value is called."""

MOVES: Final = {"<Down>": 1, "<Up>": -1, "<Next>": 8, "<Prior>": -8, "<End>": 1_000_000, "<Home>": -1_000_000}
"""Rows down (up: negative)."""


class PageList(RowCanvas[PageRow]):
    """The rows of a page: a heading, or a name with its value and, below it, why."""

    kind = PageRow

    @property
    def row_height(self) -> int:
        faces = self._kit.faces
        return faces[FaceName.BODY].line + faces[FaceName.SMALL].line + 2 * LINE_GAP_PX

    def lay_row(self, row: PageRow, hovered: bool) -> Laid:
        return lay_page_row(self._kit, row, hovered, self.winfo_width(), self.row_height)


def lay_page_row(kit: Kit, row: PageRow, hovered: bool, width: int, height: int) -> Laid:
    """One row at this width of the page."""
    colours = kit.colours
    laid = Laid(height)
    top, below = LINE_GAP_PX, LINE_GAP_PX + kit.faces[FaceName.BODY].line
    if row.heading:
        laid.ground.append(Box(0, 0, width, height, colours.field))
        _put(kit, laid, row.name, SIDE_PX, top, width - 2 * SIDE_PX, FaceName.BOLD, colours.text)
        about = f"{row.note}, {row.value}" if row.note else row.value
        _put(kit, laid, about, SIDE_PX, below, width - 2 * SIDE_PX, FaceName.SMALL, colours.muted)
        return laid
    laid.ground.append(Box(0, 0, width, height, colours.hover if hovered else colours.window))
    middle = SIDE_PX + round((width - 2 * SIDE_PX) * NAME_PART)
    room = width - SIDE_PX - middle
    _put(kit, laid, row.name, SIDE_PX, top, middle - SIDE_PX - PAD_PX, FaceName.BODY, colours.link)
    _put(kit, laid, row.value, middle, top, room, FaceName.BODY, colours.text)
    _put(kit, laid, row.note, middle, below, room, FaceName.SMALL, colours.muted)
    return laid


def _put(kit: Kit, laid: Laid, text: str, x: int, y: int, room: int, face: FaceName, colour: str) -> None:
    line = one_line(kit, preview(text), face, max(1, room))
    put_line(kit, laid, line, x, y, face, Ink(colour, colour, colour))


class PageView(tk.Frame):
    """Fills what it is placed over, until it is closed."""

    def __init__(self, parent: tk.Misc, kit: Kit, on_close: Callable[[], None]) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._top = tk.Frame(self, borderwidth=0)
        self.title = LineBar(self._top, kit, FaceName.HEADING, "text", "panel", SIDE_PX)
        self.about = LineBar(self._top, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self.close = ttk.Button(self._top, text=PageText.CLOSE.value, command=on_close, style="Link.TButton")
        self.list = PageList(self, kit, self._copy)
        self.close.pack(side="right", padx=SIDE_PX)
        self.title.pack(side="top", fill="x", pady=(PAD_PX, 0))
        self.about.pack(side="top", fill="x", pady=(0, PAD_PX))
        self._top.pack(side="top", fill="x")
        self.list.pack(side="left", fill="both", expand=True)
        self.list.bind("<Escape>", lambda _: on_close())
        for sequence, rows in MOVES.items():
            self.list.bind(sequence, self._moving(rows))
        self.restyle()

    def _moving(self, rows: int) -> Callable[[object], None]:
        return lambda _: self.list.scroll(rows * self.list.row_height)

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        for part in (self, self._top):
            part.configure(background=self._kit.colours.panel)
        self.title.restyle()
        self.about.restyle()
        self.list.restyle()

    def show(self, page: Page) -> None:
        self.title.show(page.title)
        self.about.show(page.about)
        self.list.replace(list(page.rows))
        self.list.focus_set()

    def _copy(self, row: PageRow) -> None:
        """The value goes to the clipboard."""
        self.clipboard_clear()
        self.clipboard_append(row.value)
        self.about.show(PageText.COPIED.value.format(name=row.name))
