"""The conversations of one account: list, header, timeline and composer, driven by a presenter.

Everything here runs in Tk's thread. Signals come through apply(); what a person does goes to the presenter,
and what the presenter wants from the SDK goes through run, whose answer comes back here.
"""

from __future__ import annotations

import tkinter as tk
import webbrowser
from collections.abc import Callable
from typing import Final, assert_never

from coterie.base.codes import Code
from coterie.base.ids import ConversationId
from coterie.desktop import keys
from coterie.desktop.bridge import Run
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.composer import Composer
from coterie.desktop.fonts import Fonts
from coterie.desktop.header import HeaderBar
from coterie.desktop.overlays import Overlays
from coterie.desktop.pointer import Pointer
from coterie.desktop.question_bar import QuestionBar
from coterie.desktop.sidebar import Sidebar
from coterie.desktop.timeline import Timeline
from coterie.desktop.window import ACCOUNT_WIPED
from coterie.screens.actions import ActionId, Where
from coterie.screens.i18n import refusal
from coterie.screens.intents import Fact
from coterie.screens.pages import PageId
from coterie.screens.presenter import Presenter
from coterie.screens.signals import (
    AccountLeft,
    Append,
    DraftShown,
    ErrorShown,
    HeaderShown,
    Insert,
    PageShown,
    Place,
    PromptShown,
    QuestionShown,
    ReachEnd,
    ReachRow,
    Remove,
    Reset,
    Scope,
    SearchShown,
    Signal,
    Signals,
    StatusShown,
    TextReturned,
    Update,
)
from coterie.screens.theme import Theme

