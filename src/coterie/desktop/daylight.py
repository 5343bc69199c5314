"""Dark or light while the window lives: as the system says, until the person decides."""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from coterie.desktop.appearance import Question, demanded
from coterie.screens.theme import Appearance

if TYPE_CHECKING:
    from coterie.desktop.bridge import Run

ASK_AGAIN_MS: Final = 5_000
"""Least time between two questions to the system."""


class Following(Enum):
    """Who decides between dark and light."""

    SYSTEM = "the system"
    PERSON = "the person, by COTERIE_THEME or by the toggle"


class Daylight:
    """Made before the window, so that the system answers while Tk starts. watch() keeps it up to date."""

    def __init__(self) -> None:
        self._demanded = demanded(os.environ)
        self._question = None if self._demanded else Question(os.environ, Path.home())
        self.following = Following.PERSON if self._demanded else Following.SYSTEM
        self.appearance = self._demanded or Appearance.LIGHT
        self._may_ask = False

    def settle(self) -> Appearance:
        """What to begin with; waits a moment for the system."""
        if self._question is not None:
            self.appearance = self._question.answer()
            self._question = None
        return self.appearance

    def toggle(self) -> Appearance:
        """From dark to light or back, whatever the system says."""
        self.following = Following.PERSON
        dark = self.appearance is Appearance.DARK
        self.appearance = Appearance.LIGHT if dark else Appearance.DARK
        return self.appearance

    def watch(self, root: tk.Misc, run: Run, on_change: Callable[[Appearance], None]) -> None:
        """Ask the system again when the window comes to the front: perhaps it was switched meanwhile."""

        def let_ask() -> None:
            self._may_ask = True

        def answered(appearance: Appearance) -> None:
            root.after(ASK_AGAIN_MS, let_ask)
            if self.following is Following.SYSTEM and appearance is not self.appearance:
                self.appearance = appearance
                on_change(appearance)

        def focused(_event: object) -> None:
            if self._may_ask and self.following is Following.SYSTEM:
                self._may_ask = False
                run(_ask_system(), answered)

        root.bind("<FocusIn>", focused, add="+")
        root.after(ASK_AGAIN_MS, let_ask)


async def _ask_system() -> Appearance:
    """In the loop's threads: a program is waited for."""
    import asyncio

    return await asyncio.to_thread(lambda: Question(os.environ, Path.home()).answer())
