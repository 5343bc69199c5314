"""The conversations of one account: list, header, timeline and composer, driven by a presenter.

Everything here runs in Tk's thread. Signals come through apply(); what a person does goes to the presenter,
and what the presenter wants from the SDK goes through run, whose answer comes back here.
"""

from __future__ import annotations

import tkinter as tk
import webbrowser
from collections.abc import Callable
from typing import assert_never

from coterie.base.codes import Code
from coterie.base.ids import ConversationId
from coterie.desktop import keys
from coterie.desktop.bridge import Run
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.composer import Composer
from coterie.desktop.fonts import Fonts
from coterie.desktop.header import HeaderBar
from coterie.desktop.keys import KeyList
from coterie.desktop.pointer import Pointer
from coterie.desktop.sidebar import Sidebar
from coterie.desktop.timeline import Timeline
from coterie.screens.actions import ActionId
from coterie.screens.i18n import refusal
from coterie.screens.intents import Fact
from coterie.screens.presenter import Presenter
from coterie.screens.signals import (
    Append,
    DraftShown,
    ErrorShown,
    HeaderShown,
    Insert,
    Place,
    ReachEnd,
    Remove,
    Reset,
    Signal,
    Signals,
    StatusShown,
    TextReturned,
    Update,
)
from coterie.screens.theme import Theme


