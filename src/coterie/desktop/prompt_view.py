"""A question over a page: fields to fill in, what was wrong with them, and two buttons."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from coterie.desktop.forms.field import Field
from coterie.desktop.forms.figures import word_grid
from coterie.desktop.forms.plain import plain
from coterie.screens.page_texts import PageText
from coterie.screens.pages import Prompt

WIDTH_PX: Final = 420
WIDE_PX: Final = 600
"""Where words are shown."""
PAD_PX: Final = 28
GAP_PX: Final = 12


class PromptView(ttk.Frame):
    """One prompt. on_answer gets what was typed, by the names of the fields; nothing of it is kept here."""

    def __init__(
        self,
        parent: tk.Misc,
        prompt: Prompt,
        on_answer: Callable[[dict[str, str]], None],
        on_cancel: Callable[[], None],
    ) -> None:
        super().__init__(parent, padding=PAD_PX, borderwidth=1, relief="solid")
        self.prompt = prompt
        self._on_answer = on_answer
        self.width = WIDE_PX if prompt.words else WIDTH_PX
        room = self.width - 2 * PAD_PX
        ttk.Label(self, text=plain(prompt.title), style="Title.TLabel", wraplength=room).pack(anchor="w")
        about = ttk.Label(self, text=plain(prompt.about), style="Subtitle.TLabel", wraplength=room)
        about.pack(anchor="w", pady=(GAP_PX // 2, GAP_PX))
        if prompt.words:
            word_grid(self, prompt.words).pack(fill="x", pady=(0, GAP_PX))
        self.fields: dict[str, Field] = {}
        for each in prompt.fields:
            field = self.fields[each.name] = Field(self, each.label, secret=each.secret)
            field.put(each.value)
            field.pack(fill="x")
        self.problem = ttk.Label(self, style="Error.TLabel", text=" ", wraplength=room)
        self.problem.pack(fill="x", pady=(0, GAP_PX))
        self.confirm = ttk.Button(self, text=prompt.confirm, command=self.submit, style="Main.TButton")
        self.confirm.pack(fill="x")
        self.cancel = ttk.Button(self, text=PageText.CANCEL.value, command=on_cancel, style="Link.TButton")
        self.cancel.pack(pady=(GAP_PX // 2, 0))
        for widget in (self.confirm, self.cancel, *(field.entry for field in self.fields.values())):
            widget.bind("<Escape>", lambda _: on_cancel())
        for field in self.fields.values():
            field.entry.bind("<Return>", lambda _: self.submit())
            field.entry.bind("<KP_Enter>", lambda _: self.submit())
        self.confirm.bind("<Return>", lambda _: self.submit())
        self.cancel.bind("<Return>", lambda _: on_cancel())
        first = next(iter(self.fields.values()), None)
        (first.entry if first else self.confirm).focus_set()

    def submit(self) -> None:
        """What the button and Enter do; nothing while an answer is being carried out."""
        if self.confirm.instate(["!disabled"]):
            self._on_answer({name: field.value for name, field in self.fields.items()})

    def state_of(self, problem: str, *, busy: bool) -> None:
        """Say what was wrong, or wait."""
        self.problem.configure(text=problem or " ")
        for widget in (self.confirm, *(field.entry for field in self.fields.values())):
            widget.state(["disabled" if busy else "!disabled"])
        if problem:
            secret = next((self.fields[each.name] for each in self.prompt.fields if each.secret), None)
            if secret is not None:
                secret.entry.focus_set()
