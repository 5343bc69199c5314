"""How many messages may be under way: at first, as they are taken, and after `busy`."""

from __future__ import annotations

from coterie.client.core.window import FIRST, LEAST, MOST, Window


def used(window: Window, times: int) -> None:
    for _ in range(times):
        window.accepted(window.size)


def test_it_opens_by_one_with_each_that_is_taken_up_to_its_most() -> None:
    window = Window()
    assert window.size == FIRST
    used(window, 1)
    assert window.size == FIRST + 1
    used(window, MOST)
    assert window.size == MOST


def test_what_is_not_used_does_not_open() -> None:
    window = Window()
    for _ in range(MOST):
        window.accepted(FIRST // 2)
    assert window.size == FIRST
    window.accepted(FIRST // 2 + 1)
    assert window.size == FIRST + 1


def test_whoever_has_said_all_begins_narrow_again() -> None:
    window = Window()
    used(window, MOST)
    window.accepted(2)
    assert window.size == MOST
    window.accepted(1)
    assert window.size == FIRST


def test_it_is_half_as_wide_after_each_busy_and_never_nothing() -> None:
    window = Window()
    window.narrow()
    assert window.size == FIRST // 2
    for _ in range(20):
        window.narrow()
    assert window.size == LEAST


def test_after_busy_it_opens_by_one_with_each_window_that_was_taken() -> None:
    window = Window()
    for _ in range(20):
        window.narrow()
    used(window, LEAST - 1)
    assert window.size == LEAST
    used(window, 1)
    assert window.size == LEAST + 1
    used(window, LEAST)
    assert window.size == LEAST + 1
    used(window, MOST * MOST)
    assert window.size == MOST
