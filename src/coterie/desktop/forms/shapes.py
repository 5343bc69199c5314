"""Anti-aliased corners and discs as Tk images, without another library.

Tk's canvas does not smooth curves on X11. These few pixels are computed here: the forms are painted before
anything larger than Tk itself is imported.
"""

from __future__ import annotations

import math
import tkinter as tk
from collections.abc import Callable


def disc(root: tk.Misc, diameter_px: int, fill: str, behind: str) -> tk.PhotoImage:
    """A filled circle on a square of the colour behind it. Colours are "#rrggbb"."""
    radius = diameter_px / 2
    return _image(root, diameter_px, fill, behind, lambda x, y: radius - math.hypot(x - radius, y - radius))


def corners(root: tk.Misc, radius_px: int, fill: str, behind: str) -> tuple[tk.PhotoImage, ...]:
    """The four corners of a rounded rectangle: top left, top right, bottom right, bottom left."""
    centres = ((radius_px, radius_px), (0, radius_px), (0, 0), (radius_px, 0))

    def corner(cx: int, cy: int) -> tk.PhotoImage:
        return _image(root, radius_px, fill, behind, lambda x, y: radius_px - math.hypot(x - cx, y - cy))

    return tuple(corner(cx, cy) for cx, cy in centres)


def _image(
    root: tk.Misc, side_px: int, fill: str, behind: str, inside: Callable[[float, float], float]
) -> tk.PhotoImage:
    """A square whose pixels mix fill and behind by how far (in pixels) their centre lies inside the shape."""
    inner, outer = _rgb(fill), _rgb(behind)
    pixels = bytearray()
    for row in range(side_px):
        for column in range(side_px):
            cover = min(1.0, max(0.0, inside(column + 0.5, row + 0.5) + 0.5))
            pixels += bytes(round(a * cover + b * (1 - cover)) for a, b in zip(inner, outer, strict=True))
    header = f"P6 {side_px} {side_px} 255\n".encode()
    return tk.PhotoImage(master=root, data=header + bytes(pixels), format="ppm")


def _rgb(colour: str) -> bytes:
    return bytes.fromhex(colour[1:])


def initial(root: tk.Misc, side_px: int, fill: str, letter: str) -> tk.PhotoImage:
    """A disc with a C in it, transparent outside: the window's icon."""
    middle = side_px / 2
    image = tk.PhotoImage(master=root, width=side_px, height=side_px)
    for row in range(side_px):
        y = row + 0.5 - middle
        half = round(math.sqrt(max(0.0, middle * middle - y * y)))
        cells = [
            letter if _in_c(column + 0.5 - middle, y, side_px) else fill
            for column in range(round(middle) - half, round(middle) + half)
        ]
        if cells:
            image.put("{" + " ".join(cells) + "}", to=(round(middle) - half, row))
    return image


def _in_c(x: float, y: float, side_px: int) -> bool:
    """Whether a point, measured from the middle, lies on the letter."""
    return 0.2 * side_px < math.hypot(x, y) < 0.31 * side_px and not (x > 0 and abs(y) < 0.75 * x)
