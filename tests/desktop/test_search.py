"""Searching in the window: keys and clicks, what is drawn, and where it leads."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.desktop.bridge import Bridge
from coterie.screens.intents import FOUND_ROWS
from coterie.screens.theme import DARK, LIGHT, Theme
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import Street

Open = Callable[..., StreetWindow]


@pytest.fixture
def open_window(root: tk.Tk, bridge: Bridge, wait: Wait) -> Open:
    return lambda street, theme=DARK: StreetWindow(root, bridge, wait, street, theme)


@pytest.fixture
def street() -> Street:
    street = Street()
    for number in range(500):
        street.arrive("bob", street.everyone, "the needle" if number == 100 else f"line {number}")
        street.arrive("carol", street.direct("carol"), f"straw {number}")
    street.read = {each: rows[-1].order for each, rows in street.messages.items()}
    return street


def search(view: StreetWindow, keys: str, words: str) -> None:
    """Press the keys in the text field and type the words, as a person does."""
    view.focus()
    view.window.composer.text.event_generate(keys)
    field = view.window.sidebar.search
    view.wait(lambda: view.root.focus_get() is field)
    for letter in words:
        field.event_generate("<Key>", keysym={" ": "space"}.get(letter, letter))
    view.settle()
    view.wait(lambda: not view.window.sidebar.waiting)


def marked(view: StreetWindow) -> str | None:
    """The key of the row that stands out in the timeline."""
    return next((key for key, drawn in view.timeline._drawn.items() if drawn.flashed), None)


def test_enter_leads_to_a_message_far_back_and_marks_it(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-f>", "needl")
    found = view.window.sidebar.found
    view.wait(lambda: len(found.rows) == 1)
    assert view.window.sidebar.found_line.text == "In Everyone  ·  1 message"
    view.window.sidebar.search.event_generate("<Return>")
    needle = street.messages[street.everyone][100]
    view.wait(lambda: marked(view) == needle.id.hex())
    drawn = view.timeline._drawn[needle.id.hex()]
    assert 0 < drawn.y < view.timeline.view.height - drawn.laid.height
    view.settle()
    assert view.pixel(view.timeline.canvas, 2, drawn.y + drawn.laid.height // 2) == DARK.colours.unread_line
    view.wait(lambda: marked(view) is None)
    assert view.root.focus_get() is view.window.sidebar.search


def test_from_there_scrolling_comes_back_to_the_newest(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-f>", "needle")
    view.wait(lambda: len(view.window.sidebar.found.rows) == 1)
    view.window.sidebar.search.event_generate("<Return>")
    view.wait(lambda: marked(view) is not None)
    view.settle()
    assert not view.timeline.view.at_end
    newest = street.messages[street.everyone][-1]

    def at_newest() -> bool:
        view.timeline.scroll(2_000)
        view.settle()
        return newest.id.hex() in view.timeline._drawn

    view.wait(at_newest)
    assert view.at_end()
    keys = [row.key for row in view.timeline.view.rows]
    assert len(keys) == len(set(keys))


def test_ctrl_end_comes_back_at_once(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-f>", "needle")
    view.wait(lambda: len(view.window.sidebar.found.rows) == 1)
    view.window.sidebar.search.event_generate("<Return>")
    view.wait(lambda: marked(view) is not None)
    view.window.sidebar.search.event_generate("<Control-End>")
    newest = street.messages[street.everyone][-1]
    view.wait(lambda: newest.id.hex() in view.timeline._drawn)
    assert view.at_end()


def test_everywhere_arrows_choose_and_enter_opens(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-Shift-F>", "straw")
    found = view.window.sidebar.found
    view.wait(lambda: len(found.rows) == FOUND_ROWS)
    assert not view.window.sidebar.list.winfo_ismapped()
    for _ in range(30):
        view.window.sidebar.search.event_generate("<Down>")
    view.window.sidebar.search.event_generate("<Up>")
    view.settle()
    assert [row.selected for row in found.rows].index(True) == 29
    assert found.rows[29].key in found._drawn
    assert len(found._drawn) < 15
    view.window.sidebar.search.event_generate("<Return>")
    view.wait(lambda: view.presenter.selected == street.direct("carol"))
    wanted = street.messages[street.direct("carol")][-30]
    view.wait(lambda: marked(view) == wanted.id.hex())


def test_scrolling_loads_what_else_was_found(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-Shift-F>", "straw")
    found = view.window.sidebar.found
    view.wait(lambda: len(found.rows) >= FOUND_ROWS)
    found.scroll(10**6)
    view.wait(lambda: len(found.rows) >= 2 * FOUND_ROWS)
    view.settle()


def test_a_click_on_a_found_message_leads_there_too(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-k>", "needle")
    found = view.window.sidebar.found
    view.wait(lambda: len(found.rows) == 1)
    assert view.window.sidebar.list.rows == []
    found.event_generate("<Button-1>", x=100, y=30)
    view.wait(lambda: marked(view) == street.messages[street.everyone][100].id.hex())


def test_escape_closes_it_and_the_list_is_whole_again(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-k>", "bob")
    sidebar = view.window.sidebar
    view.wait(lambda: len(sidebar.list.rows) == 1 and bool(sidebar.found.winfo_ismapped()))
    sidebar.search.event_generate("<Escape>")
    view.wait(lambda: view.root.focus_get() is view.window.composer.text)
    view.settle()
    assert (sidebar.search.text(), sidebar.found.rows, len(sidebar.list.rows)) == ("", [], 4)
    assert sidebar.list.winfo_ismapped()
    assert not sidebar.found.winfo_ismapped()
    assert sidebar.list.winfo_height() > 300


def test_a_search_that_is_open_takes_other_places(open_window: Open, street: Street) -> None:
    view = open_window(street)
    search(view, "<Control-f>", "straw")
    sidebar = view.window.sidebar
    view.wait(lambda: sidebar.found_line.text == "In Everyone  ·  nothing found")
    sidebar.search.event_generate("<Control-Shift-F>")
    view.wait(lambda: len(sidebar.found.rows) == FOUND_ROWS)
    assert sidebar.found_line.text == f"In all conversations  ·  more than {FOUND_ROWS} messages"


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_hits_are_marked_and_strangers_texts_are_safe(open_window: Open, theme: Theme) -> None:
    street = Street(neighbours=("שרה", "bob"))
    street.arrive("bob", street.direct("bob"), "🎉👨‍👩‍👧 needle ❤️ and more")
    street.arrive("שרה", street.direct("שרה"), "needle שלום, זה עובד (test 123)")
    view = open_window(street, theme)
    search(view, "<Control-Shift-F>", "needle")
    found = view.window.sidebar.found
    view.wait(lambda: len(found.rows) == 2)
    view.settle()
    view.assert_safe()
    call, path = found.tk.call, str(found)
    kinds = [item for item in found.find_all() if str(call(path, "type", item)) == "rectangle"]
    fills = [str(call(path, "itemcget", item, "-fill")) for item in kinds]
    assert fills.count(theme.colours.hit) == 2
    box = found.coords(kinds[fills.index(theme.colours.hit)])
    assert view.pixel(found, int(box[0]), int(box[1])) == theme.colours.hit
    view.window.retheme(LIGHT if theme is DARK else DARK)
    view.settle()
