"""What is asked above the conversation until it is answered."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from coterie.base.ids import DeviceId, UserName
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.line_bar import LineBar
from coterie.screens.asking import Answer
from coterie.screens.signals import QuestionShown

SIDE_PX = 16


class QuestionBar(tk.Frame):
    """Two lines and two buttons; takes no room while nothing is asked."""

    def __init__(
        self,
        parent: tk.Misc,
        kit: Kit,
        on_answer: Callable[[DeviceId | UserName, Answer], None],
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._on_answer = on_answer
        self.question = QuestionShown("", "")
        self.line = LineBar(self, kit, FaceName.SMALL, "danger", "panel", SIDE_PX)
        self.detail = LineBar(self, kit, FaceName.SMALL, "muted", "panel", SIDE_PX)
        self.yes = self._button(Answer.YES)
        self.no = self._button(Answer.NO)
        self.restyle()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        self.configure(background=self._kit.colours.panel)
        for line in (self.line, self.detail):
            line.restyle()

    def show(self, question: QuestionShown) -> None:
        """Ask; about None: nothing is asked any more."""
        self.question = question
        self.line.show(question.text)
        self.detail.show(question.detail)
        if question.subject is None:
            for part in (self.yes, self.no, self.line, self.detail):
                part.pack_forget()
            self.configure(height=1)
            return
        self.yes.configure(text=question.yes)
        self.no.configure(text=question.no)
        self.no.pack(side="right", padx=SIDE_PX // 2)
        self.yes.pack(side="right", padx=SIDE_PX // 2)
        self.line.pack(side="top", fill="x")
        self.detail.pack(side="top", fill="x")

    def _button(self, answer: Answer) -> ttk.Button:
        def given() -> None:
            if self.question.subject is not None:
                self._on_answer(self.question.subject, answer)

        button = ttk.Button(self, command=given, style="Link.TButton")
        button.bind("<Return>", lambda _: given())
        return button
