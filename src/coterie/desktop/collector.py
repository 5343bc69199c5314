"""Cyclic garbage is collected by the thread of the window alone.

Python runs its collector in whichever thread allocates. Garbage of a window holds Tk objects (images,
variables, the interpreter itself), and deleting one of those in another thread blocks that thread, or ends
the process. So the automatic collector is off while there is a second thread, and a timer of the window does
its work.
"""

from __future__ import annotations

import gc
import tkinter as tk
from typing import Final

INTERVAL_MS: Final = 500


class Collector:
    """start() and stop() by the thread of the window. Thresholds are those of Python's own collector."""

    def __init__(self, root: tk.Misc) -> None:
        self._root = root
        self._timer: str | None = None

    def start(self) -> None:
        """Take over from the automatic collector. What is alive now is not looked at again."""
        if self._timer is None and gc.isenabled():
            gc.disable()
            gc.freeze()
            self._timer = self._root.after(INTERVAL_MS, self._look)

    def stop(self) -> None:
        """Collect everything here and now, and give back to the automatic collector."""
        if self._timer is None:
            return
        self._root.after_cancel(self._timer)
        self._timer = None
        gc.unfreeze()
        gc.collect()
        gc.enable()

    def _look(self) -> None:
        """Collect the oldest generation whose count is over its threshold, as Python would."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                break
        self._timer = self._root.after(INTERVAL_MS, self._look)
