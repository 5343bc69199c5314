"""What every form has: a card, a title, a line for what went wrong, the main button, keys, work in the loop.

While work runs the form's controls are disabled and a thin bar moves; afterwards everything that was typed is
still there.
"""

from __future__ import annotations

import tkinter as tk
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from enum import Enum
from tkinter import ttk
from typing import Any, Final, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError
from coterie.desktop.forms.card import Avatar, Card
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.progress import Progress
from coterie.screens.form_texts import FormText, refusal_text

T = TypeVar("T")

WHEEL_PX: Final = 40


class FormState(Enum):
    EDITING = "editing"
    WORKING = "working"


class Form(Card, ABC):
    """Base of the forms. A form packs its fields into `body`, then calls finish() once."""

    def __init__(
        self, parent: tk.Misc, entrance: Entrance, title: str, subtitle: str, width_px: int | None = None
    ) -> None:
        super().__init__(parent, entrance.look, width_px)
        self.entrance = entrance
        self.state = FormState.EDITING
        self._controls: list[ttk.Widget] = []
        self._back: Callable[[], None] | None = None
        self._keys = f"Form{id(self)}"
        self._disabled: list[ttk.Widget] = []
        Avatar(self.body, self.look).pack(pady=(2, 10))
        self.title = ttk.Label(self.body, text=title, style="Title.TLabel", anchor="center")
        self.title.pack()
        self.subtitle = ttk.Label(self.body, text=subtitle, style="Subtitle.TLabel", anchor="center")
        self.subtitle.pack(pady=(2, 14))
        self.main: ttk.Button
        self.problem_line: ttk.Label
        self.progress: Progress

    def add_field(self, name: str, *, secret: bool = False, parent: tk.Misc | None = None) -> Field:
        """A labelled entry under what stands there already."""
        field = Field(parent or self.body, name, secret=secret)
        field.pack(fill="x")
        self._controls.append(field.entry)
        return field

    def add_link(self, text: str, command: Callable[[], None], parent: tk.Misc | None = None) -> ttk.Button:
        """A quiet button; the caller places it."""
        link = ttk.Button(parent or self.body, text=text, command=command, style="Link.TButton")
        self._controls.append(link)
        return link

    def add_show(self, *fields: Field) -> ttk.Button:
        """A button beside the first field that shows or hides what stands in all of them."""

        def turn() -> None:
            hide = not fields[0].hidden
            for field in fields:
                field.hide(hide)
            button.configure(text=(FormText.SHOW if hide else FormText.HIDE).value)

        button = fields[0].add_button(FormText.SHOW.value, turn)
        self._controls.append(button)
        return button

    def add_main(self, text: str) -> None:
        """The line for what went wrong, the progress, and the main button."""
        self.problem_line = ttk.Label(
            self.body, style="Error.TLabel", text=" ", wraplength=self._width_px - 2 * self._pad_px
        )
        self.problem_line.pack(fill="x", padx=2)
        self.progress = Progress(self.body, self.look)
        self.progress.pack(fill="x", pady=(5, 6))
        self.main = ttk.Button(self.body, text=text, command=self.submit, style="Main.TButton")
        self.main.pack(fill="x")
        self._controls.append(self.main)

    def finish(self, first: tk.Misc | None, back: Callable[[], None] | None = None) -> None:
        """Bind Enter, Escape, wheel and focus for everything on the card, and focus the first entry."""
        self._back = back
        keys: tuple[tuple[str, Callable[[Any], object]], ...] = (
            ("<Return>", self._entered),
            ("<KP_Enter>", self._entered),
            ("<Escape>", self._escaped),
            ("<FocusIn>", lambda event: self.see(event.widget)),
            ("<MouseWheel>", lambda event: self.scroll(-WHEEL_PX if event.delta > 0 else WHEEL_PX)),
            ("<Button-4>", lambda _event: self.scroll(-WHEEL_PX)),
            ("<Button-5>", lambda _event: self.scroll(WHEEL_PX)),
        )
        for sequence, call in keys:
            self.bind_class(self._keys, sequence, call)
        self.adopt(self)
        if first is not None:
            first.focus_set()

    def adopt(self, widget: tk.Misc) -> None:
        """Let a widget that came later, and all it holds, take part in the form's keys."""
        tags = widget.bindtags()
        if self._keys not in tags:
            widget.bindtags((self._keys, *tags))
        for child in widget.winfo_children():
            self.adopt(child)

    def destroy(self) -> None:
        for sequence in self.bind_class(self._keys) or ():
            self.unbind_class(self._keys, sequence)
        super().destroy()

    @abstractmethod
    def submit(self) -> None:
        """What the main button and Enter do."""

    def problem(self, text: str) -> None:
        """Say what is wrong with the form as a whole."""
        self.problem_line.configure(text=text)

    def settle(self) -> None:
        """Forget every complaint."""
        self.problem_line.configure(text=" ")

    def place_of(self, code: Code) -> Field | None:
        """The field that a refusal is about; None: the form as a whole."""
        del code
        return None

    def work(self, work: Coroutine[Any, Any, T], words: str, done: Callable[[T], None]) -> None:
        """Run in the loop with the form disabled; done(result) afterwards, or the error shown in the form."""
        self.settle()
        self.state = FormState.WORKING
        resting = str(self.main.cget("text"))
        self._disabled = [control for control in self._controls if control.instate(["!disabled"])]
        focused = self.focus_get()
        for control in self._disabled:
            control.state(["disabled"])
        self.main.configure(text=words)
        self.progress.start()

        def ended(result: T) -> None:
            if self.winfo_exists():
                self._rest(resting, focused)
            done(result)

        def failed(error: BaseException) -> None:
            if self.winfo_exists():
                self._rest(resting, focused)
                self.failed(error)
            if not isinstance(error, CoterieError) or isinstance(error, LocalError):
                raise error

        self.entrance.run(work, ended, failed)

    def _rest(self, resting: str, focused: tk.Misc | None) -> None:
        self.state = FormState.EDITING
        self.progress.stop()
        for control in self._disabled:
            control.state(["!disabled"])
        self.main.configure(text=resting)
        if focused is not None and focused.winfo_exists():
            focused.focus_set()

    def failed(self, error: BaseException) -> None:
        """Show what came of the work, beside the field that it is about."""
        if not isinstance(error, CoterieError):
            self.problem(FormText.BROKEN.format(what=type(error).__name__))
            return
        text, field = refusal_text(error.code), self.place_of(error.code)
        if field is None:
            self.problem(text)
        else:
            field.problem(text)
            field.entry.focus_set()

    def _entered(self, event: tk.Event[tk.Misc]) -> str | None:
        """Enter presses the button that has the focus, else the main button."""
        if isinstance(event.widget, ttk.Button):
            event.widget.invoke()
        elif self.state is FormState.EDITING:
            self.submit()
        return "break"

    def _escaped(self, _event: object) -> str | None:
        if self._back is None or self.state is FormState.WORKING:
            return None
        self._back()
        return "break"