SIDE_PART: Final = 0.38
"""Of the width, at most, for the left side."""
LEAST_SIDE_PX: Final = 160


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
        self.kit = Kit(self, theme, fonts or Fonts(self.winfo_toplevel()))
        self.sidebar = Sidebar(self, self.kit, self)
        self._divider = tk.Frame(self, width=1, borderwidth=0)
        self.header = HeaderBar(self, self.kit, lambda: self.apply(presenter.open_person()))
        self.question = QuestionBar(
            self,
            self.kit,
            lambda subject, answer: self.apply(presenter.answer_question(subject, answer)),
        )
        self.timeline = Timeline(self, self.kit, self)
        self.composer = Composer(self, self.kit, self)
        self.pointer = Pointer(self.timeline, self.kit, self)
        self._menu = tk.Menu(self, tearoff=False)
        self.overlays = Overlays(self, self.kit, self, self.composer.text.focus_set)
        self.sidebar.pack(side="left", fill="y")
        self._divider.pack(side="left", fill="y")
        self.header.pack(side="top", fill="x")
        self.question.pack(side="top", fill="x")
        self.composer.pack(side="bottom", fill="x")
        self.timeline.pack(side="top", fill="both", expand=True)
        self.bind("<Configure>", lambda event: self._share_width(event.width))
        self._bind_keys()
        self.retheme(theme)
        self.composer.text.focus_set()

    def destroy(self) -> None:
        self._gone = True
        super().destroy()

    def _share_width(self, width: int) -> None:
        """In a narrow window the left side gives way to the messages."""
        wanted = min(self.kit.spacing.list_width, max(LEAST_SIDE_PX, round(width * SIDE_PART)))
        if int(str(self.sidebar.cget("width"))) != wanted:
            self.sidebar.configure(width=wanted)

    def retheme(self, theme: Theme) -> None:
        """Draw with another theme from now on."""
        self.kit.theme = theme
        self.configure(background=theme.colours.window)
        self._divider.configure(background=theme.colours.divider)
        for part in (self.sidebar, self.header, self.question, self.timeline, self.composer):
            part.restyle()
        self.overlays.restyle()

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
                part = self.timeline if signal.place is Place.TIMELINE else self.sidebar
                part.change(signal)
            case HeaderShown(header=header):
                self.header.show(header)
            case StatusShown(text=text):
                self.sidebar.status.show(text)
            case ErrorShown() | DraftShown() | TextReturned():
                self._show_in_composer(signal)
            case QuestionShown():
                self.question.show(signal)
            case ReachEnd():
                self.timeline.to_end()
            case ReachRow(key=key):
                self.timeline.reach(key)
            case PageShown() | PromptShown():
                self.overlays.show(signal)
            case AccountLeft(wiped=wiped):
                self.overlays.close_page()
                if wiped:
                    self.winfo_toplevel().event_generate(ACCOUNT_WIPED)
            case SearchShown():
                self.sidebar.show_search(signal)
            case _:
                assert_never(signal)

    def _show_in_composer(self, signal: ErrorShown | DraftShown | TextReturned) -> None:
        match signal:
            case ErrorShown(text=text, info=info):
                self.composer.show_error(text, info=info)
            case DraftShown(text=text):
                self.composer.set_draft(text)
            case TextReturned(text=text):
                self.composer.give_back(text)
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

    def timeline_near_end(self) -> None:
        self.apply(self.presenter.reach_bottom())

    def sidebar_selects(self, conversation: ConversationId) -> None:
        self._leave_search()
        self._select(conversation)

    def sidebar_searches(self, words: str) -> None:
        self.apply(self.presenter.search(words))

    def sidebar_pauses(self) -> None:
        self.apply(self.presenter.find())

    def sidebar_opens_found(self, key: str) -> None:
        self.apply(self.presenter.show_found(key))
        self.pointer.clear()

    def sidebar_near_found_end(self) -> None:
        self.apply(self.presenter.reach_found_end())

    def sidebar_menu(self, x: int, y: int) -> None:
        keys.fill_menu(self._menu, self.kit, self._calls)
        self._menu.tk_popup(x, y)

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

    def pointer_asks(self, order: int) -> None:
        self.apply(self.presenter.open_message(order))

    def pointer_over(self, text: str) -> None:
        self.composer.show_hover(text)

    def page_acts(self, key: str, action: str) -> None:
        self.apply(self.presenter.act_on_page(key, action))

    def page_answers(self, answer: dict[str, str]) -> None:
        self.apply(self.presenter.answer_prompt(answer))

    def page_cancels(self) -> None:
        self.apply(self.presenter.cancel_prompt())

    def page_closes(self) -> None:
        self.apply(self.presenter.close_page())

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

    def _bind_keys(self) -> None:
        calls = {
            ActionId.SWITCH: self._switch,
            ActionId.FIND_HERE: lambda: self._look(Scope.HERE),
            ActionId.FIND_EVERYWHERE: lambda: self._look(Scope.EVERYWHERE),
            ActionId.NEXT_FOUND: lambda: self.apply(self.presenter.step_found(1)),
            ActionId.PREVIOUS_FOUND: lambda: self.apply(self.presenter.step_found(-1)),
            ActionId.SHOW_FOUND: self._show_found,
            ActionId.NEXT: lambda: self._step(1),
            ActionId.PREVIOUS: lambda: self._step(-1),
            ActionId.NEXT_UNREAD: self._next_unread,
            ActionId.WRITE: self._write,
            ActionId.PAGE_UP: lambda: self.timeline.page(-1),
            ActionId.PAGE_DOWN: lambda: self.timeline.page(1),
            ActionId.OLDEST: self.timeline.to_start,
            ActionId.NEWEST: lambda: self.apply(self.presenter.newest()),
            ActionId.APPEARANCE: lambda: self.winfo_toplevel().event_generate("<<ToggleAppearance>>"),
            ActionId.PERSON: lambda: self.apply(self.presenter.open_person()),
            ActionId.MESSAGE: lambda: self.apply(self.presenter.open_message(None)),
            ActionId.ACCOUNT: self._opening(PageId.ACCOUNT),
            ActionId.DEVICES: self._opening(PageId.DEVICES),
            ActionId.SERVER_SEES: self._opening(PageId.SERVER_SEES),
            ActionId.KEYS: self.overlays.toggle_keys,
        }
        self._calls = calls
        keys.bind((self.composer.text, self.sidebar.search, self.timeline.canvas), calls)
        keys.bind((self.sidebar.search,), calls, Where.SEARCH)
        keys.bind((self.timeline.canvas,), {ActionId.COPY: self.pointer.copy})
        self.composer.text.bind("<<Copy>>", self._copy)
        self.timeline.canvas.bind("<Key>", self._typed_elsewhere)
        for sequence in ("<FocusIn>", "<FocusOut>"):
            for widget in (self.composer.text, self.sidebar.search, self.timeline.canvas):
                widget.bind(sequence, lambda _: self.timeline.schedule(), add="+")

    def _opening(self, page: PageId) -> Callable[[], None]:
        return lambda: self.apply(self.presenter.open_page(page))

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
        """Back to writing: the search is closed, the list of keys goes away."""
        self.overlays.close_keys()
        self._leave_search()
        self.composer.text.focus_set()

    def _switch(self) -> None:
        """To the search field, for the name of a conversation."""
        self._leave_search()
        self.sidebar.search.focus_set()

    def _look(self, scope: Scope) -> None:
        """To the search field, for words of messages; what stands there already is searched for there."""
        self.apply(self.presenter.look(scope))
        self.apply(self.presenter.find())
        search = self.sidebar.search
        search.focus_set()
        search.tag_add("sel", "1.0", "end-1c")

    def _leave_search(self) -> None:
        self.sidebar.clear_search()
        self.apply(self.presenter.close_search())

    def _show_found(self) -> None:
        """Enter in the search field: to the chosen message, else to the first conversation of the list."""
        if self.presenter.found is not None:
            self.apply(self.presenter.show_found())
            self.pointer.clear()
        elif rows := self.presenter.names_found:
            self._leave_search()
            self._select(rows[0].conversation)

    def _typed_elsewhere(self, event: tk.Event[tk.Misc]) -> None:
        """A letter typed while the timeline has the focus is meant for the message."""
        held = int(event.state) & ~0x13
        if event.char and event.char.isprintable() and not held:
            self.composer.text.focus_set()
            self.composer.insert(event.char)
