"""The fonts of the desktop, each pinned by a hidden Label, and a cache of text widths.

A Tk font that no live widget uses is opened again on every measure (1.2 ms pinned, 16.9 ms not, for one
layout of the timeline), so every font here has a Label that is never shown. Sizes are in pixels.
"""

from __future__ import annotations

import tkinter as tk
from tkinter import font as tkfont

PREFERRED_FAMILY = "Inter"
WIDTHS_MAX = 50_000
"""Entries of the cache of widths before it is emptied."""

_SIZES_PX = {
    "body": (14, "normal"),
    "bold": (14, "bold"),
    "small": (12, "normal"),
    "small_bold": (12, "bold"),
    "tiny": (11, "normal"),
    "heading": (16, "bold"),
    "title": (20, "bold"),
    "avatar": (18, "bold"),
    "large_avatar": (26, "bold"),
    "mono": (13, "normal"),
}


class Fonts:
    """Every font that a window may draw with. Belongs to one Tk root and lives as long as it."""

    def __init__(self, root: tk.Misc, zoom: float = 1.0) -> None:
        self.family = _family(root)
        self.mono_family = str(tkfont.nametofont("TkFixedFont", root).actual("family"))
        self._fonts = {
            name: tkfont.Font(
                root,
                family=self.mono_family if name == "mono" else self.family,
                size=-_zoomed(size_px, zoom),
                weight="bold" if weight == "bold" else "normal",
            )
            for name, (size_px, weight) in _SIZES_PX.items()
        }
        self._pins = [tk.Label(root, font=font) for font in self._fonts.values()]
        self._widths: dict[tuple[str, str], int] = {}
        self.body = self._fonts["body"]
        self.bold = self._fonts["bold"]
        self.small = self._fonts["small"]
        self.small_bold = self._fonts["small_bold"]
        self.tiny = self._fonts["tiny"]
        self.heading = self._fonts["heading"]
        self.title = self._fonts["title"]
        self.avatar = self._fonts["avatar"]
        self.large_avatar = self._fonts["large_avatar"]
        self.mono = self._fonts["mono"]

    def zoom(self, factor: float) -> None:
        """Resize every font to factor times its design size; widgets that use them follow by themselves."""
        for name, (size_px, _) in _SIZES_PX.items():
            self._fonts[name].configure(size=-_zoomed(size_px, factor))
        self._widths.clear()

    def width(self, font: tkfont.Font, text: str) -> int:
        """Width of the text in pixels, remembered."""
        key = (font.name, text)
        known = self._widths.get(key)
        if known is None:
            if len(self._widths) >= WIDTHS_MAX:
                self._widths.clear()
            known = self._widths[key] = font.measure(text)
        return known


def _zoomed(size_px: int, factor: float) -> int:
    return max(6, round(size_px * factor))


def _family(root: tk.Misc) -> str:
    """Inter where it is installed, else the platform's own family."""
    wanted = tkfont.Font(root, family=PREFERRED_FAMILY, size=-14)
    if str(wanted.actual("family")).casefold() == PREFERRED_FAMILY.casefold():
        return PREFERRED_FAMILY
    return str(tkfont.nametofont("TkDefaultFont", root).actual("family"))
