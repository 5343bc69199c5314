from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.base.ids import DeviceId
from coterie.client.events import Device, LinkChanged, LinkState, OwnDeviceQuestion
from coterie.desktop.bridge import Bridge
from coterie.desktop.main_window import MainWindow
from coterie.screens.presenter import Presenter
from coterie.screens.rows import MessageRow, Tick, UnreadRow
from coterie.screens.theme import DARK, LIGHT, Theme
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import NOON_MS, Street

Open = Callable[..., StreetWindow]


@pytest.fixture
def open_window(root: tk.Tk, bridge: Bridge, wait: Wait) -> Open:
    return lambda street, theme=DARK: StreetWindow(root, bridge, wait, street, theme)


def messages(view: StreetWindow) -> list[MessageRow]:
    return [row for row in view.timeline.view.rows if isinstance(row, MessageRow)]


def test_it_opens_on_everyone_and_says_what_holds(open_window: Open) -> None:
    view = open_window(Street())
    assert view.words(view.window.header)[0] == "Everyone"
    assert "end-to-end encrypted" in view.words(view.window.header)[1]


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_its_grounds_have_the_colours_of_the_theme(open_window: Open, theme: Theme) -> None:
    view, colours = open_window(Street(), theme), theme.colours
    window = view.window
    assert view.pixel(window.header, 3, 3) == colours.panel
    assert view.pixel(window.header, 3, window.header.winfo_height() - 1) == colours.divider
    assert view.pixel(window.timeline.canvas, 3, 3) == colours.window
    assert view.pixel(window.composer.text, 200, 3) == colours.panel
    assert view.pixel(window.sidebar.search, 200, 3) == colours.field
    assert view.pixel(window.sidebar.menu, 2, 2) == colours.panel
    assert view.pixel(window, window.kit.spacing.list_width, 300) == colours.divider


def test_in_a_narrow_window_the_list_gives_way(open_window: Open) -> None:
    view = open_window(Street())
    sidebar = view.window.sidebar
    for width, wanted in ((900, 300), (500, 190), (300, 160), (900, 300)):
        view.root.geometry(f"{width}x600")
        view.wait(lambda width=width: view.window.winfo_width() == width)  # type: ignore[misc]  # a default of a lambda
        view.settle()
        assert (sidebar.winfo_width(), sidebar.list.winfo_width()) == (wanted, wanted)
        assert view.words(sidebar.list)[0].startswith("Every")


