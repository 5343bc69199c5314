"""Puts what was laid out onto a canvas."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterable
from typing import assert_never

from coterie.desktop.canvas.clusters import tk_text
from coterie.desktop.canvas.laid import Box, Item, Picture, Words


def paint(canvas: tk.Canvas, items: Iterable[Item], x: int, y: int, tags: tuple[str, ...]) -> None:
    """Draw the items with their corner at the place. The caller keeps the items: they own the images."""
    call, path = canvas.tk.call, str(canvas)
    for item in items:
        match item:
            case Words():
                call(
                    path, "create", "text", x + item.x, y + item.y, "-text", tk_text(item.text), "-anchor",
                    "nw", "-font", item.face.font.name, "-fill", item.colour, "-tags", tags,
                )  # fmt: skip
            case Picture():
                call(
                    path, "create", "image", x + item.x, y + item.y, "-image", str(item.photo), "-anchor",
                    "nw", "-tags", tags,
                )  # fmt: skip
            case Box():
                if item.right > item.x and item.bottom > item.y:
                    call(
                        path, "create", "rectangle", x + item.x, y + item.y, x + item.right, y + item.bottom,
                        "-fill", item.colour, "-width", 0, "-tags", tags,
                    )  # fmt: skip
            case _:
                assert_never(item)


def within(items: Iterable[Item], top: int, bottom: int) -> list[Item]:
    """The items that reach into a stretch of the row's height."""
    return [item for item in items if item.bottom > top and item.y < bottom]
