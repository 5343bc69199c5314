"""The question about a device that came to this account, above the conversation until it is answered."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from coterie.base.ids import DeviceId
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.line_bar import LineBar
from coterie.screens.i18n import Text

SIDE_PX = 16


class QuestionBar(tk.Frame):
    """Two lines and two buttons; takes no room while nothing is asked."""

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        on_yes: Callable[[DeviceId], None],
        on_no: Callable[[DeviceId], None],
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self.device: DeviceId | None = None
        self.line = LineBar(self, kit, FaceName.SMALL, "danger", "panel", SIDE_PX)
        self.detail = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self.yes = self._button(Text.YES_THAT_WAS_ME, on_yes)
        self.no = self._button(Text.NO_THAT_WAS_NOT_ME, on_no)
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=self._kit.colours.panel)
        for line in (self.line, self.detail):
            line.restyle()

    def show(self, text: str, detail: str, device: DeviceId | None) -> None:
        """Ask about a device; None: nothing is asked any more."""
        self.device = device
        self.line.show(text)
        self.detail.show(detail)
        if device is None:
            for part in (self.yes, self.no, self.line, self.detail):
                part.pack_forget()
            self.configure(height=1)
            return
        self.no.pack(side="right", padx=SIDE_PX // 2)
        self.yes.pack(side="right", padx=SIDE_PX // 2)
        self.line.pack(side="top", fill="x")
        self.detail.pack(side="top", fill="x")

    def _button(self, text: Text, call: Callable[[DeviceId], None]) -> ttk.Button:
        def answer() -> None:
            if self.device is not None:
                call(self.device)

        button = ttk.Button(self, text=text.value, command=answer, style="Link.TButton")
        button.bind("<Return>", lambda _: answer())
        return button
