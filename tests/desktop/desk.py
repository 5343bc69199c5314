"""An app on the tests' display, driven step by step in the test's own thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from coterie.desktop.app import App, Stage
from coterie.desktop.forms.recovery import RecoveryForm
from coterie.screens.doors import Doors

W = TypeVar("W", bound=tk.Widget)


class Desk:
    """The app without its main loop: until() lets the window live. end with app.end()."""

    def __init__(
        self,
        doors: Doors,
        home: Path,
        failures: list[BaseException],
        server: str = "chat.example.org:4433",
        profile: str | None = None,
    ) -> None:
        self.painted: list[bool] = []
        self.left = False
        self.app = App(
            doors,
            home,
            server=server,
            profile=profile,
            on_painted=lambda: self.painted.append(True),
        )
        self.root = self.app.window.root
        shown = self.app.window.failed

        def failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            failures.append(error)
            shown(kind, error, trace)

        self.root.report_callback_exception = failed
        self.quit: list[bool] = []
        self.root.quit = lambda: self.quit.append(True)  # type: ignore[method-assign]  # only noted
        self.app.start()
        self.until(lambda: bool(self.painted))

    def until(self, condition: Callable[[], bool]) -> None:
        late: list[bool] = []
        timer = self.root.after(60_000, late.append, True)
        ticking: list[str] = []

        def tick() -> None:
            ticking[:] = [self.root.after(3, tick)]

        tick()
        try:
            while not condition():
                assert not late, "the window did not get there in time"
                self.root.tk.dooneevent(0)
        finally:
            self.root.after_cancel(ticking[0])
            self.root.after_cancel(timer)

    def shows(self, kind: type[tk.Widget]) -> bool:
        return isinstance(self.app.window.screen, kind)

    def screen(self, kind: type[W]) -> W:
        """The screen, once it is of this kind."""
        self.until(lambda: self.shows(kind))
        screen = self.app.window.screen
        assert isinstance(screen, kind)
        return screen

    def keep_recovery_key(self) -> None:
        """Go through the step after sign-up as somebody who wrote everything down."""
        step = self.screen(RecoveryForm)
        me = self.app.me
        assert me is not None
        words = (me.recovery_key or "").split()
        step.submit()
        for position, answer in zip(step.asked, step.answers, strict=True):
            answer.put(words[position])
        if step.passphrase_again is not None:
            step.passphrase_again.put(me.passphrase or "")
        step.submit()
        self.until(lambda: self.app.stage is Stage.MAIN)
