"""One labelled entry of a form: its name above, what is wrong with it below, at times a button beside it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from coterie.desktop.forms.plain import is_plain, plain
from coterie.screens.form_texts import FormText

HIDDEN: Final = "\u2022"
BUTTON_WIDTH_PX: Final = 70


class Field(ttk.Frame):
    """An entry for plain text. What was typed is read with `value` only, and stands in no variable."""

    def __init__(self, parent: tk.Misc, name: str, *, secret: bool = False) -> None:
        super().__init__(parent)
        self._changed: list[Callable[[], None]] = []
        ttk.Label(self, text=name, style="FieldName.TLabel").pack(anchor="w", padx=2)
        self._row = ttk.Frame(self)
        self._row.pack(fill="x", pady=(2, 0))
        self.entry = ttk.Entry(self._row, show=HIDDEN if secret else "", exportselection=not secret, width=1)
        self.entry.pack(side="left", fill="both", expand=True)
        self._line = ttk.Label(self, style="Error.TLabel", text=" ")
        self._line.pack(anchor="w", padx=2, pady=(1, 4))
        self.entry.configure(validate="key", validatecommand=(self.register(self._edited), "%P"))
        self.entry.bind("<<Paste>>", self._pasted)
        for copying in ("<<Copy>>", "<<Cut>>"):
            self.entry.bind(copying, self._copied)

    @property
    def value(self) -> str:
        """What was typed."""
        return self.entry.get()

    @property
    def line(self) -> str:
        """The text under the entry, stripped."""
        return str(self._line.cget("text")).strip()

    @property
    def hidden(self) -> bool:
        """Whether dots stand for what was typed."""
        return bool(self.entry.cget("show"))

    def put(self, text: str) -> None:
        """Replace the content; only what may be shown of it."""
        self.entry.delete(0, "end")
        self.entry.insert(0, plain(text))

    def clear(self) -> None:
        """Forget what was typed."""
        self.entry.delete(0, "end")

    def hide(self, hidden: bool) -> None:
        """Show dots, or what was typed."""
        self.entry.configure(show=HIDDEN if hidden else "", exportselection=not hidden)

    def on_change(self, call: Callable[[], None]) -> None:
        """Have call() run after each change of the content."""
        self._changed.append(call)

    def add_button(self, text: str, command: Callable[[], None]) -> ttk.Button:
        """A button to the right of the entry."""
        holder = ttk.Frame(self._row, width=BUTTON_WIDTH_PX)
        holder.pack_propagate(False)
        holder.pack(side="left", fill="y", padx=(6, 0))
        button = ttk.Button(holder, text=text, command=command, style="Field.TButton")
        button.pack(fill="both", expand=True)
        return button

    def problem(self, text: str) -> None:
        """Say under the entry what is wrong with it."""
        self._line.configure(text=text, style="Error.TLabel")
        self.entry.state(["invalid"])

    def mark(self) -> None:
        """Show by colour alone that something is wrong with it."""
        self.entry.state(["invalid"])

    def hint(self, text: str) -> None:
        """Say something under the entry that is no complaint."""
        self._line.configure(text=text or " ", style="Hint.TLabel")

    def settle(self) -> None:
        """Forget problem and hint."""
        self._line.configure(text=" ")
        self.entry.state(["!invalid"])

    def _edited(self, text: str) -> bool:
        """Tk asks before each change; the change is refused where it would bring in a picture."""
        if not is_plain(text):
            self._soon(lambda: self.problem(FormText.NOT_SHOWABLE.value))
            return False
        self._soon(self._tell)
        return True

    def _soon(self, call: Callable[[], None]) -> None:
        """Run call() when Tk is idle, unless the field is gone by then."""
        self.winfo_toplevel().after_idle(lambda: call() if self.winfo_exists() else None)

    def _tell(self) -> None:
        if self.entry.instate(["invalid"]):
            self.settle()
        for call in self._changed:
            call()

    def _pasted(self, _event: object) -> str:
        """Paste what may be shown of the clipboard's first line, and say so where something was left out."""
        try:
            raw = str(self.clipboard_get())
        except tk.TclError:
            return "break"
        lines = raw.strip("\r\n").splitlines() or [""]
        text = plain(" ".join(lines))
        if self.entry.selection_present():
            self.entry.delete("sel.first", "sel.last")
        self.entry.insert("insert", text)
        if text != " ".join(lines):
            self._soon(lambda: self.problem(FormText.NOT_SHOWABLE.value))
        return "break"

    def _copied(self, _event: object) -> str | None:
        """Nothing is copied out of dots."""
        return "break" if self.hidden else None
