"""Beats from outside: how late the window hears each, and how long a key takes to be drawn."""

from __future__ import annotations

import os
import tkinter as tk
from typing import Final

from coterie.base.clock import SystemClock

STANDARD_INPUT: Final = 0
LINE_BYTES: Final = 65_536


class Metronome:
    """Reads the lines of standard input in Tk's thread, where keys of a person would come in, too.

    Leaves the main loop at the end of the beats. Times are milliseconds.
    """

    def __init__(self, root: tk.Tk, field: tk.Text, clock: SystemClock) -> None:
        self._root = root
        self._field = field
        self._clock = clock
        self._rest = b""
        self._first = 0.0
        self._last = 0.0
        self.late: list[float] = []
        """Of every beat."""
        self.echoes: list[float] = []
        """Of every key."""
        os.set_blocking(STANDARD_INPUT, False)
        root.tk.createfilehandler(STANDARD_INPUT, tk.READABLE, self._heard)

    def stop(self) -> None:
        self._root.tk.deletefilehandler(STANDARD_INPUT)

    @property
    def seconds(self) -> float:
        """From the first to the last beat."""
        return max(self._last - self._first, 0.001)

    def _heard(self, _file: object, _mask: int) -> None:
        data = os.read(STANDARD_INPUT, LINE_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._beat(line)
        if not data:
            self._root.quit()

    def _beat(self, line: bytes) -> None:
        kind, _, moment = line.partition(b" ")
        if kind == b".":
            self._root.quit()
            return
        written = float(moment)
        self._first = self._first or written
        self._last = written
        self.late.append((self._clock.monotonic_seconds() - written) * 1000)
        if kind == b"k":
            self._field.event_generate("<Key>", keysym="a")
            self._root.after_idle(self._drawn, written)

    def _drawn(self, written: float) -> None:
        """Called after the field has drawn itself, which it does when Tk is idle."""
        self.echoes.append((self._clock.monotonic_seconds() - written) * 1000)
