"""Puts what was laid out onto a canvas, all of it in one call of Tk.

Each call of Tk lets go of Python's lock, and while the loop's thread is busy it takes time to get it back: a
row of a dozen items must not wait a dozen times.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterable
from typing import Final, assert_never

from coterie.desktop.canvas.clusters import tk_text
from coterie.desktop.canvas.laid import Box, Item, Picture, Words

_PAINT: Final = "::coterie_paint"
_PROCEDURE: Final = f"""
proc {_PAINT} {{path tags items}} {{
    foreach {{kind x y p q colour}} $items {{
        switch -exact -- $kind {{
            text {{ $path create text $x $y -text $p -anchor nw -font $q -fill $colour -tags $tags }}
            image {{ $path create image $x $y -image $p -anchor nw -tags $tags }}
            box {{ $path create rectangle $x $y $p $q -fill $colour -width 0 -tags $tags }}
        }}
    }}
}}
"""


def paint(canvas: tk.Canvas, items: Iterable[Item], x: int, y: int, tags: tuple[str, ...]) -> None:
    """Draw the items with their corner at the place. The caller keeps the items: they own the images."""
    flat: list[str | int] = []
    for item in items:
        match item:
            case Words():
                flat += ("text", x + item.x, y + item.y, tk_text(item.text), item.face.font.name, item.colour)
            case Picture():
                flat += ("image", x + item.x, y + item.y, str(item.photo), "", "")
            case Box():
                if item.right > item.x and item.bottom > item.y:
                    flat += (
                        "box", x + item.x, y + item.y, x + item.right, y + item.bottom, item.colour,
                    )  # fmt: skip
            case _:
                assert_never(item)
    if not flat:
        return
    call = canvas.tk.call
    try:
        call(_PAINT, str(canvas), tags, tuple(flat))
    except tk.TclError:
        if call("info", "commands", _PAINT):
            raise
        canvas.tk.eval(_PROCEDURE)
        call(_PAINT, str(canvas), tags, tuple(flat))


def within(items: Iterable[Item], top: int, bottom: int) -> list[Item]:
    """The items that reach into a stretch of the row's height."""
    return [item for item in items if item.bottom > top and item.y < bottom]
