"""The pages about trust on the display: codes, emoji, buttons, words, and an account that goes away."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path
from tkinter import ttk

import pytest

from coterie.client.events import Comparison, ComparisonStep, EmojiToCompare, VerificationAsked
from coterie.desktop.app import Stage
from coterie.desktop.bridge import Bridge
from coterie.desktop.forms.figures import EmojiGrid
from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.main_window import MainWindow
from coterie.desktop.page_view import PageView
from coterie.desktop.prompt_view import PromptView
from coterie.screens.account_page import NAME, SECRET
from coterie.screens.pages import PageId
from tests.desktop.desk import Desk
from tests.desktop.house import House
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import PASSWORD, RECOVERY_KEY, Street
from tests.screens.trusting import EMOJI

LONG_NAME = "phone \U0001f4f1 " + "of mine " * 6


@pytest.fixture
def view(root: tk.Tk, bridge: Bridge, wait: Wait) -> StreetWindow:
    return StreetWindow(root, bridge, wait, Street())


def opened(view: StreetWindow, keys: str) -> PageView:
    """The page that these keys open, once its rows are drawn."""
    view.focus()
    view.window.composer.text.event_generate(keys)
    view.wait(lambda: view.window.overlays.page is not None)
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: bool(page.list.rows) and not page.list.waiting)
    view.root.update()
    return page


def asked(view: StreetWindow) -> PromptView:
    view.wait(lambda: view.window.overlays.prompt is not None)
    prompt = view.window.overlays.prompt
    assert prompt is not None
    return prompt


def labels(widget: tk.Misc) -> list[str]:
    own = [str(widget.cget("text"))] if isinstance(widget, ttk.Label) else []
    return own + [text for child in widget.winfo_children() for text in labels(child)]


def with_bob(view: StreetWindow) -> None:
    view.window.apply(view.presenter.address("bob"))
    view.wait(lambda: view.presenter.selected == view.street.direct("bob"))
    view.settle()


def test_the_header_leads_to_the_code_of_somebody(view: StreetWindow) -> None:
    with_bob(view)
    view.window.header.event_generate("<Button-1>", x=30, y=15)
    view.wait(lambda: view.window.overlays.page is not None)
    page = view.window.overlays.page
    assert page is not None
    assert isinstance(page.figure, tk.Canvas)
    assert page.figure.winfo_reqwidth() > 100
    view.wait(lambda: view.street.safety_number("bob") in view.words(page.list))
    view.root.update()
    assert view.pixel(page.figure, 2, 2) == "#ffffff"


def test_emoji_are_compared_with_buttons(view: StreetWindow) -> None:
    with_bob(view)
    page = opened(view, "<Control-Key-i>")
    page.buttons["compare"].invoke()
    view.wait(lambda: list(page.buttons) == ["end"])
    view.street.comparisons["bob"] = Comparison(ComparisonStep.COMPARING, EMOJI)
    view.take([EmojiToCompare(view.street.person("bob"), EMOJI)])
    view.wait(lambda: isinstance(page.figure, EmojiGrid))
    assert page.figure is not None
    assert [text for text in labels(page.figure) if text] == [each.name for each in EMOJI]
    view.assert_safe()
    same = page.buttons["same"]
    same.focus_force()
    view.wait(lambda: view.root.focus_get() is same)
    same.event_generate("<Return>")
    view.wait(lambda: "match bob" in view.street.calls)
    view.wait(lambda: list(page.buttons) == ["end"])
    assert page.figure is not None


def test_who_wants_to_compare_is_answered_above_the_talk(view: StreetWindow) -> None:
    view.street.comparisons["bob"] = Comparison(ComparisonStep.INVITED, ())
    view.take([VerificationAsked(view.street.person("bob"))])
    bar = view.window.question
    view.wait(bar.yes.winfo_ismapped)
    assert str(bar.yes.cget("text")) == "Compare emoji"
    bar.yes.invoke()
    view.wait(lambda: "verify bob" in view.street.calls)
    view.wait(lambda: view.window.overlays.page is not None)
    assert not bar.yes.winfo_ismapped()


def test_what_a_page_is_about_takes_the_lines_it_needs(view: StreetWindow) -> None:
    view.street.wants_to_join(LONG_NAME)
    view.window.apply(view.presenter.open_page(PageId.JOINING))
    view.wait(lambda: view.window.overlays.page is not None)
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: len(view.words(page.about)) > 1)
    assert page.about.winfo_reqheight() > page.title.winfo_reqheight()
    view.assert_safe()


def test_words_of_a_new_recovery_key_stand_in_a_grid(view: StreetWindow) -> None:
    opened(view, "<Control-Shift-Key-A>")
    view.window.apply(view.presenter.act_on_page("recovery", "new-recovery"))
    prompt = asked(view)
    prompt.fields[SECRET].entry.insert(0, PASSWORD)
    prompt.submit()
    view.wait(lambda: view.window.overlays.prompt is not prompt)
    shown = asked(view)
    assert [text for text in labels(shown) if text in RECOVERY_KEY.split()] == RECOVERY_KEY.split()
    shown.confirm.invoke()
    view.wait(lambda: view.window.overlays.prompt is not shown)
    back = asked(view)
    assert not set(labels(back)) & set(RECOVERY_KEY.split())
    for place, field in back.fields.items():
        field.entry.insert(0, RECOVERY_KEY.split()[int(place)])
    back.submit()
    view.wait(lambda: view.window.overlays.prompt is None)
    assert view.street.recovery_key is None


def test_an_account_that_is_removed_leads_back_to_the_entrance(
    display: str, tmp_path: Path, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COTERIE_THEME", "dark")
    house = House(tmp_path)
    desk = Desk(house, tmp_path, failures)
    try:
        form = desk.screen(SignUpForm)
        for field, text in ((form.name, "alice"), (form.password, PASSWORD), (form.confirm, PASSWORD)):
            field.entry.insert(0, text)
        form.submit()
        desk.keep_recovery_key()
        window = desk.screen(MainWindow)
        desk.until(lambda: window.presenter.selected is not None)
        window.apply(window.presenter.open_page(PageId.ACCOUNT))
        desk.until(lambda: window.overlays.page is not None)
        window.apply(window.presenter.act_on_page("sign-out", "wipe"))
        desk.until(lambda: window.overlays.prompt is not None)
        assert window.overlays.prompt is not None
        window.overlays.prompt.fields[NAME].entry.insert(0, "alice")
        window.overlays.prompt.submit()
        desk.screen(SignUpForm)
        assert house.guests[0].calls == ["wipe"]
        assert house.guests[0].closed
        assert desk.app.me is None
        assert desk.app.stage is Stage.ENTRANCE
    finally:
        desk.app.end()
    assert not failures
