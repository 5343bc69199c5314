"""A page over the window: it opens by its keys, shows its rows, gives values to the clipboard, goes away."""

from __future__ import annotations

import tkinter as tk

import pytest

from coterie.base.ids import DeviceId
from coterie.client.events import Device, FramesSent
from coterie.desktop.bridge import Bridge
from coterie.desktop.page_view import PageView
from coterie.desktop.prompt_view import PromptView
from coterie.screens.theme import DARK, LIGHT
from coterie.wire.frames import Accept, Ping
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import NOON_MS, PASSWORD, Street


@pytest.fixture
def view(root: tk.Tk, bridge: Bridge, wait: Wait) -> StreetWindow:
    street = Street()
    bob = street.person("bob").account
    street.sent_frames = [FramesSent(NOON_MS, (Ping(nonce),), 9) for nonce in range(40)]
    street.sent_frames.append(FramesSent(NOON_MS, (Accept(1, bob),), 77))
    return StreetWindow(root, bridge, wait, street)


def opened(view: StreetWindow) -> PageView:
    """The page, by its keys, once it is drawn."""
    view.focus()
    view.window.composer.text.event_generate("<Control-Shift-Key-S>")
    view.wait(lambda: view.window.overlays.page is not None)
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: bool(page.list.rows) and not page.list.waiting)
    view.root.update()
    return page


def test_it_shows_what_was_sent_and_why(view: StreetWindow) -> None:
    page = opened(view)
    assert view.words(page.title) == ["What the server sees"]
    words = view.words(page.list)
    assert "Whose messages are wanted" in words
    assert any(word.startswith("@bob") for word in words)
    assert page.winfo_width() == view.window.winfo_width()
    assert len(words) < 4 * len(page.list.rows)


def test_a_click_copies_the_value(view: StreetWindow) -> None:
    page = opened(view)
    at = next(index for index, row in enumerate(page.list.rows) if row.name == "account")
    page.list.event_generate("<Button-1>", x=300, y=at * page.list.row_height + 5)
    assert view.root.clipboard_get().startswith("@bob")
    assert view.words(page.about) == ["Copied: account"]


def test_keys_scroll_it_and_escape_gives_the_keyboard_back(view: StreetWindow) -> None:
    page = opened(view)
    view.wait(lambda: view.root.focus_get() is page.list)
    page.list.event_generate("<Key>", keysym="End")
    view.wait(lambda: not page.list.waiting)
    assert "Whose messages are wanted" not in view.words(page.list)
    page.list.event_generate("<Key>", keysym="Escape")
    view.wait(lambda: view.root.focus_get() is view.window.composer.text)
    assert view.window.overlays.page is None


@pytest.mark.parametrize("close", [True, False])
def test_it_follows_the_theme(view: StreetWindow, close: bool) -> None:
    page = opened(view)
    if close:
        page.close.invoke()
    view.window.retheme(LIGHT)
    view.settle()
    if close:
        assert view.window.overlays.page is None
        return
    view.wait(lambda: not page.list.waiting)
    view.root.update()
    assert DARK.colours.panel != LIGHT.colours.panel
    assert view.pixel(page.list, page.list.winfo_width() - 3, 3) == LIGHT.colours.field


PHONE = DeviceId(b"p" * 16)


@pytest.fixture
def with_phone(view: StreetWindow) -> StreetWindow:
    view.street.own_devices[PHONE] = Device(PHONE, "phone \U0001f4f1", False, NOON_MS, False, False)
    return view


def asked_to_remove(view: StreetWindow) -> PromptView:
    """The prompt, by keys: the page, down to the phone, its menu, the second entry."""
    view.focus()
    view.window.composer.text.event_generate("<Control-Shift-Key-D>")
    view.wait(lambda: view.window.overlays.page is not None)
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: view.root.focus_get() is page.list)
    for key in ("Down", "Down", "Return"):
        page.list.event_generate("<Key>", keysym=key)
    labels = [str(page.menu.entrycget(place, "label")) for place in range(4)]
    assert labels == ["Rename", "Remove", "Lost or stolen", "Copy"]
    view.wait(lambda: view.root.focus_get() is page.menu)
    for key in ("Down", "Down", "Return"):
        page.menu.event_generate("<Key>", keysym=key)
    view.wait(lambda: view.window.overlays.prompt is not None)
    prompt = view.window.overlays.prompt
    assert prompt is not None
    view.wait(lambda: view.root.focus_get() is prompt.fields["secret"].entry)
    return prompt


def test_a_device_is_removed_after_the_password(with_phone: StreetWindow) -> None:
    view = with_phone
    prompt = asked_to_remove(view)
    entry = prompt.fields["secret"].entry
    entry.insert(0, "wrong")
    entry.event_generate("<Return>")
    view.wait(lambda: str(prompt.problem.cget("text")).startswith("This is not right"))
    assert entry.get() == "wrong"
    entry.delete(0, "end")
    entry.insert(0, PASSWORD)
    prompt.confirm.invoke()
    view.wait(lambda: view.window.overlays.prompt is None)
    assert view.street.own_devices[PHONE].revoked
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: "Removed" in view.words(page.list))


def test_escape_takes_the_question_away_and_then_the_page(with_phone: StreetWindow) -> None:
    view = with_phone
    prompt = asked_to_remove(view)
    prompt.fields["secret"].entry.event_generate("<Escape>")
    assert view.window.overlays.prompt is None
    page = view.window.overlays.page
    assert page is not None
    view.wait(lambda: view.root.focus_get() is page.list)
    page.list.event_generate("<Escape>")
    assert view.window.overlays.page is None
    assert not view.street.own_devices[PHONE].revoked
