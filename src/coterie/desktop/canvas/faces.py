"""The fonts of the canvases with what layout needs to know of each. Lengths are pixels."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from tkinter import font as tkfont
from typing import Final

from coterie.desktop.fonts import Fonts

LINE_FACTOR: Final = 1.42
"""Line height by font size, as in the design's pictures."""


class FaceName(StrEnum):
    BODY = "body"
    BOLD = "bold"
    SMALL = "small"
    SMALL_BOLD = "small_bold"
    TINY = "tiny"
    HEADING = "heading"
    AVATAR = "avatar"
    MONO = "mono"


_BOLDS: Final = frozenset((FaceName.BOLD, FaceName.SMALL_BOLD, FaceName.HEADING, FaceName.AVATAR))


class Face:
    """One font, measured."""

    def __init__(self, fonts: Fonts, name: FaceName) -> None:
        self.name = name
        self.font: tkfont.Font = getattr(fonts, name.value)
        self.bold = name in _BOLDS
        self.size = abs(int(self.font.actual("size")))
        configured = int(str(self.font.cget("size")))
        if configured < 0:
            self.size = -configured
        self.ascent = int(self.font.metrics("ascent"))
        self.height = int(self.font.metrics("linespace"))
        self.line = max(self.height, round(self.size * LINE_FACTOR))
        self.baseline = (self.line - self.height) // 2 + self.ascent
        """From the top of a line."""
        self.emoji = self.line
        """Side of an emoji in a line of this font."""
        self._measure: Callable[[tkfont.Font, str], int] = fonts.width

    @property
    def top(self) -> int:
        """From the top of a line to the top of the text as Tk places it."""
        return self.baseline - self.ascent

    def width(self, text: str) -> int:
        return self._measure(self.font, text)


class Faces:
    """Every face, measured once for a zoom."""

    def __init__(self, fonts: Fonts) -> None:
        self._faces = {name: Face(fonts, name) for name in FaceName}

    def __getitem__(self, name: FaceName) -> Face:
        return self._faces[name]
