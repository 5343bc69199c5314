"""What is put over the main window for a while: the list of keys, a page, and what a page asks."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Protocol, assert_never

from coterie.desktop.canvas.kit import Kit
from coterie.desktop.keys import KeyList
from coterie.desktop.page_view import PageView
from coterie.desktop.prompt_view import PromptView
from coterie.screens.signals import PageShown, PromptShown


class PageListener(Protocol):
    """What a person does on a page."""

    def page_acts(self, key: str, action: str) -> None: ...

    def page_answers(self, answer: dict[str, str]) -> None: ...

    def page_cancels(self) -> None: ...

    def page_closes(self) -> None: ...


class Overlays:
    """Each is there once at most."""

    def __init__(
        self, window: tk.Misc, kit: Kit, listener: PageListener, on_close: Callable[[], None]
    ) -> None:
        """on_close: all is gone, the keyboard is wanted elsewhere."""
        self._window = window
        self._kit = kit
        self._listener = listener
        self._on_close = on_close
        self._keys: KeyList | None = None
        self.page: PageView | None = None
        self.prompt: PromptView | None = None

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

    def show(self, shown: PageShown | PromptShown) -> None:
        """Over everything."""
        match shown:
            case PageShown():
                self._show_page(shown)
            case PromptShown():
                self._show_prompt(shown)
            case _:
                assert_never(shown)

    def _show_page(self, shown: PageShown) -> None:
        """In the place of a page that is there."""
        if self.page is None:
            self.page = PageView(self._window, self._kit, self._listener.page_acts, self.close_page)
            self.page.place(in_=self._window, x=0, y=0, relwidth=1.0, relheight=1.0)
            self.page.lift()
            self.page.list.focus_set()
        self.page.show(shown.page, shown.problem)
        if self.prompt is not None:
            self.prompt.lift()

    def close_page(self) -> None:
        """With what it asks."""
        self._close_prompt()
        if self.page is not None:
            self.page.destroy()
            self.page = None
            self._listener.page_closes()
            self._on_close()

    def _show_prompt(self, shown: PromptShown) -> None:
        """Over the page. One that is there stays, with what was typed, where it is the same."""
        if shown.prompt is None:
            self._close_prompt()
            return
        if self.prompt is None or self.prompt.prompt != shown.prompt:
            self._close_prompt()
            self.prompt = PromptView(
                self._window, shown.prompt, self._listener.page_answers, self._listener.page_cancels
            )
            self.prompt.place(in_=self._window, relx=0.5, rely=0.45, anchor="center", width=self.prompt.width)
            self.prompt.lift()
        self.prompt.state_of(shown.problem, busy=shown.busy)

    def _close_prompt(self) -> None:
        if self.prompt is not None:
            self.prompt.destroy()
            self.prompt = None
            if self.page is not None:
                self.page.list.focus_set()
