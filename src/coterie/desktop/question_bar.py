"""The question about a device that came to this account, above the conversation until it is answered."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from coterie.base.ids import DeviceId
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.forms.field import HIDDEN
from coterie.desktop.line_bar import LineBar
from coterie.screens.i18n import Text

SIDE_PX = 16
PAD_Y = 6
ENTRY_CHARACTERS = 32


class QuestionBar(tk.Frame):
    """Two lines and two buttons; takes no room while nothing is asked.

    "No" makes room for a third line and asks for the password, which signs the removal; what was typed stands
    in no variable and goes with the answer.
    """

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        on_yes: Callable[[DeviceId], None],
        on_no: Callable[[DeviceId, str], None],
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._on_yes = on_yes
        self._on_no = on_no
        self.device: DeviceId | None = None
        self._detail = ""
        self.line = LineBar(self, kit, FaceName.SMALL, "danger", "panel", SIDE_PX)
        self.detail = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self.yes = self._button(Text.YES_THAT_WAS_ME, self._answer)
        self.no = self._button(Text.NO_THAT_WAS_NOT, self._prove)
        self.entry = ttk.Entry(self, show=HIDDEN, exportselection=False, width=ENTRY_CHARACTERS)
        self.remove = self._button(Text.REMOVE_DEVICE, self._deny)
        self.cancel = self._button(Text.CANCEL, self._ask)
        self.entry.bind("<Return>", lambda _: self._deny())
        self.entry.bind("<Escape>", lambda _: self._ask())
        for copying in ("<<Copy>>", "<<Cut>>"):
            self.entry.bind(copying, lambda _: "break")
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=self._kit.colours.panel)
        for line in (self.line, self.detail):
            line.restyle()

    def show(self, text: str, detail: str, device: DeviceId | None) -> None:
        """Ask about a device, or say why it could not be removed; None: nothing is asked any more."""
        again = device is not None and device == self.device
        self.device, self._detail = device, detail
        self.line.show(text)
        self.detail.show(detail)
        if device is None:
            self._put()
            for line in (self.line, self.detail):
                line.pack_forget()
            self.configure(height=1)
            return
        if again and self.entry.winfo_manager():
            self.entry.state(["!disabled"])
            self.entry.focus_set()
        else:
            self._ask()
        self.line.pack(side="top", fill="x")
        self.detail.pack(side="top", fill="x")

    def _button(self, text: Text, command: Callable[[], None]) -> ttk.Button:
        button = ttk.Button(self, text=text.value, command=command, style="Link.TButton")
        button.bind("<Return>", lambda _: command())
        return button

    def _put(self, *parts: tk.Widget, below: bool = False) -> None:
        """Have these, and no others, on the right, or below the lines; the first is the outermost."""
        self.entry.delete(0, "end")
        for old in (self.yes, self.no, self.entry, self.remove, self.cancel):
            old.pack_forget()
        beside = bool(self.line.winfo_manager()) and not below
        for part in parts:
            part.pack(side="right", padx=SIDE_PX // 2, pady=PAD_Y if below else 0)
            if beside:
                part.pack_configure(before=self.line)

    def _ask(self) -> None:
        self.detail.show(self._detail)
        self._put(self.no, self.yes)

    def _prove(self) -> None:
        """Not mine: who says so?"""
        self.detail.show(Text.REMOVE_DEVICE_PROVE.value)
        self.entry.state(["!disabled"])
        self._put(self.cancel, self.remove, self.entry, below=True)
        self.entry.focus_set()

    def _answer(self) -> None:
        if self.device is not None:
            self._on_yes(self.device)

    def _deny(self) -> None:
        secret = self.entry.get()
        if self.device is None or not secret or self.entry.instate(["disabled"]):
            return
        self.entry.delete(0, "end")
        self.entry.state(["disabled"])
        self._on_no(self.device, secret)
