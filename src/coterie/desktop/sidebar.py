"""The left side: menu, search, the conversation list, and the state of the connection."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from coterie.base.ids import ConversationId
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.pictures import Icon
from coterie.desktop.conversation_list import ConversationList
from coterie.desktop.line_bar import LineBar
from coterie.desktop.safe_text import CHANGED, SafeText
from coterie.screens.i18n import Text, say

TOP_PX: Final = 60
MENU_PX: Final = 18
FIELD_PX: Final = 40
SIDE_PX: Final = 12


class Sidebar(tk.Frame):
    """on_menu(x, y): the menu is wanted there, by screen coordinates."""

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        *,
        on_select: Callable[[ConversationId], None],
        on_search: Callable[[str], None],
        on_menu: Callable[[int, int], None],
    ) -> None:
        super().__init__(parent, borderwidth=0, width=kit.spacing.list_width)
        self.pack_propagate(False)
        self._kit = kit
        self._on_search = on_search
        self._top = tk.Frame(self, height=TOP_PX, borderwidth=0)
        self._top.pack_propagate(False)
        self.menu = tk.Canvas(self._top, width=MENU_PX + 2 * SIDE_PX, highlightthickness=0, borderwidth=0)
        self.menu.configure(cursor="hand2")
        self._field = tk.Frame(self._top, borderwidth=0, height=FIELD_PX)
        self._field.pack_propagate(False)
        self.search = SafeText(self._field, kit, FaceName.BODY, lines=False)
        self._hint = tk.Label(
            self.search, text=say(Text.SEARCH), borderwidth=0, padx=0, pady=0, cursor="xterm"
        )
        self.list = ConversationList(self, kit, on_select)
        self.status = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self._top.pack(side="top", fill="x")
        self.menu.pack(side="left", fill="y")
        self._field.pack(side="left", fill="x", expand=True, padx=(0, SIDE_PX))
        pad = (FIELD_PX - kit.faces[FaceName.BODY].height) // 2
        self.search.pack(fill="both", expand=True, padx=SIDE_PX, pady=pad)
        self.status.pack(side="bottom", fill="x")
        self.list.pack(side="top", fill="both", expand=True)
        self._hint.bind("<Button-1>", lambda _: self.search.focus_set())
        self.search.bind(CHANGED, lambda _: self._searched(), add="+")
        self.menu.bind("<Button-1>", lambda event: on_menu(event.x_root, event.y_root))
        self._searched()
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        colours = self._kit.colours
        panels: tuple[tk.Frame | tk.Canvas, ...] = (self, self._top, self.menu)
        for panel in panels:
            panel.configure(background=colours.panel)
        self._field.configure(background=colours.field)
        self.search.configure(background=colours.field)
        self._hint.configure(
            background=colours.field, foreground=colours.muted, font=self._kit.faces[FaceName.BODY].font
        )
        self.search.restyle()
        self.list.restyle()
        self.status.restyle()
        self._icon = self._kit.pictures.icon(Icon.MENU, MENU_PX, colours.muted)
        self.menu.delete("all")
        self.menu.create_image(SIDE_PX + MENU_PX // 2, TOP_PX // 2, image=str(self._icon), tags="menu")

    def clear_search(self) -> None:
        """Show all conversations again."""
        self.search.set_text("")
        self._searched()

    def _searched(self) -> None:
        text = self.search.text()
        if text:
            self._hint.place_forget()
        else:
            self._hint.place(x=1, y=0)
        self._on_search(text)
