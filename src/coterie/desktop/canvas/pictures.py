"""Shapes with smooth edges as Tk images: Tk's canvas does not smooth curves on X11.

All are drawn four times as large and reduced. The images belong to the Pictures object of a window and are
kept by it; what is drawn holds on to its own.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from PIL import Image, ImageDraw, ImageTk

from coterie.desktop.canvas.kept import Kept

SCALE: Final = 4
SHAPES_MAX: Final = 600

Photo = ImageTk.PhotoImage
Corners = tuple[Photo, Photo, Photo, Photo]
"""Top left, top right, bottom right, bottom left."""


class Icon(StrEnum):
    TICK = "tick"
    TICKS = "ticks"
    CLOCK = "clock"
    SEND = "send"
    MENU = "menu"
    VERIFIED = "verified"
    CHANGED = "changed"


class Pictures:
    """Makes and keeps the shapes of one window."""

    def __init__(self, root: tk.Misc) -> None:
        self._root = root
        self._shapes: Kept[tuple[object, ...], Photo] = Kept(SHAPES_MAX)
        self._corners: Kept[tuple[int, str], Corners] = Kept(SHAPES_MAX)

    def photo(self, image: Image.Image) -> Photo:
        """A Tk image of the picture."""
        return ImageTk.PhotoImage(image, master=self._root)

    def disc(self, diameter: int, colour: str) -> Photo:
        """A filled circle."""
        return self._shape(
            ("disc", diameter, colour), (diameter, diameter), lambda draw, far: draw.ellipse(far, colour)
        )

    def ringed(self, diameter: int, ring: int, colour: str, behind: str) -> Photo:
        """A filled circle in a ring of the colour behind it: the dot of presence."""

        def paint(draw: ImageDraw.ImageDraw, far: tuple[int, int, int, int]) -> None:
            edge = ring * SCALE
            draw.ellipse(far, behind)
            draw.ellipse((edge, edge, far[2] - edge, far[3] - edge), colour)

        return self._shape(("ringed", diameter, ring, colour, behind), (diameter, diameter), paint)

    def pill(self, width: int, height: int, colour: str) -> Photo:
        """A rectangle with half circles at its ends."""
        return self._shape(
            ("pill", width, height, colour),
            (width, height),
            lambda draw, far: draw.rounded_rectangle(far, height * SCALE // 2, colour),
        )

    def corners(self, radius: int, colour: str) -> Corners:
        """The corners of a rounded rectangle."""
        return self._corners.get((radius, colour), lambda: self._cut_corners(radius, colour))

    def icon(self, icon: Icon, size: int, colour: str) -> Photo:
        """One of our signs, size square."""
        return self._shape(
            (icon, size, colour), (size, size), lambda draw, _: _ICONS[icon](draw, size * SCALE, colour)
        )

    def _shape(
        self,
        key: tuple[object, ...],
        size: tuple[int, int],
        paint: Callable[[ImageDraw.ImageDraw, tuple[int, int, int, int]], object],
    ) -> Photo:
        return self._shapes.get(key, lambda: self.photo(_painted(size, paint)))

    def _cut_corners(self, radius: int, colour: str) -> Corners:
        whole = _painted((2 * radius, 2 * radius), lambda draw, far: draw.ellipse(far, colour))
        near, far = (0, radius), (radius, 2 * radius)
        boxes = ((near, near), (far, near), (far, far), (near, far))
        cut = [self.photo(whole.crop((x[0], y[0], x[1], y[1]))) for x, y in boxes]
        return cut[0], cut[1], cut[2], cut[3]


def _painted(
    size: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw, tuple[int, int, int, int]], object]
) -> Image.Image:
    """The shape, smooth: its colour where it is, transparent elsewhere."""
    width, height = size[0] * SCALE, size[1] * SCALE
    solid = Image.new("RGBA", (width, height))
    paint(ImageDraw.Draw(solid), (0, 0, width - 1, height - 1))
    large = solid.convert("RGBa")
    return large.resize(size, Image.Resampling.BOX).convert("RGBA")


def _tick(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    points = [(side * 0.12, side * 0.55), (side * 0.38, side * 0.80), (side * 0.88, side * 0.24)]
    draw.line(points, colour, round(side * 0.11), joint="curve")


def _ticks(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    """Two of them, one behind the other."""
    for shift in (-0.14, 0.16):
        points = [
            (side * (0.16 + shift), side * 0.55),
            (side * (0.36 + shift), side * 0.80),
            (side * (0.76 + shift), side * 0.24),
        ]
        draw.line(points, colour, round(side * 0.10), joint="curve")


def _clock(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    edge, width = side * 0.12, max(1, round(side * 0.10))
    draw.ellipse((edge, edge, side - edge, side - edge), outline=colour, width=width)
    hands = [(side * 0.5, side * 0.28), (side * 0.5, side * 0.53), (side * 0.68, side * 0.53)]
    draw.line(hands, colour, width)


def _send(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    upper = [(side * 0.10, side * 0.14), (side * 0.95, side * 0.5), (side * 0.26, side * 0.5)]
    lower = [(side * 0.10, side * 0.86), (side * 0.95, side * 0.5), (side * 0.26, side * 0.5)]
    draw.polygon(upper, colour)
    draw.polygon(lower, colour)


def _menu(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    for at in (0.25, 0.5, 0.75):
        draw.rectangle((side * 0.1, side * (at - 0.035), side * 0.9, side * (at + 0.035)), colour)


def _verified(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    """A disc with a tick that shows what is behind it."""
    draw.ellipse((0, 0, side - 1, side - 1), colour)
    points = [(side * 0.26, side * 0.53), (side * 0.43, side * 0.69), (side * 0.75, side * 0.33)]
    draw.line(points, _NOTHING, round(side * 0.13), joint="curve")


def _changed(draw: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    """A disc with an exclamation mark that shows what is behind it."""
    draw.ellipse((0, 0, side - 1, side - 1), colour)
    half = side * 0.065
    draw.rectangle((side / 2 - half, side * 0.2, side / 2 + half, side * 0.58), _NOTHING)
    draw.ellipse((side / 2 - 1.2 * half, side * 0.68, side / 2 + 1.2 * half, side * 0.8), _NOTHING)


_NOTHING: Final = (0, 0, 0, 0)
_ICONS: Final[dict[Icon, Callable[[ImageDraw.ImageDraw, int, str], None]]] = {
    Icon.TICK: _tick,
    Icon.TICKS: _ticks,
    Icon.CLOCK: _clock,
    Icon.SEND: _send,
    Icon.MENU: _menu,
    Icon.VERIFIED: _verified,
    Icon.CHANGED: _changed,
}
