"""What is put over the main window for a while: the list of keys, a page."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from coterie.desktop.canvas.kit import Kit
from coterie.desktop.keys import KeyList
from coterie.desktop.page_view import PageView
from coterie.screens.rows import Page


class Overlays:
    """Each is there once at most."""

    def __init__(self, window: tk.Misc, kit: Kit, on_close: Callable[[], None]) -> None:
        """on_close: a page went away, the keyboard is wanted elsewhere."""
        self._window = window
        self._kit = kit
        self._on_close = on_close
        self._keys: KeyList | None = None
        self.page: PageView | None = None

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        if self.page is not None:
            self.page.restyle()

    def toggle_keys(self) -> None:
        """Show the list of keys, or take it away."""
        if self._keys is not None:
            self.close_keys()
            return
        self._keys = KeyList(self._window, self._kit, self.close_keys)
        self._keys.place(in_=self._window, relx=0.5, rely=0.5, anchor="center")
        self._keys.lift()

    def close_keys(self) -> None:
        if self._keys is not None:
            self._keys.destroy()
            self._keys = None

    def open_page(self, page: Page) -> None:
        """Over everything, in the place of a page that is there."""
        if self.page is None:
            self.page = PageView(self._window, self._kit, self.close_page)
            self.page.place(in_=self._window, x=0, y=0, relwidth=1.0, relheight=1.0)
            self.page.lift()
        self.page.show(page)

    def close_page(self) -> None:
        if self.page is not None:
            self.page.destroy()
            self.page = None
            self._on_close()
