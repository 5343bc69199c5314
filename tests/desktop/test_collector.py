"""Garbage that holds Tk objects is deleted by the thread of the window."""

from __future__ import annotations

import asyncio
import gc
import threading
import tkinter as tk
from collections.abc import Callable

from coterie.desktop.bridge import Bridge
from coterie.desktop.collector import Collector

Wait = Callable[[Callable[[], bool]], None]


class Ring:
    """Garbage that only the cyclic collector finds; it notes in which thread it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        self.myself = self
        self._went = went

    def __del__(self) -> None:
        self._went.append(threading.current_thread())


def test_while_a_loop_runs_beside_the_window_only_the_window_collects(bridge: Bridge, wait: Wait) -> None:
    went: list[threading.Thread] = []

    async def allocate() -> None:
        for _ in range(30):
            rings = [Ring(went) for _ in range(1000)]
            del rings
            await asyncio.sleep(0)

    done: list[None] = []
    bridge.run(allocate(), done.append)
    wait(lambda: len(went) == 30_000)
    assert set(went) == {threading.current_thread()}


def test_afterwards_python_collects_by_itself_again(root: tk.Tk) -> None:
    went: list[threading.Thread] = []
    collector = Collector(root)
    collector.start()
    assert not gc.isenabled()
    Ring(went)
    collector.stop()
    assert len(went) == 1
    assert gc.isenabled()
    collector.stop()
