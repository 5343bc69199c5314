"""The step after sign-up: recovery key (and generated passphrase) shown once, copied, and asked back."""

from __future__ import annotations

import secrets
import tkinter as tk
from collections.abc import Callable
from enum import Enum
from tkinter import ttk
from typing import Final

from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.figures import word_grid
from coterie.desktop.forms.form import Form
from coterie.screens.form_texts import FormText

CARD_WIDTH_PX: Final = 560
WORDS_ASKED: Final = 2
CLIPBOARD_MS: Final = 60_000


class Step(Enum):
    SHOWN = "the words are on the screen"
    ASKED = "some of them are asked back"


class RecoveryForm(Form):
    """on_kept() is called once the person has typed two of the words (and the passphrase) back."""

    def __init__(
        self,
        parent: tk.Misc,
        entrance: Entrance,
        *,
        recovery_key: str,
        passphrase: str | None,
        on_kept: Callable[[], None],
    ) -> None:
        super().__init__(parent, entrance, "", "", CARD_WIDTH_PX)
        self._words = recovery_key.split()
        self._recovery_key = recovery_key
        self._passphrase = passphrase
        self._on_kept = on_kept
        self.step = Step.SHOWN
        self.asked: tuple[int, ...] = ()
        """Positions, from 0, of the words that are asked back."""
        self.answers: tuple[Field, ...] = ()
        self.passphrase_again: Field | None = None
        self._page = ttk.Frame(self.body)
        self._page.pack(fill="x")
        self.add_main("")
        self.again = self.add_link(FormText.SHOW_AGAIN.value, self._show_words)
        self._show_words()
        self.finish(self.main)

    def _show_words(self) -> None:
        self._turn_page(Step.SHOWN)
        both = self._passphrase is not None
        self.title.configure(text=(FormText.RECOVERY_TITLE_BOTH if both else FormText.RECOVERY_TITLE).value)
        self.subtitle.configure(
            text=(FormText.RECOVERY_SUBTITLE_BOTH if both else FormText.RECOVERY_SUBTITLE).value
        )
        if self._passphrase is not None:
            self._heading(FormText.PASSPHRASE_SHOWN.value, self._passphrase)
            box = ttk.Frame(self._page, style="Field.TFrame", padding=(12, 10))
            box.pack(fill="x", pady=(4, 14))
            ttk.Label(box, text=self._passphrase, style="Word.TLabel", anchor="center").pack(fill="x")
        self._heading(FormText.RECOVERY_SHOWN.value if both else "", self._recovery_key)
        word_grid(self._page, self._words).pack(fill="x", pady=(4, 0))
        self.main.configure(
            text=(FormText.WRITTEN_BOTH_DOWN if both else FormText.WRITTEN_DOWN).value,
        )
        self.again.pack_forget()
        self.adopt(self._page)
        self.main.focus_set()

    def _heading(self, text: str, copied: str) -> None:
        """A line above what is shown, with a button that copies it."""
        line = ttk.Frame(self._page)
        line.pack(fill="x")
        ttk.Label(line, text=text, style="FieldName.TLabel").pack(side="left", padx=2)
        copy = ttk.Button(
            line, text=FormText.COPY.value, style="Link.TButton", command=lambda: self._copy(copied)
        )
        copy.pack(side="right")

    def _copy(self, text: str) -> None:
        """Into the clipboard, and out of it again after a minute where it is still there."""
        root = self.winfo_toplevel()
        root.clipboard_clear()
        root.clipboard_append(text)
        self.problem_line.configure(text=FormText.COPIED.value, style="Hint.TLabel")

        def forget() -> None:
            try:
                ours = root.clipboard_get() == text
            except tk.TclError:
                return
            if ours:
                root.clipboard_clear()

        root.after(CLIPBOARD_MS, forget)

    def _ask(self) -> None:
        self._turn_page(Step.ASKED)
        self.title.configure(text=FormText.CHECK_TITLE.value)
        self.subtitle.configure(text=FormText.CHECK_SUBTITLE.value)
        drawn = secrets.SystemRandom().sample(range(len(self._words)), WORDS_ASKED)
        self.asked = tuple(sorted(drawn))
        self.answers = tuple(
            self.add_field(FormText.CHECK_WORD.format(number=position + 1), parent=self._page)
            for position in self.asked
        )
        if self._passphrase is not None:
            self.passphrase_again = self.add_field(FormText.CHECK_PASSPHRASE.value, parent=self._page)
        self.main.configure(text=FormText.CHECK.value)
        self.again.pack(pady=(10, 0))
        self.adopt(self._page)
        self.answers[0].entry.focus_set()

    def _turn_page(self, step: Step) -> None:
        self.step = step
        for child in self._page.winfo_children():
            child.destroy()
        self._controls = [control for control in self._controls if control.winfo_exists()]
        self.asked, self.answers, self.passphrase_again = (), (), None
        self._back = self._show_words if step is Step.ASKED else None
        self.settle()

    def submit(self) -> None:
        match self.step:
            case Step.SHOWN:
                self._ask()
            case Step.ASKED:
                if self._all_right():
                    self._on_kept()

    def _all_right(self) -> bool:
        """Check what was typed back; what is wrong is said beside its field."""
        wrong: list[Field] = []
        for position, answer in zip(self.asked, self.answers, strict=True):
            answer.settle()
            if answer.value.strip().lower() != self._words[position]:
                answer.problem(FormText.NOT_THAT_WORD.format(number=position + 1))
                wrong.append(answer)
        again = self.passphrase_again
        if again is not None:
            again.settle()
            if again.value.strip() != self._passphrase:
                again.problem(FormText.NOT_THE_PASSPHRASE.value)
                wrong.append(again)
        if wrong:
            wrong[0].entry.focus_set()
        return not wrong

    def settle(self) -> None:
        self.problem_line.configure(text=" ", style="Error.TLabel")
