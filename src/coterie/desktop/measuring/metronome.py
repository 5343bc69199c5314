"""Beats from outside: how late the window hears each, and how long a key takes to be drawn."""

from __future__ import annotations

import os
import tkinter as tk
from typing import Final

from coterie.base.clock import SystemClock
from coterie.desktop.measuring.threads import Threads

STANDARD_INPUT: Final = 0
LINE_BYTES: Final = 65_536


class Beat:
    """One line: "t" or "k" (a beat, and one with a key), the moment at which it was written, and for how many
    milliseconds the threads of this process had run by then (threads.py). A line "." is the end."""

    def __init__(self, line: bytes) -> None:
        kind, written, ran = line.split()
        self.key = kind == b"k"
        self.written = float(written)
        self.ran = float(ran)


class Metronome:
    """Reads the lines of standard input in Tk's thread, where keys of a person would come in, too.

    Leaves the main loop at the end of the beats. Times are milliseconds: late and echoes by the clock on the
    wall without what other programs took, own by the processor time that this process used meanwhile, which a
    busy machine does not lengthen.
    """

    def __init__(self, root: tk.Tk, field: tk.Text, clock: SystemClock) -> None:
        self._root = root
        self._field = field
        self._clock = clock
        self._threads = Threads()
        self._rest = b""
        self._first = 0.0
        self._last = 0.0
        self._stopped = False
        self.late: list[float] = []
        self.own_late: list[float] = []
        self.echoes: list[float] = []
        self.own_echoes: list[float] = []
        os.set_blocking(STANDARD_INPUT, False)
        root.tk.createfilehandler(STANDARD_INPUT, tk.READABLE, self._heard)

    def stop(self) -> None:
        """Listen no more. Keys that are not drawn by now do not count."""
        self._stopped = True
        self._root.tk.deletefilehandler(STANDARD_INPUT)
        self._threads.close()

    @property
    def seconds(self) -> float:
        """From the first to the last beat."""
        return max(self._last - self._first, 0.001)

    def _heard(self, _file: object, _mask: int) -> None:
        data = os.read(STANDARD_INPUT, LINE_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line == b".":
                self._root.quit()
            else:
                self._beat(Beat(line))
        if not data:
            self._root.quit()

    def _beat(self, beat: Beat) -> None:
        self._first = self._first or beat.written
        self._last = beat.written
        waited = self._threads.waited()
        self._note(beat, waited, self.late, self.own_late)
        if beat.key:
            self._field.event_generate("<Key>", keysym="a")
            self._root.after_idle(self._drawn, beat, waited)

    def _drawn(self, beat: Beat, waited: float) -> None:
        """Called after the field has drawn itself, which it does when Tk is idle."""
        if not self._stopped:
            self._note(beat, waited + self._threads.waited(), self.echoes, self.own_echoes)

    def _note(self, beat: Beat, waited: float, wall: list[float], own: list[float]) -> None:
        taken = max(0.0, (self._clock.monotonic_seconds() - beat.written) * 1000 - waited)
        wall.append(taken)
        own.append(min(taken, self._threads.ran() - beat.ran) if self._threads.told else taken)
