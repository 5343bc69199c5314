from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.client.events import PersonAppeared
from coterie.desktop.bridge import Bridge
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.person_mark import MARK_GAP, MARK_PX
from coterie.desktop.conversation_list import TITLE_Y
from coterie.desktop.header import LEFT_PX
from coterie.desktop.header import TITLE_Y as HEADER_Y
from coterie.screens.rows import ListRow
from coterie.screens.theme import LIGHT
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import Street

Open = Callable[[Street], StreetWindow]


@pytest.fixture
def open_window(root: tk.Tk, bridge: Bridge, wait: Wait) -> Open:
    return lambda street: StreetWindow(root, bridge, wait, street)


def middle_of(view: StreetWindow, title: str) -> int:
    """The height of the middle of the row with this title."""
    rows = view.window.sidebar.list.rows
    index = [row.title for row in rows].index(title)
    return round((index + 0.5) * view.window.kit.spacing.list_row)


def row_of(view: StreetWindow, title: str) -> ListRow:
    return next(row for row in view.window.sidebar.list.rows if row.title == title)


def test_everybody_stands_there_with_what_was_said_last(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.direct("bob"), "see you 🎉 there")
    view = open_window(street)
    words = view.words(view.window.sidebar.list)
    assert words[:2] == ["B", "bob"] or words[:2] == ["bob", "12:01"]
    assert {"bob", "12:01", "Everyone", "carol", "offline", "1"} <= set(words)
    assert "see you " in words
    view.assert_safe()


def test_a_click_opens_and_marks_the_row(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    conversations, y = view.window.sidebar.list, middle_of(view, "carol")
    conversations.event_generate("<Button-1>", x=150, y=y)
    view.settle()
    assert view.presenter.selected == street.direct("carol")
    assert row_of(view, "carol").selected
    assert view.pixel(conversations, 2, y) == view.window.kit.colours.selected
    assert view.pixel(conversations, 2, middle_of(view, "Everyone")) == view.window.kit.colours.panel


def test_the_row_under_the_pointer_is_lit(open_window: Open) -> None:
    view = open_window(Street())
    conversations, y = view.window.sidebar.list, middle_of(view, "bob")
    conversations.event_generate("<Motion>", x=100, y=y)
    view.settle()
    assert view.pixel(conversations, 2, y) == view.window.kit.colours.hover
    conversations.event_generate("<Leave>", x=100, y=y)
    view.settle()
    assert view.pixel(conversations, 2, y) == view.window.kit.colours.panel


def test_presence_is_a_dot_and_unread_a_badge(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    colours, spacing = view.window.kit.colours, view.window.kit.spacing
    conversations = view.window.sidebar.list
    edge = spacing.list_margin + spacing.list_avatar - spacing.presence_dot // 2
    for online, colour in ((True, colours.online), (False, colours.offline)):
        view.take(street.presence("bob", online))
        view.settle()
        below = middle_of(view, "bob") + spacing.list_avatar // 2 - spacing.presence_dot // 2
        assert view.pixel(conversations, edge - 1, below - 1) == colour
    view.take(street.arrive("bob", street.direct("bob"), "hi"))
    view.settle()
    left = spacing.list_width - spacing.list_margin - 18
    assert view.pixel(conversations, left, middle_of(view, "bob") + 12) == colours.accent


def test_a_mark_stands_behind_the_name_and_above_the_conversation(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    kit, conversations = view.window.kit, view.window.sidebar.list
    view.select(street.everyone)
    edge = MARK_PX // 2 - 1
    for events, colour in (
        (street.verified("bob"), kit.colours.verified),
        ([PersonAppeared(street.change("bob"))], kit.colours.changed),
    ):
        view.take(events)
        view.settle()
        bold = kit.faces[FaceName.BOLD]
        left = 2 * kit.spacing.list_margin + kit.spacing.list_avatar + bold.width("bob") + MARK_GAP
        top = middle_of(view, "bob") - kit.spacing.list_row // 2 + TITLE_Y + (bold.line - MARK_PX) // 2
        assert view.pixel(conversations, left + 2, top + edge) == colour
        view.select(street.direct("bob"))
        view.settle()
        heading = kit.faces[FaceName.HEADING]
        left = LEFT_PX + heading.width("bob") + MARK_GAP
        top = HEADER_Y + (heading.line - MARK_PX) // 2
        assert view.pixel(view.window.header, left + 2, top + edge) == colour
        view.select(street.everyone)


def test_of_a_thousand_people_only_those_seen_are_drawn(open_window: Open) -> None:
    street = Street(neighbours=[f"person{number}" for number in range(1_000)])
    view = open_window(street)
    conversations = view.window.sidebar.list
    assert len(conversations.rows) == 1_002
    assert len(conversations.find_all()) < 150
    conversations.scroll(30_000)
    view.settle()
    assert len(conversations.find_all()) < 150
    assert conversations.row_at(10) is not conversations.rows[0]
    conversations.event_generate("<Button-4>", x=5, y=5)
    conversations.scroll(10**9)
    view.settle()
    last = conversations.row_at(conversations.winfo_height() - 2)
    assert last is not None
    assert last.title == "Notes to yourself"


def test_search_narrows_it_and_enter_opens_the_first(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    search = view.window.sidebar.search
    view.focus()
    view.window.composer.text.event_generate("<Control-k>")
    view.wait(lambda: view.root.focus_get() is search)
    for key in "car":
        search.event_generate(f"<Key-{key}>")
    view.wait(lambda: [row.title for row in view.window.sidebar.list.rows] == ["carol"])
    search.event_generate("<Return>")
    view.wait(lambda: view.presenter.selected == street.direct("carol"))
    view.settle()
    assert search.text() == ""
    assert len(view.window.sidebar.list.rows) == 4


def test_names_of_any_script_are_drawn(open_window: Open) -> None:
    street = Street(neighbours=("שרה", "महेश", "𐐨𐐩", "李雷"))
    view = open_window(street)
    view.assert_safe()
    view.window.retheme(LIGHT)
    view.settle()
    assert view.pixel(view.window.sidebar.list, 2, middle_of(view, "שרה")) == LIGHT.colours.panel
