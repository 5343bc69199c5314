"""The question over a page: what is asked, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from coterie.base.codes import Code
from coterie.screens.form_texts import FormText, refusal_text
from coterie.screens.intents import Intent
from coterie.screens.page_texts import PAGE_REFUSALS
from coterie.screens.pages import Prompt
from coterie.screens.signals import Batch, PromptShown

Answer = Mapping[str, str]
"""What was typed, by the names of the fields. It is handed on, and kept nowhere here."""
Then = Callable[[Answer, Batch], Intent | str | None]
"""What an answer asks for, or what is wrong with it; None: it led to another question."""
Refusals = Mapping[Code, str]
"""What a code means where something is asked."""


class Prompting:
    """One question at a time."""

    def __init__(self) -> None:
        self._prompt: Prompt | None = None
        self._then: Then | None = None
        self._waiting: Intent | None = None
        self._refusals: Refusals = {}

    def ask(self, prompt: Prompt, then: Then, batch: Batch, refusals: Refusals | None = None) -> None:
        """Put a question, in the place of one that is there."""
        self._prompt, self._then, self._waiting = prompt, then, None
        self._refusals = refusals or {}
        batch.show(PromptShown(prompt))

    def answer(self, answer: Answer, batch: Batch) -> None:
        """It is answered."""
        if self._prompt is None or self._then is None:
            return
        if any(not answer.get(field.name, "").strip() for field in self._prompt.fields):
            batch.show(PromptShown(self._prompt, FormText.ALL_REQUIRED.value))
            return
        wanted = self._then(answer, batch)
        if wanted is None:
            return
        if isinstance(wanted, str):
            batch.show(PromptShown(self._prompt, wanted))
            return
        self._waiting = wanted
        batch.show(PromptShown(self._prompt, busy=True))
        batch.ask(wanted)

    def done(self, intent: Intent, batch: Batch) -> None:
        """Something was carried out: what asked for it goes away."""
        if self._waiting is not None and intent == self._waiting:
            self.cancel(batch)

    def failed(self, intent: Intent, code: Code, batch: Batch) -> bool:
        """Something was not: whether it was asked for here, and why not is said here."""
        if self._prompt is None or self._waiting is None or intent != self._waiting:
            return False
        self._waiting = None
        batch.show(PromptShown(self._prompt, self._refusals.get(code) or page_refusal(code)))
        return True

    def cancel(self, batch: Batch) -> None:
        """Nothing is asked any more."""
        if self._prompt is not None:
            self._prompt = self._then = self._waiting = None
            batch.show(PromptShown(None))


def page_refusal(code: Code) -> str:
    """Why something did not work that a page asked for."""
    return PAGE_REFUSALS.get(code) or refusal_text(code)
