from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import msgspec
import pytest

from coterie.desktop.bridge import Bridge
from coterie.desktop.canvas.laid import SpotKind
from coterie.screens.rows import MessageRow
from coterie.screens.signals import Place, Reset
from coterie.screens.theme import LIGHT
from tests.desktop.street_window import StreetWindow, Wait
from tests.screens.street import Street

Open = Callable[[Street], StreetWindow]
ITEMS_MAX = 400


@pytest.fixture
def open_window(root: tk.Tk, bridge: Bridge, wait: Wait) -> Open:
    return lambda street: StreetWindow(root, bridge, wait, street)


def talk(street: Street, count: int) -> None:
    for number in range(count):
        street.arrive(
            ("bob", "carol")[number % 2], street.everyone, f"text {number} " + "and more " * (number % 20)
        )
    street.read[street.everyone] = 10**9


def tops(view: StreetWindow) -> dict[str, int]:
    """Where each seen row begins."""
    rows = view.timeline.view.rows
    return {rows[index].key: y for index, y in view.timeline.view.place()}


def spot_of(view: StreetWindow, kind: SpotKind) -> tuple[int, int]:
    """The middle of the first place on the canvas where a click means this."""
    for index, top in view.timeline.view.place():
        for spot in view.timeline.laid(view.timeline.view.rows[index]).spots:
            if spot.kind is kind:
                return (spot.x + spot.right) // 2, top + (spot.y + spot.bottom) // 2
    raise AssertionError(kind)


def click(canvas: tk.Canvas, x: int, y: int) -> None:
    canvas.event_generate("<Button-1>", x=x, y=y)
    canvas.event_generate("<ButtonRelease-1>", x=x, y=y)


