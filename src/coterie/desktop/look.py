"""The theme and the fonts in use in one window."""

from __future__ import annotations

import tkinter as tk

from coterie.desktop import ttk_theme
from coterie.desktop.fonts import Fonts
from coterie.screens.theme import Theme


class Look:
    """Handed to everything that draws; a change reaches widgets as <<ThemeChanged>>."""

    def __init__(self, root: tk.Tk, theme: Theme) -> None:
        self.root = root
        self.theme = theme
        self.fonts = Fonts(root)
        ttk_theme.use(root, theme, self.fonts)

    def change(self, theme: Theme) -> None:
        """Use another theme from now on."""
        self.theme = theme
        ttk_theme.use(self.root, theme, self.fonts)
