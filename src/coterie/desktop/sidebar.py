"""The left side: menu, search, the conversation list, and the state of the connection."""

from __future__ import annotations

import tkinter as tk
from typing import Final, Protocol

from coterie.base.ids import ConversationId
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.pictures import Icon
from coterie.desktop.conversation_list import ConversationList
from coterie.desktop.found_list import FoundList
from coterie.desktop.line_bar import LineBar
from coterie.desktop.safe_text import CHANGED, SafeText
from coterie.screens.i18n import Text, say
from coterie.screens.signals import Place, RowsChanged, Scope, SearchShown

TOP_PX: Final = 60
MENU_PX: Final = 18
FIELD_PX: Final = 40
SIDE_PX: Final = 12
PAUSE_MS: Final = 150
"""After so long without a key messages are searched for."""
NAMES_MAX: Final = 4
"""Conversations that are seen above the messages found; more are scrolled to."""


class SidebarListener(Protocol):
    """What a person does here."""

    def sidebar_selects(self, conversation: ConversationId) -> None: ...

    def sidebar_searches(self, words: str) -> None:
        """The search field holds this now."""
        ...

    def sidebar_pauses(self) -> None:
        """Nothing was typed into it for a moment."""
        ...

    def sidebar_opens_found(self, key: str) -> None:
        """A found message was clicked."""
        ...

    def sidebar_near_found_end(self) -> None:
        """The last of them is nearly seen."""
        ...

    def sidebar_menu(self, x: int, y: int) -> None:
        """The menu is wanted there, by screen coordinates."""
        ...


class Sidebar(tk.Frame):
    """Below the search field stands the list, or what was found, or both."""

    def __init__(self, parent: tk.Misc, kit: Kit, listener: SidebarListener) -> None:
        super().__init__(parent, borderwidth=0, width=kit.spacing.list_width)
        self.pack_propagate(False)
        self._kit = kit
        self._listener = listener
        self._scope = Scope.CLOSED
        self._arranged: tuple[Scope, int] | None = None
        self._pause: str | None = None
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
        self.list = ConversationList(self, kit, lambda row: listener.sidebar_selects(row.conversation))
        self.found_line = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self.found = FoundList(
            self, kit, lambda row: listener.sidebar_opens_found(row.key), listener.sidebar_near_found_end
        )
        self.status = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self._top.pack(side="top", fill="x")
        self.menu.pack(side="left", fill="y")
        self._field.pack(side="left", fill="x", expand=True, padx=(0, SIDE_PX))
        pad = (FIELD_PX - kit.faces[FaceName.BODY].height) // 2
        self.search.pack(fill="both", expand=True, padx=SIDE_PX, pady=pad)
        self.status.pack(side="bottom", fill="x")
        self._arrange()
        self._hint.bind("<Button-1>", lambda _: self.search.focus_set())
        self.search.bind(CHANGED, lambda _: self._searched(), add="+")
        self.menu.bind("<Button-1>", lambda _: self._open_menu())
        self._show_hint()
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
        self.found.restyle()
        self.found_line.restyle()
        self.status.restyle()
        self._icon = self._kit.pictures.icon(Icon.MENU, MENU_PX, colours.muted)
        self.menu.delete("all")
        self.menu.create_image(SIDE_PX + MENU_PX // 2, TOP_PX // 2, image=str(self._icon), tags="menu")

    def destroy(self) -> None:
        self._stop_pause()
        super().destroy()

    def change(self, signal: RowsChanged) -> None:
        """Take over a change of the list, or of what was found."""
        if signal.place is Place.LIST:
            self.list.change(signal)
            self._arrange()
        else:
            self.found.change(signal)
            self.found.reveal()

    def show_search(self, shown: SearchShown) -> None:
        """Another search, or another line above what it found."""
        self._scope = shown.scope
        self.found_line.show(shown.line)
        self._arrange()

    def clear_search(self) -> None:
        """Empty the field."""
        self.search.set_text("")
        self._show_hint()

    @property
    def waiting(self) -> bool:
        """Whether something is still to be drawn or asked."""
        return self.list.waiting or self.found.waiting or self._pause is not None

    def _arrange(self) -> None:
        """Give the list and what was found the room that the search leaves them."""
        names = min(len(self.list.rows), NAMES_MAX) if self._scope is Scope.NAMES else 0
        if self._arranged == (self._scope, names):
            return
        self._arranged = (self._scope, names)
        for part in (self.list, self.found_line, self.found):
            part.pack_forget()
        if self._scope is Scope.CLOSED:
            self.list.pack(side="top", fill="both", expand=True)
            return
        if names:
            self.list.configure(height=names * self._kit.spacing.list_row)
            self.list.pack(side="top", fill="x")
        self.found_line.pack(side="top", fill="x", pady=(0, 2))
        self.found.pack(side="top", fill="both", expand=True)

    def _open_menu(self) -> None:
        """Below its sign."""
        self._listener.sidebar_menu(self.winfo_rootx() + SIDE_PX, self.winfo_rooty() + TOP_PX - SIDE_PX // 2)

    def _searched(self) -> None:
        self._show_hint()
        self._listener.sidebar_searches(self.search.text())
        self._stop_pause()
        self._pause = self.after(PAUSE_MS, self._paused)

    def _paused(self) -> None:
        self._pause = None
        self._listener.sidebar_pauses()

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self.after_cancel(self._pause)
            self._pause = None

    def _show_hint(self) -> None:
        if self.search.text():
            self._hint.place_forget()
        else:
            self._hint.place(x=1, y=0)