def drag(view: StreetWindow, start: tuple[int, int], end: tuple[int, int]) -> None:
    canvas = view.timeline.canvas
    canvas.event_generate("<Button-1>", x=start[0], y=start[1])
    canvas.event_generate("<B1-Motion>", x=(start[0] + end[0]) // 2, y=(start[1] + end[1]) // 2)
    canvas.event_generate("<B1-Motion>", x=end[0], y=end[1])
    canvas.event_generate("<ButtonRelease-1>", x=end[0], y=end[1])
    view.settle()


def test_of_ten_thousand_messages_only_what_is_seen_is_drawn(open_window: Open) -> None:
    street = Street()
    talk(street, 200)
    view = open_window(street)
    row = next(row for row in view.timeline.view.rows if isinstance(row, MessageRow))
    view.timeline.change(Reset(Place.TIMELINE, tuple(_numbered(row, number) for number in range(10_000))))
    view.settle()
    assert 20 < len(view.timeline.canvas.find_all()) < ITEMS_MAX
    for _ in range(30):
        view.timeline.page(-1)
        view.settle()
        assert len(view.timeline.canvas.find_all()) < ITEMS_MAX


def _numbered(row: MessageRow, number: int) -> MessageRow:
    return msgspec.structs.replace(row, key=f"key{number}", order=number)


def test_bubbles_have_the_colours_of_the_theme_and_round_corners(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "hello there")
    street.write(street.everyone, "hello yourself")
    street.read[street.everyone] = 9
    view = open_window(street)
    colours, spacing = view.window.kit.colours, view.window.kit.spacing
    canvas, seen = view.timeline.canvas, tops(view)
    theirs, own = view.timeline.view.rows[1], view.timeline.view.rows[2]
    y = seen[theirs.key] + spacing.group_gap
    middle = y + 25
    assert view.pixel(canvas, spacing.gutter + 3, middle) == colours.incoming
    assert view.pixel(canvas, spacing.gutter, y) == colours.window
    assert view.pixel(canvas, spacing.gutter - 3, middle) == colours.window
    right = canvas.winfo_width() - spacing.timeline_margin
    y = seen[own.key] + spacing.group_gap
    assert view.pixel(canvas, right - 3, y + 15) == colours.outgoing
    assert view.pixel(canvas, right - 1, y) == colours.window
    view.window.retheme(LIGHT)
    view.settle()
    assert view.pixel(canvas, right - 3, y + 15) == LIGHT.colours.outgoing
    assert view.pixel(canvas, spacing.gutter - 3, middle) == LIGHT.colours.window


def test_the_newest_stays_in_view_while_it_is_in_view(open_window: Open) -> None:
    street = Street()
    talk(street, 60)
    view = open_window(street)
    view.take(street.arrive("bob", street.everyone, "the newest of all"))
    view.settle()
    assert "the newest of all" in view.words(view.timeline.canvas)
    view.timeline.scroll(-300)
    view.settle()
    before = tops(view)
    view.take(street.arrive("carol", street.everyone, "not seen yet"))
    view.settle()
    assert tops(view) == before
    assert "not seen yet" not in view.words(view.timeline.canvas)
    view.timeline.to_end()
    view.settle()
    assert "not seen yet" in view.words(view.timeline.canvas)


def test_an_older_page_moves_nothing_that_is_seen(open_window: Open) -> None:
    street = Street()
    talk(street, 500)
    view = open_window(street)
    loaded = len(view.timeline.view.rows)
    view.timeline.to_start()
    view.timeline.render()
    before = tops(view)
    view.wait(lambda: len(view.timeline.view.rows) > loaded)
    view.settle()
    after = tops(view)
    kept = [key for key in before if key in after and not key.startswith("day:")]
    assert len(kept) > 3
    assert len({after[key] - before[key] for key in kept}) == 1


def test_the_wheel_and_the_keys_scroll(open_window: Open) -> None:
    street = Street()
    talk(street, 100)
    view = open_window(street)
    canvas = view.timeline.canvas
    assert view.at_end()
    canvas.event_generate("<Button-4>", x=10, y=10)
    assert not view.at_end()
    canvas.event_generate("<Button-5>", x=10, y=10)
    assert view.at_end()
    view.focus()
    view.window.composer.text.event_generate("<Prior>")
    assert not view.at_end()
    view.window.composer.text.event_generate("<Control-End>")
    assert view.at_end()


def test_resizing_wraps_anew_and_keeps_the_end(open_window: Open) -> None:
    street = Street()
    talk(street, 60)
    view = open_window(street)
    view.root.geometry("640x600")
    view.wait(lambda: view.timeline.canvas.winfo_width() < 400)
    assert view.at_end()
    assert view.words(view.timeline.canvas)
    assert view.timeline.canvas.bbox("row")[2] <= view.timeline.canvas.winfo_width()


def test_links_open_with_their_host_shown_before(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "see https://example.org/notes and @carol")
    view = open_window(street)
    x, y = spot_of(view, SpotKind.LINK)
    canvas = view.timeline.canvas
    canvas.event_generate("<Motion>", x=x, y=y)
    assert view.window.composer.line.text == "Opens example.org in your browser"
    assert view.opened == []
    click(canvas, x, y)
    assert view.opened == ["https://example.org/notes"]


def test_a_click_on_a_person_addresses_them(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "hi")
    view = open_window(street)
    click(view.timeline.canvas, *spot_of(view, SpotKind.PERSON))
    assert view.presenter.selected == street.direct("bob")


def test_a_long_message_is_shown_whole_on_a_click_and_drawn_in_part(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "\n".join(f"line {number}" for number in range(2_000)))
    street.read[street.everyone] = 9
    view = open_window(street)
    click(view.timeline.canvas, *spot_of(view, SpotKind.MORE))
    view.settle()
    view.timeline.to_end()
    view.settle()
    assert "line 1999" in view.words(view.timeline.canvas)
    assert len(view.timeline.canvas.find_all()) < ITEMS_MAX
    view.timeline.scroll(-10_000)
    view.settle()
    shown = view.words(view.timeline.canvas)
    assert "line 1999" not in shown
    assert any(text.startswith("line 14") for text in shown)


def test_marked_text_is_copied_with_its_emoji(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "alpha beta 👍🏽 gamma")
    street.read[street.everyone] = 9
    view = open_window(street)
    row = view.timeline.view.rows[1]
    line = view.timeline.laid(row).lines[0]
    y = tops(view)[row.key] + line.y + 8
    drag(view, (line.x, y), (line.x + line.line.width, y))
    assert view.window.pointer.marked_text() == "alpha beta 👍🏽 gamma"
    view.window.pointer.copy()
    assert view.root.clipboard_get() == "alpha beta 👍🏽 gamma"
    colour = view.window.kit.colours.selection
    assert view.pixel(view.timeline.canvas, line.x + 1, tops(view)[row.key] + line.y + 1) == colour
    view.window.pointer.clear()
    view.settle()
    assert view.window.pointer.marked_text() == ""


def test_a_double_click_marks_a_word(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "alpha beta gamma")
    street.read[street.everyone] = 9
    view = open_window(street)
    row = view.timeline.view.rows[1]
    line = view.timeline.laid(row).lines[0]
    x = line.x + view.window.kit.faces[line.face].width("alpha be")
    for _ in range(2):
        click(view.timeline.canvas, x, tops(view)[row.key] + line.y + 8)
    assert view.window.pointer.marked_text() == "beta"


def test_several_messages_are_copied_with_who_and_when(open_window: Open) -> None:
    street = Street()
    street.arrive("bob", street.everyone, "one")
    street.arrive("carol", street.everyone, "two")
    street.read[street.everyone] = 9
    view = open_window(street)
    canvas = view.timeline.canvas
    drag(view, (60, tops(view)[view.timeline.view.rows[1].key] + 2), (600, canvas.winfo_height() - 2))
    assert view.window.pointer.marked_text() == "[12:01] bob: one\n[12:02] carol: two"


STRANGE = [
    "😀" * 300,
    "שלום (test 123) עולם",
    "مرحبا بالعالم",
    "हिन्दी ไทย 你好 𝔘𝔫𝔦 ❤ ✔",
    "z\u0316" * 500,
    "a\u202eb" * 100,
    "x" * 3_000,
    "`" * 3_000,
    " " * 3_000 + "end",
    "\x00\x1b\ufffe\ue000\U000f0000",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 👨\u200d👩\u200d👧",
]


def test_strange_texts_are_drawn_and_none_reaches_a_widget_raw(open_window: Open) -> None:
    street = Street()
    for text in STRANGE:
        street.arrive("bob", street.everyone, text)
    view = open_window(street)
    for _ in range(12):
        view.assert_safe()
        view.timeline.page(-1)
        view.settle()
    right = view.timeline.canvas.bbox("row")[2]
    assert right <= view.timeline.canvas.winfo_width()
