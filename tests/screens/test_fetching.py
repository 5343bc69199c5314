"""What is on its way again stands in its place, and makes room for what comes."""

from __future__ import annotations

import pytest

from coterie.client.events import Fetching, Message, MessageArrived, MessagesFetching
from coterie.screens.rows import MessageRow, NoticeRow
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, Street


@pytest.fixture
def street() -> Street:
    return Street()


def told(street: Street, *places: tuple[int, int]) -> MessagesFetching:
    bob = street.person("bob").name
    return MessagesFetching(
        street.everyone, "everyone", tuple(Fetching(order, count, bob, NOON_MS) for order, count in places)
    )


def lines(screen: Screen) -> list[str]:
    """Texts and notices, in their order."""
    return [row.text for row in screen.timeline if isinstance(row, (MessageRow, NoticeRow))]


def around(street: Street) -> Message:
    """Texts one to three; returns two, which is not here."""
    for text in ("one", "two", "three"):
        street.arrive("bob", street.everyone, text)
    return street.messages[street.everyone].pop(1)


def test_it_stands_between_what_is_here_and_is_replaced_by_what_comes(street: Street) -> None:
    two = around(street)
    screen = Screen(street)
    screen.begin()
    screen.take([told(street, (two.order, 1))])
    assert lines(screen) == ["one", "fetching a message of bob ...", "three"]
    screen.take([MessageArrived(two), told(street)])
    assert lines(screen) == ["one", "two", "three"]


def test_what_is_told_before_the_rows_are_read_stands_among_them(street: Street) -> None:
    two = around(street)
    street.arrive("bob", street.direct("bob"), "hello")
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.select(street.direct("bob")))
    screen.take([told(street, (two.order, 7))])
    screen.apply(screen.presenter.select(street.everyone))
    assert lines(screen) == ["one", "fetching 7 messages of bob ...", "three"]
    screen.take([told(street, (two.order, 6))])
    assert lines(screen) == ["one", "fetching 6 messages of bob ...", "three"]


def test_it_may_be_the_newest_and_what_comes_stands_behind_it(street: Street) -> None:
    two = around(street)
    three = street.messages[street.everyone].pop()
    street.arrive("bob", street.direct("bob"), "hello")
    screen = Screen(street)
    screen.begin()
    screen.take([told(street, (two.order, 1)), MessageArrived(three)])
    assert lines(screen) == ["one", "fetching a message of bob ...", "three"]
    screen.apply(screen.presenter.select(street.direct("bob")))
    screen.apply(screen.presenter.select(street.everyone))
    assert lines(screen).count("fetching a message of bob ...") == 1


def test_nothing_stands_before_the_part_that_is_here(street: Street) -> None:
    for number in range(1300):
        street.arrive("bob", street.everyone, f"text {number}")
    old = street.messages[street.everyone].pop(3)
    screen = Screen(street)
    screen.begin()
    screen.take([told(street, (old.order, 1))])
    assert "fetching a message of bob ..." not in lines(screen)
