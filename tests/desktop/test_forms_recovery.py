"""The step after sign-up: what is shown, what is asked back."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import ttk

import pytest

from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.recovery import RecoveryForm, Step
from coterie.e2ee.recovery import RecoveryKey, new_passphrase
from coterie.screens.theme import DARK

Wait = Callable[[Callable[[], bool]], None]
Press = Callable[..., None]
TypeInto = Callable[[Field, str], None]
Pixel = Callable[[tk.Misc, int, int], str]
Show = Callable[[Callable[[tk.Misc], RecoveryForm]], RecoveryForm]


@pytest.fixture
def words() -> str:
    return RecoveryKey.generate().words()


@pytest.fixture
def passphrase() -> str:
    return new_passphrase()


@pytest.fixture
def kept() -> list[bool]:
    return []


@pytest.fixture
def form(show: Show, entrance: Entrance, words: str, kept: list[bool]) -> RecoveryForm:
    return show(
        lambda parent: RecoveryForm(
            parent, entrance, recovery_key=words, passphrase=None, on_kept=lambda: kept.append(True)
        )
    )


@pytest.fixture
def both(show: Show, entrance: Entrance, words: str, passphrase: str, kept: list[bool]) -> RecoveryForm:
    return show(
        lambda parent: RecoveryForm(
            parent, entrance, recovery_key=words, passphrase=passphrase, on_kept=lambda: kept.append(True)
        )
    )


def labels(widget: tk.Misc) -> Iterator[str]:
    for child in widget.winfo_children():
        if isinstance(child, ttk.Label):
            yield str(child.cget("text"))
        yield from labels(child)


def buttons(widget: tk.Misc, text: str) -> list[ttk.Button]:
    found = [child for child in widget.winfo_children() if isinstance(child, ttk.Button)]
    deeper = [button for child in widget.winfo_children() for button in buttons(child, text)]
    return [button for button in found if button.cget("text") == text] + deeper


def test_the_words_stand_in_their_order_with_their_numbers(form: RecoveryForm, words: str) -> None:
    shown = [text for text in labels(form) if text]
    numbered = [word for number, word in enumerate(words.split(), 1) for word in (str(number), word)]
    at = shown.index("1")
    assert shown[at : at + 48] == numbered


def test_two_of_the_words_are_asked_back(
    form: RecoveryForm, type_into: TypeInto, press: Press, words: str, kept: list[bool]
) -> None:
    press(form.main, "<Return>")
    assert form.step is Step.ASKED
    assert len(set(form.asked)) == 2
    assert form.focus_get() is form.answers[0].entry
    assert not any(word in labels(form) for word in words.split())
    for position, answer in zip(form.asked, form.answers, strict=True):
        type_into(answer, words.split()[position])
    press(form.answers[1].entry, "<Return>")
    assert kept == [True]


def test_a_wrong_word_is_named_and_nothing_goes_on(
    form: RecoveryForm, wait: Wait, words: str, kept: list[bool]
) -> None:
    form.submit()
    wait(lambda: form.focus_get() is form.answers[0].entry)
    first, second = form.asked
    form.answers[0].put(f"  {words.split()[first].upper()} ")
    form.answers[1].put("zebra" if words.split()[second] != "zebra" else "zoo")
    form.submit()
    assert form.answers[0].line == ""
    assert form.answers[1].line == f"This is not word {second + 1}"
    assert form.focus_get() is form.answers[1].entry
    assert kept == []


def test_escape_and_the_link_show_the_words_again_and_others_are_asked(
    form: RecoveryForm, press: Press, words: str
) -> None:
    asked = set()
    for _ in range(8):
        form.submit()
        asked.add(form.asked)
        press(form.answers[0].entry, "<Escape>")
        assert form.step is Step.SHOWN
        assert words.split(maxsplit=1)[0] in labels(form)
    assert len(asked) > 1
    form.submit()
    form.again.invoke()
    assert form.step is Step.SHOWN


def test_escape_does_not_leave_the_step(form: RecoveryForm, press: Press, kept: list[bool]) -> None:
    press(form.main, "<Escape>")
    assert form.step is Step.SHOWN
    assert kept == []


def test_copying_puts_the_words_into_the_clipboard(form: RecoveryForm, words: str) -> None:
    buttons(form, "Copy")[0].invoke()
    assert form.clipboard_get() == words
    assert "Copied" in str(form.problem_line.cget("text"))


def test_a_generated_passphrase_is_shown_and_asked_back_too(
    both: RecoveryForm, words: str, passphrase: str, kept: list[bool]
) -> None:
    assert passphrase in labels(both)
    copies = buttons(both, "Copy")
    copies[0].invoke()
    assert both.clipboard_get() == passphrase
    both.submit()
    for position, answer in zip(both.asked, both.answers, strict=True):
        answer.put(words.split()[position])
    both.submit()
    assert kept == []
    again = both.passphrase_again
    assert again is not None
    assert again.line == "This is not your passphrase"
    again.put(f" {passphrase}")
    both.submit()
    assert kept == [True]


def test_the_clipboard_is_emptied_of_the_words_but_of_nothing_else(
    form: RecoveryForm, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coterie.desktop.forms.recovery.CLIPBOARD_MS", 1)
    passed: list[bool] = []

    def emptied() -> bool:
        try:
            form.clipboard_get()
        except tk.TclError:
            return True
        return False

    buttons(form, "Copy")[0].invoke()
    wait(emptied)
    buttons(form, "Copy")[0].invoke()
    form.clipboard_clear()
    form.clipboard_append("something else")
    form.after(20, passed.append, True)
    wait(lambda: bool(passed))
    assert form.clipboard_get() == "something else"


def test_the_card_is_drawn_with_the_tokens(form: RecoveryForm, pixel: Pixel, wait: Wait) -> None:
    colours = DARK.colours
    wait(lambda: form.body.winfo_width() > 100)
    form.update()
    left = form.body.winfo_x() - DARK.spacing.card_pad
    top = form.body.winfo_y() - DARK.spacing.card_pad + 4
    assert pixel(form, 2, 2) == colours.window
    assert pixel(form, left, top) == colours.window
    assert pixel(form, left + DARK.spacing.card_radius, top + 1) == colours.panel
    assert pixel(form, left + 1, top + DARK.spacing.card_radius) == colours.panel
    assert pixel(form.main, 4, form.main.winfo_height() // 2) == colours.accent
