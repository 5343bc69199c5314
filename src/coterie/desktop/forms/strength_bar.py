"""How hard the password is to guess, as a bar and in words."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from coterie.desktop.look import Look
from coterie.screens.form_texts import strength_words

if TYPE_CHECKING:
    from coterie.screens.doors import Strength

BAR_HEIGHT_PX: Final = 8
BITS_FULL: Final = 77.0
"""The bar is full at the strength of a generated passphrase."""
BITS_LEAST: Final = 4.0
GOOD_SCORE: Final = 3


class StrengthBar(ttk.Frame):
    """A bar that fills with the bits, red, amber or green by the score, and the words under it."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent)
        self._look = look
        self._share = 0.0
        self._score = 0
        self.bar = tk.Canvas(self, height=BAR_HEIGHT_PX, width=1, highlightthickness=0, borderwidth=0)
        self.bar.pack(fill="x")
        self._fill = self.bar.create_rectangle(0, 0, 0, 0, width=0)
        self.words = ttk.Label(self, text=" ", style="Hint.TLabel")
        self.words.pack(anchor="w", padx=2, pady=(1, 0))
        self.bar.bind("<Configure>", lambda _event: self._paint())
        self.bind("<<ThemeChanged>>", lambda _event: self._paint())
        self._paint()

    def show(self, strength: Strength | None) -> None:
        """Show a strength, or nothing while nothing is typed."""
        if strength is None:
            self._share, self._score = 0.0, 0
            self.words.configure(text=" ")
        else:
            self._share = min(1.0, max(BITS_LEAST, strength.bits) / BITS_FULL)
            self._score = strength.score
            self.words.configure(text=strength_words(strength.score, strength.bits))
        self._paint()

    def _paint(self) -> None:
        colours = self._look.theme.colours
        if self._score <= 1:
            colour = colours.danger
        elif self._score < GOOD_SCORE:
            colour = colours.away
        else:
            colour = colours.success
        self.bar.configure(background=colours.field)
        self.bar.coords(self._fill, 0, 0, round(self.bar.winfo_width() * self._share), BAR_HEIGHT_PX)
        self.bar.itemconfigure(self._fill, fill=colour)
        self.words.configure(foreground=colour)
