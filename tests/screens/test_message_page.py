"""The page of one message: who has it, for whom it is on its way, and what is said where nobody says."""

from __future__ import annotations

import pytest

from coterie.base.ids import ConversationId, DeviceId, UserName
from coterie.client.events import Delivery, DeliveryState, MessageDelivered, MessageState
from coterie.screens.page_intents import ReadDelivery
from coterie.screens.page_texts import PageText
from coterie.screens.pages import Page
from coterie.screens.signals import PageShown
from tests.screens.screen import Screen
from tests.screens.street import Street

BOB = UserName("bob")
LAPTOP, PHONE, DESK = (DeviceId(bytes([number] * 16)) for number in (1, 2, 3))


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def talk(street: Street) -> ConversationId:
    return street.direct(BOB)


def opened(street: Street, talk: ConversationId, order: int | None = None) -> tuple[Screen, Page]:
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.select(talk))
    screen.apply(screen.presenter.open_message(order))
    return screen, screen.last(PageShown).page


def delivered(street: Street, order: int, *states: DeliveryState) -> None:
    names = (BOB, BOB, street.name)
    devices = ((LAPTOP, "laptop"), (PHONE, ""), (DESK, "desk"))
    street.delivered_to[order] = tuple(
        Delivery(name, device, called, state)
        for name, (device, called), state in zip(names, devices, states, strict=True)
    )


def test_each_device_says_how_it_stands_with_it(street: Street, talk: ConversationId) -> None:
    message = street.write(talk, "see you at seven", state=MessageState.DELIVERED)
    delivered(street, message.order, DeliveryState.RECEIVED, DeliveryState.UNDERWAY, DeliveryState.LEFT_OUT)
    _, page = opened(street, talk, message.order)
    assert (page.title, page.about) == (PageText.WHO_HAS_IT.value, PageText.WHO_HAS_IT_ABOUT.value)
    assert page.rows[0].name == "see you at seven"
    assert [(row.name, row.value) for row in page.rows[1:]] == [
        ("bob's laptop", PageText.HAS_IT.value),
        ("bob's device", PageText.ON_ITS_WAY.value),
        ("your desk", PageText.OWED.value),
    ]


def test_without_an_order_it_is_the_newest_of_ones_own(street: Street, talk: ConversationId) -> None:
    street.write(talk, "first")
    street.write(talk, "second")
    street.arrive(BOB, talk, "an answer")
    _, page = opened(street, talk)
    assert page.rows[0].name == "second"


def test_what_became_of_it_is_read_again_when_something_came_of_it(
    street: Street, talk: ConversationId
) -> None:
    message = street.write(talk, "see you at seven", state=MessageState.SENT)
    delivered(street, message.order, *[DeliveryState.UNDERWAY] * 3)
    screen, _ = opened(street, talk, message.order)
    delivered(street, message.order, *[DeliveryState.RECEIVED] * 3)
    screen.take([MessageDelivered(message)])
    assert screen.count(ReadDelivery) == 2
    assert {row.value for row in screen.last(PageShown).page.rows[1:]} == {PageText.HAS_IT.value}


@pytest.mark.parametrize(
    ("state", "about"),
    [
        (MessageState.QUEUED, PageText.STILL_HERE),
        (MessageState.UNSURE, PageText.PERHAPS_SENT),
        (MessageState.SENT, PageText.NOBODY_SAYS),
    ],
)
def test_where_no_device_says_so_its_state_does(
    street: Street, talk: ConversationId, state: MessageState, about: PageText
) -> None:
    street.write(talk, "hello", state=state)
    _, page = opened(street, talk)
    assert page.about == about.value
    assert len(page.rows) == 1


def test_who_has_written_nothing_is_told_so(street: Street, talk: ConversationId) -> None:
    _, page = opened(street, talk)
    assert page.about == PageText.NOTHING_WRITTEN.value


def test_a_long_message_is_shown_by_its_beginning(street: Street, talk: ConversationId) -> None:
    street.write(talk, "word " * 1000)
    _, page = opened(street, talk)
    assert len(page.rows[0].name) < 90
    assert page.rows[0].name.endswith("\u2026")
