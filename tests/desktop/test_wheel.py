from __future__ import annotations

import tkinter as tk

from coterie.desktop.wheel import bind_wheel


def test_each_kind_of_wheel_scrolls(root: tk.Tk) -> None:
    frame = tk.Frame(root, width=50, height=50)
    frame.pack()
    root.update()
    moved: list[int] = []
    bind_wheel(frame, 60, moved.append)
    frame.event_generate("<Button-4>", x=5, y=5)
    frame.event_generate("<Button-5>", x=5, y=5)
    for delta in (120, -240, 3):
        frame.event_generate("<MouseWheel>", delta=delta, x=5, y=5)
    assert moved == [-60, 60, -60, 120, -60]
