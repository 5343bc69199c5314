"""The form for a machine that has nothing: its code is shown, emoji are compared, a no leaves nothing."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.client.emoji import emoji_of
from coterie.desktop.forms.approval import ApprovalForm, Step
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import FormState
from coterie.screens.doors import Opened
from coterie.screens.form_texts import FormText
from tests.desktop.house import House

Wait = Callable[[Callable[[], bool]], None]
TypeInto = Callable[[Field, str], None]
Show = Callable[[Callable[[tk.Misc], ApprovalForm]], ApprovalForm]

PASSWORD = "correct horse battery staple 77"
SEVEN = emoji_of(range(30, 37))


@pytest.fixture
def went() -> list[str]:
    return []


@pytest.fixture
def form(show: Show, entrance: Entrance, went: list[str]) -> ApprovalForm:
    return show(lambda parent: ApprovalForm(parent, entrance, back=lambda: went.append("back")))


def labels(widget: tk.Misc) -> list[str]:
    """What a part of the screen says."""
    own = [str(widget.cget("text"))] if isinstance(widget, ttk.Label) else []
    return own + [text for child in widget.winfo_children() for text in labels(child)]


def pictures(widget: tk.Misc) -> list[str]:
    """The images that a part of the screen shows."""
    own = [str(widget.cget("image"))] if isinstance(widget, ttk.Label) and widget.cget("image") else []
    return own + [name for child in widget.winfo_children() for name in pictures(child)]


def asked(form: ApprovalForm, type_into: TypeInto, wait: Wait) -> None:
    type_into(form.name, "alice")
    type_into(form.password, PASSWORD)
    type_into(form.confirm, PASSWORD)
    form.main.invoke()
    wait(lambda: form.step is Step.WAIT)


def test_the_code_is_shown_until_it_has_arrived(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House, opened: list[Opened]
) -> None:
    asked(form, type_into, wait)
    (request,) = house.requests
    assert request.code in "-".join(labels(form._page)[1:])
    assert form.state is FormState.WORKING
    request.answers(())
    wait(lambda: bool(opened))
    assert house.calls[-1] == "join alice"
    assert form.password.value == ""


def test_seven_emoji_are_compared_as_pictures_and_names(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House, opened: list[Opened]
) -> None:
    asked(form, type_into, wait)
    house.requests[0].answers(SEVEN)
    wait(lambda: form.step is Step.COMPARE)
    shown = [text for text in labels(form._page) if text]
    assert shown == [each.name for each in SEVEN]
    assert len(pictures(form._page)) == 7
    assert not opened
    form.main.invoke()
    wait(lambda: bool(opened))


def test_other_emoji_close_it_and_say_so(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House, opened: list[Opened]
) -> None:
    asked(form, type_into, wait)
    house.requests[0].answers(SEVEN)
    wait(lambda: form.step is Step.COMPARE)
    form.cancel.invoke()
    wait(lambda: house.requests[0].closed)
    assert form.step is Step.ASK
    assert str(form.problem_line.cget("text")) == FormText.DIFFERENT_EMOJI.value
    assert not opened
    assert form.name.value == "alice"


def test_who_cancels_while_waiting_may_ask_again(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House
) -> None:
    asked(form, type_into, wait)
    form.cancel.invoke()
    wait(lambda: form.step is Step.ASK and house.requests[0].closed)
    form.main.invoke()
    wait(lambda: len(house.requests) == 2)


def test_what_is_missing_or_weak_is_said_beside_its_field(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House
) -> None:
    form.main.invoke()
    assert str(form.problem_line.cget("text")) == FormText.ALL_REQUIRED.value
    type_into(form.name, "alice")
    type_into(form.password, "password")
    type_into(form.confirm, "passwort")
    form.main.invoke()
    assert house.calls == []
    form.confirm.clear()
    type_into(form.confirm, "password")
    form.main.invoke()
    wait(lambda: form.state is FormState.EDITING and bool(house.calls))
    assert form.step is Step.ASK
    assert house.requests == []


def test_a_window_that_goes_asks_no_more(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House
) -> None:
    asked(form, type_into, wait)
    form.destroy()
    wait(lambda: house.requests[0].closed)


def test_who_is_refused_in_the_end_may_ask_again(
    form: ApprovalForm, type_into: TypeInto, wait: Wait, house: House, opened: list[Opened]
) -> None:
    asked(form, type_into, wait)
    house.fault = Refused(Code.NOT_APPROVED)
    house.requests[0].answers(())
    wait(lambda: form.step is Step.ASK and house.requests[0].closed)
    assert not opened
