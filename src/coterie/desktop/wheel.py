"""Mouse wheels and touch pads, as each kind of system and each Tk tells of them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from typing import Final

NOTCH: Final = 120
SMALL_NOTCH: Final = 3
"""macOS before Tk 9 counts like this."""
_LOW: Final = 0xFFFF
_SIGN: Final = 0x8000


def bind_wheel(widget: tk.Misc, notch_px: int, scroll: Callable[[int], None]) -> None:
    """Have scroll(pixels) called, positive for down."""

    def turned(event: tk.Event[tk.Misc]) -> None:
        notches = event.delta / (NOTCH if abs(event.delta) >= NOTCH else SMALL_NOTCH)
        scroll(round(-notches * notch_px))

    def swept(event: tk.Event[tk.Misc]) -> None:
        """Two numbers in one: the lower half is the way up in pixels."""
        way = event.delta & _LOW
        scroll(-(way - 2 * _SIGN if way & _SIGN else way))

    widget.bind("<Button-4>", lambda _: scroll(-notch_px))
    widget.bind("<Button-5>", lambda _: scroll(notch_px))
    widget.bind("<MouseWheel>", turned)
    with suppress(tk.TclError):
        widget.bind("<TouchpadScroll>", swept)