def test_what_is_said_is_queued_then_sent(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.focus()
    view.window.composer.insert("hello")
    view.window.composer.text.event_generate("<Return>")
    view.wait(lambda: bool(messages(view)))
    assert messages(view)[0].tick is Tick.QUEUED
    view.take(street.sent(street.messages[street.everyone][0]))
    assert messages(view)[0].tick is Tick.SENT
    view.settle()


def test_a_text_addressed_to_somebody_goes_there_from_anywhere(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.focus()
    view.window.composer.insert("@bob psst")
    view.window.composer.text.event_generate("<Return>")
    view.wait(lambda: view.window.composer.line.text == "Sent to bob alone")
    assert list(street.messages) == [street.direct("bob")]
    view.wait(lambda: view.window.sidebar.list.rows[0].title == "bob")


def test_who_comes_and_goes_is_told(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.take(street.presence("bob", True))
    view.take(street.presence("bob", False))
    view.settle()
    assert view.words(view.timeline.canvas) == ["bob connected", "bob left the chat"]


def test_the_state_of_the_connection_stands_below_the_list(open_window: Open) -> None:
    view = open_window(Street())
    view.take([LinkChanged(LinkState.CONNECTING)])
    assert view.window.sidebar.status.text == "connecting ..."
    view.settle()
    assert view.words(view.window.sidebar.status) == ["connecting ..."]
    view.take([LinkChanged(LinkState.LIVE)])
    view.settle()
    assert view.words(view.window.sidebar.status) == []


def test_what_is_seen_with_the_keyboard_in_the_window_is_read(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.focus()
    view.settle()
    view.take(street.arrive("bob", street.everyone, "hi"))
    view.wait(lambda: street.read.get(street.everyone) == 1)
    assert not [row for row in view.timeline.view.rows if isinstance(row, UnreadRow)]


def test_what_arrives_above_the_fold_begins_an_unread_line(open_window: Open) -> None:
    street = Street()
    for number in range(80):
        street.arrive("bob", street.everyone, f"text {number}")
    street.read[street.everyone] = 80
    view = open_window(street)
    view.focus()
    view.timeline.scroll(-500)
    view.settle()
    view.take(street.arrive("bob", street.everyone, "new"))
    view.settle()
    assert [row.text for row in view.timeline.view.rows if isinstance(row, UnreadRow)] == ["1 unread message"]
    assert street.read[street.everyone] == 80
    view.timeline.to_end()
    view.wait(lambda: street.read[street.everyone] == 81)


def test_an_unread_conversation_opens_at_its_first_unread_message(open_window: Open) -> None:
    street = Street()
    for number in range(120):
        street.arrive("bob", street.direct("bob"), f"text {number}")
    street.read[street.direct("bob")] = 40
    view = open_window(street)
    view.select(street.direct("bob"))
    view.wait(lambda: len(messages(view)) == 120)
    view.settle()
    assert view.words(view.timeline.canvas)[0] == "80 unread messages"


def test_the_keyboard_does_everything(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.focus()
    text = view.window.composer.text
    order = [row.conversation for row in view.window.sidebar.list.rows]
    text.event_generate("<Alt-Down>")
    view.wait(lambda: view.presenter.selected == order[1])
    text.event_generate("<Alt-Up>")
    view.wait(lambda: view.presenter.selected == order[0])
    view.take(street.arrive("carol", street.direct("carol"), "hi"))
    text.event_generate("<Alt-Shift-Down>")
    view.wait(lambda: view.presenter.selected == street.direct("carol"))
    text.event_generate("<Control-slash>")
    view.settle()
    shown = [str(label.cget("text")) for label in _labels(view.window)]
    assert "Find a conversation" in shown
    assert "Ctrl+K" in shown
    text.event_generate("<Escape>")
    view.settle()
    assert "Ctrl+K" not in [str(label.cget("text")) for label in _labels(view.window)]


def _labels(widget: tk.Misc) -> list[tk.Label]:
    found = [widget] if isinstance(widget, tk.Label) else []
    for child in widget.winfo_children():
        found += _labels(child)
    return found


def test_a_letter_typed_over_the_timeline_is_meant_for_the_message(open_window: Open) -> None:
    view = open_window(Street())
    view.focus()
    view.timeline.canvas.focus_force()
    view.wait(lambda: view.root.focus_get() is view.timeline.canvas)
    view.timeline.canvas.event_generate("<Key-h>")
    view.wait(lambda: view.window.composer.text.text() == "h")


def test_after_it_is_gone_signals_do_nothing(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    view.take(street.arrive("bob", street.everyone, "hi"))
    view.window.destroy()
    view.take(street.arrive("bob", street.everyone, "late"))
    view.root.update()


def test_a_second_window_on_the_same_root_is_whole(open_window: Open, root: tk.Tk, bridge: Bridge) -> None:
    view = open_window(Street())
    view.window.destroy()
    second = MainWindow(root, Presenter(view.street), DARK, bridge.run)
    second.pack()
    root.update()
    second.composer.insert("a😀")
    assert second.composer.text.text() == "a😀"


def test_a_device_in_question_stands_above_the_talk_until_it_is_confirmed(open_window: Open) -> None:
    street = Street()
    view = open_window(street)
    bar = view.window.question
    assert not bar.yes.winfo_ismapped()
    device = Device(DeviceId(b"d" * 16), "Linux computer", False, NOON_MS, False, True)
    street.asked_about = [device]
    view.take([OwnDeviceQuestion(device)])
    view.wait(bar.yes.winfo_ismapped)
    view.settle()
    assert "Was this you?" in view.words(bar.line)[0]
    assert "Linux computer" in view.words(bar.detail)[0]
    assert bar.winfo_rooty() >= view.window.header.winfo_rooty() + view.window.header.winfo_height() - 1
    bar.yes.invoke()
    view.wait(lambda: not street.asked_about)
    view.settle()
    assert bar.line.text == ""
    assert not bar.yes.winfo_ismapped()
    assert bar.winfo_height() <= 1
