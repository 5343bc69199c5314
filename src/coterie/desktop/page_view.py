"""A page over the conversation: a title, what it is about, and rows to look at; a click copies a value."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final, assert_never

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Laid, put_line
from coterie.desktop.canvas.lines import one_line
from coterie.desktop.forms.figures import EmojiGrid, qr_code
from coterie.desktop.keys import dress_menu
from coterie.desktop.line_bar import LineBar
from coterie.desktop.row_canvas import RowCanvas
from coterie.screens.page_texts import PageText
from coterie.screens.pages import EmojiRow, Page, PageAction, PageRow, QrCode
from coterie.screens.richtext import preview

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

    def restyle(self) -> None:
        super().restyle()
        self.configure(background=self._kit.colours.window)

    @property
    def hovered_row(self) -> PageRow | None:
        """The row under the pointer, or where the keys went."""
        return next((row for row in self.rows if row.key == self._hovered), None)

    def step(self, by: int) -> None:
        """To another row, by so many down (up: negative)."""
        if not self.rows:
            return
        at = next((place for place, row in enumerate(self.rows) if row.key == self._hovered), -1)
        place = min(max(at + by, 0), len(self.rows) - 1)
        self._hovered = self.rows[place].key
        self.bring(place)

    def place_of(self, row: PageRow) -> tuple[int, int]:
        """Where a menu about the row belongs, in pixels of the list."""
        place = next((place for place, each in enumerate(self.rows) if each.key == row.key), 0)
        return SIDE_PX + round(self.winfo_width() * NAME_PART), (place + 1) * self.row_height - self._top

    def lay_row(self, row: PageRow, hovered: bool) -> Laid:
        return lay_page_row(self._kit, row, hovered, self.winfo_width(), self.row_height)


def lay_page_row(kit: Kit, row: PageRow, hovered: bool, width: int, height: int) -> Laid:
    """One row at this width of the page."""
    colours = kit.colours
    laid = Laid(height)
    top, below = LINE_GAP_PX, LINE_GAP_PX + kit.faces[FaceName.BODY].line
    if row.heading:
        laid.ground.append(Box(0, 0, width, height, colours.hover if hovered else colours.field))
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
    """Fills what it is placed over, until it is closed. Rows are chosen by the pointer, or by keys."""

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        on_act: Callable[[str, str], None],
        on_close: Callable[[], None],
    ) -> None:
        """on_act: the key of a row, and which of its actions."""
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._on_act = on_act
        self._on_close = on_close
        self._top = tk.Frame(self, borderwidth=0)
        self.title = LineBar(self._top, kit, FaceName.HEADING, "text", "panel", SIDE_PX)
        self.about = LineBar(self._top, kit, FaceName.BODY, "muted", "panel", SIDE_PX, wrap=True)
        self._page = Page("", "", ())
        self.figure: tk.Widget | None = None
        self.buttons: dict[str, ttk.Button] = {}
        """By the names of the page's actions."""
        self._actions = ttk.Frame(self._top)
        self.close = ttk.Button(self._top, text=PageText.CLOSE.value, command=on_close, style="Link.TButton")
        self.menu = tk.Menu(self, tearoff=False)
        self.list = PageList(self, kit, self._chosen)
        self.close.pack(side="right", anchor="n", padx=SIDE_PX, pady=PAD_PX)
        self.title.pack(side="top", fill="x", pady=(PAD_PX, 0))
        self.about.pack(side="top", fill="x", pady=(0, PAD_PX))
        self._top.pack(side="top", fill="x")
        self.list.pack(side="left", fill="both", expand=True)
        self.list.bind("<Escape>", lambda _: on_close())
        for sequence, rows in MOVES.items():
            self.list.bind(sequence, self._moving(rows))
        for sequence in ("<Return>", "<KP_Enter>", "<space>"):
            self.list.bind(sequence, lambda _: self._entered())
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        for part in (self, self._top):
            part.configure(background=self._kit.colours.panel)
        self.title.restyle()
        self.about.restyle()
        self.list.restyle()

    def show(self, page: Page, problem: str) -> None:
        before, self._page = self._page, page
        self.title.show(page.title)
        self.about.show(problem or page.about, "danger" if problem else "muted")
        if page.figure != before.figure:
            self._show_figure(page.figure)
        if page.actions != before.actions:
            self._show_actions(page.actions)
        self.list.replace(list(page.rows))

    def _show_figure(self, figure: QrCode | EmojiRow | None) -> None:
        if self.figure is not None:
            self.figure.destroy()
        match figure:
            case QrCode(text=text):
                self.figure = qr_code(self._top, text)
            case EmojiRow(emoji=emoji):
                self.figure = EmojiGrid(self._top, emoji, in_row=len(emoji))
            case None:
                self.figure = None
            case _:
                assert_never(figure)
        if self.figure is not None:
            self.figure.pack(side="top", anchor="w", padx=SIDE_PX, pady=(0, PAD_PX), after=self.about)

    def _show_actions(self, actions: tuple[PageAction, ...]) -> None:
        """Buttons in a row; the first is the one that is meant most."""
        for button in self.buttons.values():
            button.destroy()
        self.buttons.clear()
        self._actions.pack_forget()
        for place, action in enumerate(actions):
            command = self._acting("", action.name)
            style = "Field.TButton" if place else "Main.TButton"
            button = ttk.Button(self._actions, text=action.label, command=command, style=style)
            button.bind("<Return>", self._pressing(command))
            button.bind("<Escape>", lambda _: self._on_close())
            button.pack(side="left", fill="y", padx=(0, PAD_PX))
            self.buttons[action.name] = button
        if actions:
            self._actions.pack(side="top", fill="x", padx=SIDE_PX, pady=(0, PAD_PX))

    def _moving(self, rows: int) -> Callable[[object], None]:
        return lambda _: self.list.step(rows)

    def _entered(self) -> None:
        row = self.list.hovered_row
        if row is not None:
            self._chosen(row)

    def _chosen(self, row: PageRow) -> None:
        """What can be done with a row; where that is nothing, its value goes to the clipboard."""
        self.list.focus_set()
        if not row.actions:
            self._copy(row)
            return
        dress_menu(self.menu, self._kit)
        for action in row.actions:
            self.menu.add_command(label=action.label, command=self._acting(row.key, action.name))
        self.menu.add_command(label=PageText.COPY.value, command=lambda: self._copy(row))
        x, y = self.list.place_of(row)
        self.menu.tk_popup(self.list.winfo_rootx() + x, self.list.winfo_rooty() + y)

    def _acting(self, key: str, action: str) -> Callable[[], None]:
        return lambda: self._on_act(key, action)

    def _pressing(self, press: Callable[[], None]) -> Callable[[object], None]:
        return lambda _: press()

    def _copy(self, row: PageRow) -> None:
        self.clipboard_clear()
        self.clipboard_append(row.value)
        self.about.show(PageText.COPIED.value.format(name=row.name))