class MainWindow(tk.Frame):
    """Fills its parent. The caller applies presenter.begin() and, from then on, presenter.take(event)."""

    def __init__(
        self,
        parent: tk.Misc,
        presenter: Presenter,
        theme: Theme,
        run: Run,
        fonts: Fonts | None = None,
        open_link: Callable[[str], object] = webbrowser.open,
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self.presenter = presenter
        self._run = run
        self._open_link = open_link
        self._gone = False
        self._keys: KeyList | None = None
        self.kit = Kit(self, theme, fonts or Fonts(self.winfo_toplevel()))
        self.sidebar = Sidebar(
            self,
            self.kit,
            on_select=self._select,
            on_search=lambda text: self.apply(presenter.search(text)),
            on_menu=self._show_menu,
        )
        self._divider = tk.Frame(self, width=1, borderwidth=0)
        self.header = HeaderBar(self, self.kit)
        self.timeline = Timeline(self, self.kit, self)
        self.composer = Composer(self, self.kit, self)
        self.pointer = Pointer(self.timeline, self.kit, self)
        self._menu = tk.Menu(self, tearoff=False)
        self.sidebar.pack(side="left", fill="y")
        self._divider.pack(side="left", fill="y")
        self.header.pack(side="top", fill="x")
        self.composer.pack(side="bottom", fill="x")
        self.timeline.pack(side="top", fill="both", expand=True)
        self._bind()
        self.retheme(theme)
        self.composer.text.focus_set()

    def destroy(self) -> None:
        self._gone = True
        super().destroy()

    def retheme(self, theme: Theme) -> None:
        """Draw with another theme from now on."""
        self.kit.theme = theme
        self.configure(background=theme.colours.window)
        self._divider.configure(background=theme.colours.divider)
        for part in (self.sidebar, self.header, self.timeline, self.composer):
            part.restyle()

    def apply(self, signals: Signals) -> None:
        """Show a batch, and have the SDK asked what it asks. Does nothing once the window is gone."""
        if self._gone:
            return
        for signal in signals.shown:
            self._show(signal)
        for intent in signals.intents:
            self._run(self.presenter.perform(intent), self._done)

    def _done(self, fact: Fact) -> None:
        self.apply(self.presenter.take(fact))

    def _show(self, signal: Signal) -> None:
        match signal:
            case Append() | Update() | Insert() | Remove() | Reset():
                part = self.timeline if signal.place is Place.TIMELINE else self.sidebar.list
                part.change(signal)
            case HeaderShown(header=header):
                self.header.show(header)
            case StatusShown(text=text):
                self.sidebar.status.show(text)
            case ErrorShown(text=text, info=info):
                self.composer.show_error(text, info=info)
            case DraftShown(text=text):
                self.composer.set_draft(text)
            case TextReturned(text=text):
                self.composer.give_back(text)
            case ReachEnd():
                self.timeline.to_end()
            case _:
                assert_never(signal)

    # what the parts tell

    def timeline_moved(self) -> None:
        self._watch()
        if self._focused():
            order = self.timeline.newest_seen()
            if order:
                self.apply(self.presenter.viewed(order))

    def timeline_near_top(self) -> None:
        self.apply(self.presenter.reach_top())

    def composer_submitted(self, text: str) -> None:
        self.apply(self.presenter.submit(text))

    def composer_typed(self, text: str) -> None:
        self.apply(self.presenter.typed(text))

    def composer_paused(self) -> None:
        self.apply(self.presenter.save_draft())

    def composer_overfull(self) -> None:
        self.composer.show_error(refusal(Code.TOO_LARGE), info=False)

    def pointer_opens(self, address: str) -> None:
        self._open_link(address)

    def pointer_addresses(self, name: str) -> None:
        self.apply(self.presenter.address(name))
        self.composer.text.focus_set()

    def pointer_expands(self, key: str) -> None:
        self.apply(self.presenter.show_whole(key))

    def pointer_over(self, text: str) -> None:
        self.composer.show_hover(text)

    # what a person does

    def _select(self, conversation: ConversationId) -> None:
        self.apply(self.presenter.select(conversation))
        self._chosen()

    def _chosen(self) -> None:
        self.pointer.clear()
        self.sidebar.list.reveal()
        self.composer.text.focus_set()

    def _focused(self) -> bool:
        """Whether the window has the keyboard, and so its person's eyes."""
        return self.focus_displayof() is not None

    def _watch(self) -> None:
        self.apply(self.presenter.watch(self._focused() and self.timeline.view.at_end))

    def _bind(self) -> None:
        calls = {
            ActionId.SWITCH: self.sidebar.search.focus_set,
            ActionId.NEXT: lambda: self._step(1),
            ActionId.PREVIOUS: lambda: self._step(-1),
            ActionId.NEXT_UNREAD: self._next_unread,
            ActionId.WRITE: self._write,
            ActionId.PAGE_UP: lambda: self.timeline.page(-1),
            ActionId.PAGE_DOWN: lambda: self.timeline.page(1),
            ActionId.OLDEST: self.timeline.to_start,
            ActionId.NEWEST: self.timeline.to_end,
            ActionId.KEYS: self._toggle_keys,
        }
        self._calls = calls
        keys.bind((self.composer.text, self.sidebar.search, self.timeline.canvas), calls)
        keys.bind((self.timeline.canvas,), {ActionId.COPY: self.pointer.copy})
        self.composer.text.bind("<<Copy>>", self._copy)
        self.sidebar.search.bind("<Return>", self._choose_found)
        self.timeline.canvas.bind("<Key>", self._typed_elsewhere)
        for sequence in ("<FocusIn>", "<FocusOut>"):
            for widget in (self.composer.text, self.sidebar.search, self.timeline.canvas):
                widget.bind(sequence, lambda _: self.timeline.schedule(), add="+")

    def _copy(self, event: object) -> str | None:
        """Ctrl+C in the text field copies what is marked there, else what is marked in the timeline."""
        if self.composer.text.tag_ranges("sel"):
            return self.composer.text.copy(event)
        self.pointer.copy()
        return "break"

    def _step(self, by: int) -> None:
        self.apply(self.presenter.step(by))
        self._chosen()

    def _next_unread(self) -> None:
        self.apply(self.presenter.next_unread())
        self._chosen()

    def _write(self) -> None:
        """Back to writing: the search is cleared, the list of keys goes away."""
        if self._keys is not None:
            self._toggle_keys()
        if self.sidebar.search.text():
            self.sidebar.clear_search()
        self.composer.text.focus_set()

    def _choose_found(self, _event: object) -> str:
        rows = self.presenter.list_rows
        if rows:
            self.sidebar.clear_search()
            self._select(rows[0].conversation)
        return "break"

    def _typed_elsewhere(self, event: tk.Event[tk.Misc]) -> None:
        """A letter typed while the timeline has the focus is meant for the message."""
        held = int(event.state) & ~0x13
        if event.char and event.char.isprintable() and not held:
            self.composer.text.focus_set()
            self.composer.insert(event.char)

    def _show_menu(self, x: int, y: int) -> None:
        keys.fill_menu(self._menu, self.kit, self._calls)
        self._menu.tk_popup(x, y)

    def _toggle_keys(self) -> None:
        if self._keys is not None:
            self._keys.destroy()
            self._keys = None
            return
        self._keys = KeyList(self, self.kit, self._toggle_keys)
        self._keys.place(in_=self.timeline, relx=0.5, rely=0.5, anchor="center")
        self._keys.lift()
