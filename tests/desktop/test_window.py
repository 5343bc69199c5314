"""The window: its title, its notices, and errors in callbacks that say nothing of what was typed."""

from __future__ import annotations

import logging
import tkinter as tk
from collections.abc import Callable, Iterator

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.desktop.window import Window, open_root
from coterie.screens.theme import DARK, LIGHT

Pixel = Callable[[tk.Misc, int, int], str]


@pytest.fixture
def window(root: tk.Tk) -> Iterator[Window]:
    """Without the fixture's hook for errors: the window brings its own."""
    report = root.report_callback_exception
    yield Window(root, DARK, lambda: None)
    root.report_callback_exception = report


@pytest.mark.parametrize(
    ("about", "title"),
    [
        ("", "coterie"),
        ("alice", "alice - coterie"),
        ("😀ali\u202ece\n", "alice - coterie"),
        ("x" * 200, "x" * 80 + " - coterie"),
    ],
)
def test_the_title_is_plain_and_short(window: Window, about: str, title: str) -> None:
    window.title(about)
    assert window.root.title() == title


def test_screens_take_each_others_place(window: Window) -> None:
    first = window.show(tk.Frame)
    second = window.show(tk.Frame)
    assert not first.winfo_exists()
    assert window.screen is second


def test_an_error_is_logged_without_its_words_and_shown(
    window: Window, caplog: pytest.LogCaptureFixture
) -> None:
    def break_with(error: Exception) -> None:
        raise error

    with caplog.at_level(logging.ERROR, "coterie.desktop"):
        window.root.after(0, break_with, ValueError("my password"))
        window.root.update()
        window.root.after(0, break_with, Refused(Code.BUSY, "note"))
        window.root.update()
    assert "ValueError" in caplog.text
    assert "break_with" in caplog.text
    assert "Refused busy" in caplog.text
    assert "my password" not in caplog.text
    notices = [child for child in window.root.winfo_children() if child.winfo_class() == "TLabel"]
    assert len(notices) == 1
    assert "Refused busy" in str(notices[0].cget("text"))


def test_an_interrupt_is_passed_on(window: Window) -> None:
    with pytest.raises(KeyboardInterrupt):
        window.failed(KeyboardInterrupt, KeyboardInterrupt(), None)


def test_a_theme_changes_at_once(window: Window, root: tk.Tk, pixel: Pixel) -> None:
    root.update()
    assert pixel(root, 5, 5) == DARK.colours.window
    window.change(LIGHT)
    assert pixel(root, 5, 5) == LIGHT.colours.window


def test_the_icon_is_a_disc(window: Window) -> None:
    window.set_icon()
    icon = window.icon
    assert icon is not None
    assert icon.transparency_get(0, 0)
    assert not icon.transparency_get(32, 32)
    assert "#{:02x}{:02x}{:02x}".format(*icon.get(32, 4)) == DARK.colours.avatars[0]
    assert "#{:02x}{:02x}{:02x}".format(*icon.get(15, 32)) == DARK.colours.on_accent


def test_no_display_is_said_to_be_missing(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(Unavailable) as raised:
        open_root()
    assert raised.value.code is Code.MISSING_PART
