from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.limits import TEXT_BYTES
from coterie.desktop.bridge import Bridge
from coterie.desktop.safe_text import SafeText
from coterie.screens.i18n import refusal
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import Street

Open = Callable[[Street], StreetWindow]
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.fixture
def open_window(root: tk.Tk, bridge: Bridge, wait: Wait) -> Open:
    return lambda street: StreetWindow(root, bridge, wait, street)


@pytest.fixture
def view(open_window: Open) -> StreetWindow:
    view = open_window(Street())
    view.focus()
    return view


def field(view: StreetWindow) -> SafeText:
    return view.window.composer.text


def type_in(view: StreetWindow, text: str) -> None:
    for char in text:
        names = {" ": "space", "@": "at"}
        field(view).event_generate(f"<Key-{names.get(char, char)}>")


def paste(view: StreetWindow, text: str) -> None:
    view.root.clipboard_clear()
    view.root.clipboard_append(text)
    field(view).event_generate("<<Paste>>")
    view.root.update()


def test_enter_sends_and_empties_the_field(view: StreetWindow) -> None:
    type_in(view, "hello")
    field(view).event_generate("<Return>")
    view.wait(lambda: view.street.messages.get(view.street.everyone) is not None)
    view.wait(lambda: "hello" in view.words(view.timeline.canvas))
    assert field(view).text() == ""
    assert [each.text for each in view.street.messages[view.street.everyone]] == ["hello"]


def test_shift_and_enter_begin_a_line_and_the_field_grows(view: StreetWindow) -> None:
    height = view.window.composer.winfo_height()
    type_in(view, "one")
    field(view).event_generate("<Shift-Return>")
    type_in(view, "two")
    view.settle()
    assert field(view).text() == "one\ntwo"
    assert view.window.composer.winfo_height() > height
    assert view.street.messages == {}


def test_a_click_on_the_arrow_sends(view: StreetWindow) -> None:
    type_in(view, "hi")
    view.window.composer.arrow.event_generate("<Button-1>", x=20, y=20)
    view.wait(lambda: view.street.messages != {})


@pytest.mark.parametrize(
    "text", [f"a 😀 b {FAMILY} 🇫🇷 👍🏽", "❤\ufe0f 1\ufe0f\u20e3 ❤", "x𝔘y", "שלום हिन्दी", "one\n\ttwo"]
)
def test_pasted_text_comes_back_as_it_was_and_nothing_coloured_reaches_tk(
    view: StreetWindow, text: str
) -> None:
    paste(view, text)
    assert field(view).text() == text
    view.assert_safe()
    field(view).event_generate("<Return>")
    view.wait(lambda: view.street.messages != {})
    assert view.street.messages[view.street.everyone][0].text == text


def test_what_can_mislead_is_left_out_of_what_is_pasted(view: StreetWindow) -> None:
    paste(view, "invoice\u202efdp.exe\r\nend\x01")
    assert field(view).text() == "invoicefdp.exe\nend\N{SYMBOL FOR START OF HEADING}"


def test_emoji_are_copied_and_cut_as_emoji(view: StreetWindow) -> None:
    paste(view, "a😀b")
    field(view).tag_add("sel", "1.0", "end-1c")
    field(view).event_generate("<<Copy>>")
    assert view.root.clipboard_get() == "a😀b"
    view.root.clipboard_clear()
    field(view).event_generate("<<Cut>>")
    assert view.root.clipboard_get() == "a😀b"
    assert field(view).text() == ""


def test_what_was_typed_can_be_taken_back_with_its_emoji(view: StreetWindow) -> None:
    paste(view, "a😀b")
    field(view).tag_add("sel", "1.0", "end-1c")
    field(view).event_generate("<<Cut>>")
    view.root.update()
    field(view).event_generate("<<Undo>>")
    view.root.update()
    assert field(view).text() == "a😀b"
    field(view).event_generate("<<Undo>>")
    view.root.update()
    assert field(view).text() == ""


def test_more_than_a_message_holds_is_not_pasted(view: StreetWindow) -> None:
    paste(view, "x" * (TEXT_BYTES + 1))
    assert field(view).text() == ""
    assert view.window.composer.line.text == refusal(Code.TOO_LARGE)


def test_a_text_that_nobody_may_get_stays_where_it_was_typed(view: StreetWindow) -> None:
    type_in(view, "@bbo secret")
    field(view).event_generate("<Return>")
    view.wait(lambda: view.window.composer.line.text == refusal(Code.UNKNOWN_PERSON))
    assert field(view).text() == "@bbo secret"
    assert view.street.messages == {}
    colours = view.window.kit.colours
    assert view.pixel(view.window.composer.line, 2, 2) == colours.panel
    type_in(view, "x")
    view.wait(lambda: view.window.composer.line.text == "")


def test_what_was_typed_meanwhile_is_kept_behind_a_text_that_returns(view: StreetWindow) -> None:
    view.street.refuses = Refused(Code.TOO_LARGE)
    type_in(view, "first")
    view.window.composer.submit()
    type_in(view, "next")
    view.wait(lambda: field(view).text() == "first\nnext")


def test_each_conversation_has_its_draft(view: StreetWindow) -> None:
    type_in(view, "for all")
    view.select(view.street.direct("bob"))
    assert field(view).text() == ""
    type_in(view, "for bob")
    view.select(view.street.everyone)
    view.wait(lambda: field(view).text() == "for all")
    view.wait(lambda: view.street.drafts.get(view.street.direct("bob")) == "for bob")


def test_a_draft_is_stored_when_the_person_pauses(view: StreetWindow) -> None:
    type_in(view, "half")
    view.wait(lambda: view.street.drafts.get(view.street.everyone) == "half")


def test_the_hint_goes_while_something_stands_there(view: StreetWindow) -> None:
    hint = next(child for child in field(view).winfo_children() if isinstance(child, tk.Label))
    assert hint.winfo_ismapped()
    type_in(view, "x")
    view.wait(lambda: not hint.winfo_ismapped())
    field(view).event_generate("<BackSpace>")
    view.wait(lambda: bool(hint.winfo_ismapped()))
