"""A main window on an account in memory (tests/screens/street.py): all of the desktop is real."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from datetime import UTC

from PIL import ImageGrab

from coterie.base.clock import FakeClock
from coterie.base.ids import ConversationId
from coterie.client.events import Event
from coterie.desktop.bridge import Bridge
from coterie.desktop.canvas.clusters import drawn
from coterie.desktop.main_window import MainWindow
from coterie.desktop.timeline import Timeline
from coterie.screens.presenter import Presenter
from coterie.screens.theme import DARK, Theme
from tests.screens.street import Street

Wait = Callable[[Callable[[], bool]], None]


class StreetWindow:
    """window: on the display and, where focused, with the keyboard."""

    def __init__(self, root: tk.Tk, bridge: Bridge, wait: Wait, street: Street, theme: Theme = DARK) -> None:
        self.root = root
        self.street = street
        self.wait = wait
        self.opened: list[str] = []
        self.presenter = Presenter(street, FakeClock(street.now_ms), UTC)
        street.tell = lambda event: bridge.post(lambda: self.take([event]))
        root.geometry("900x600+0+0")
        self.window = MainWindow(root, self.presenter, theme, bridge.run, None, self.opened.append)
        self.window.pack(fill="both", expand=True)
        self.window.apply(self.presenter.begin())
        wait(lambda: self.presenter.selected is not None and self.timeline.canvas.winfo_width() > 100)
        self.settle()

    @property
    def timeline(self) -> Timeline:
        return self.window.timeline

    def at_end(self) -> bool:
        """Whether the newest row is seen, once all is drawn."""
        self.settle()
        return self.timeline.view.at_end

    def settle(self) -> None:
        """Let everything be drawn that waits to be drawn."""
        self.root.update()
        self.wait(lambda: not self.timeline.waiting and not self.window.sidebar.waiting)
        self.root.update()

    def focus(self) -> None:
        """Give the window the keyboard."""
        self.window.composer.text.focus_force()
        self.wait(lambda: self.root.focus_displayof() is self.window.composer.text)

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.window.apply(self.presenter.take(event))

    def select(self, conversation: ConversationId) -> None:
        self.window.apply(self.presenter.select(conversation))
        self.wait(lambda: self.presenter.selected == conversation)
        self.settle()

    def words(self, canvas: tk.Canvas) -> list[str]:
        """What text items stand on a canvas, from top to bottom."""
        call, path = canvas.tk.call, str(canvas)
        items = [item for item in canvas.find_all() if str(call(path, "type", item)) == "text"]
        items.sort(key=lambda item: (canvas.coords(item)[1], canvas.coords(item)[0]))
        return [str(call(path, "itemcget", item, "-text")) for item in items]

    def pixel(self, widget: tk.Misc, x: int, y: int) -> str:
        """The colour that a person sees at a place of a widget."""
        self.root.update()
        at = (widget.winfo_rootx() + x, widget.winfo_rooty() + y)
        seen = ImageGrab.grab(bbox=(*at, at[0] + 1, at[1] + 1), xdisplay=None).getpixel((0, 0))
        assert isinstance(seen, tuple)
        return "#{:02x}{:02x}{:02x}".format(*seen[:3])

    def assert_safe(self) -> None:
        """No widget holds a letter that a coloured font might draw."""
        waiting: list[tk.Misc] = [self.root]
        while waiting:
            widget = waiting.pop()
            waiting += widget.winfo_children()
            if isinstance(widget, tk.Canvas):
                assert not [text for text in self.words(widget) if drawn(text)]
            elif isinstance(widget, tk.Text):
                raw = widget.tk.call(str(widget), "get", "1.0", "end")
                assert not [char for char in str(raw) if char > "\uffff" or char in "\u200d\ufe0f❤"]
            elif isinstance(widget, tk.Label):
                assert not drawn(str(widget.cget("text")))
        assert not drawn(self.root.title())
