"""The page that lets a new device in: nothing goes to it before its emoji or its code were compared."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import DeviceId
from coterie.screens.admission import Admission
from coterie.screens.devices_page import DeviceAction
from coterie.screens.joining_page import CODE, SECRET, JoiningAction
from coterie.screens.page_intents import ApproveJoiner, LookForJoiners, StopLooking
from coterie.screens.page_texts import PageText
from coterie.screens.pages import EmojiRow, Page, PageId, Prompt
from coterie.screens.signals import PageShown, PromptShown
from tests.screens.screen import Screen
from tests.screens.street import PASSWORD, Street
from tests.screens.trusting import EMOJI, OneJoiner


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    return screen


def look(screen: Screen) -> Page:
    screen.apply(screen.presenter.open_page(PageId.DEVICES))
    press(screen, DeviceAction.ADD)
    return page(screen)


def listed(screen: Screen) -> list[Page]:
    """The pages that named devices."""
    pages = [each.page for each in screen.shown if isinstance(each, PageShown)]
    return [each for each in pages if len(each.rows) > 1 and each.title == PageText.JOINING.value]


def looking(street: Street) -> bool:
    """Whether anybody hears of devices that want to join."""
    return street.looking


def page(screen: Screen) -> Page:
    return screen.last(PageShown).page


def press(screen: Screen, action: str, key: str = "") -> None:
    screen.apply(screen.presenter.act_on_page(key, action))


def prompt(screen: Screen) -> Prompt:
    shown = screen.last(PromptShown).prompt
    assert shown is not None
    return shown


def compared(screen: Screen, joiner: OneJoiner) -> None:
    look(screen)
    press(screen, JoiningAction.COMPARE, joiner.device.hex())


def test_those_that_want_to_join_are_listed_as_strangers(screen: Screen, street: Street) -> None:
    phone = street.wants_to_join("phone")
    look(screen)
    rows = listed(screen)[-1].rows
    assert [(row.key, row.name) for row in rows[1:]] == [(phone.device.hex(), "phone")]
    assert rows[1].value == PageText.JOINER.value


def test_it_is_let_in_after_the_emoji_and_the_password(screen: Screen, street: Street) -> None:
    phone = street.wants_to_join("phone")
    compared(screen, phone)
    assert page(screen).figure == EmojiRow(EMOJI)
    press(screen, JoiningAction.SAME)
    assert prompt(screen).about == PageText.LET_IN_ABOUT.value
    screen.apply(screen.presenter.answer_prompt({SECRET: "wrong"}))
    assert screen.last(PromptShown).problem == "This is not right. Please try again"
    assert street.calls == []
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert phone.approved
    assert page(screen).title == PageText.DEVICES.value
    assert not looking(street)


def test_other_emoji_give_nothing(screen: Screen, street: Street) -> None:
    phone = street.wants_to_join("phone")
    compared(screen, phone)
    press(screen, JoiningAction.DIFFERENT)
    assert screen.last(PageShown).problem == PageText.DIFFERENT_JOINER.value
    assert phone.gone
    assert not phone.approved
    press(screen, JoiningAction.SAME)
    assert screen.count(ApproveJoiner) == 0


def test_a_stranger_is_sent_away(screen: Screen, street: Street) -> None:
    phone = street.wants_to_join("phone")
    look(screen)
    press(screen, JoiningAction.DECLINE, phone.device.hex())
    assert phone.gone


def test_one_that_is_gone_is_said_to_be(screen: Screen, street: Street) -> None:
    phone = street.wants_to_join("phone")
    phone.gone = True
    compared(screen, phone)
    assert screen.last(PageShown).problem.startswith("This was not approved")
    assert page(screen).figure is None


def test_by_its_code_no_emoji_are_needed(screen: Screen, street: Street) -> None:
    look(screen)
    phone = street.wants_to_join("phone")
    press(screen, JoiningAction.ENTER_CODE)
    screen.apply(screen.presenter.answer_prompt({CODE: " right code "}))
    assert prompt(screen).title == PageText.LET_IN_TITLE.format(device="phone")
    assert street.code_given
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert phone.approved


def test_what_is_no_code_is_said_and_one_can_look_again(screen: Screen, street: Street) -> None:
    look(screen)
    press(screen, JoiningAction.ENTER_CODE)
    screen.apply(screen.presenter.answer_prompt({CODE: "nonsense"}))
    assert screen.last(PageShown).problem == PageText.NO_CODE.value
    assert not looking(street)
    street.wants_to_join("phone")
    press(screen, JoiningAction.LOOK_AGAIN)
    assert listed(screen)[-1].rows[1].name == "phone"


def test_nobody_looks_once_the_page_is_closed(screen: Screen, street: Street) -> None:
    look(screen)
    assert looking(street)
    screen.apply(screen.presenter.close_page())
    assert not looking(street)
    assert screen.count(StopLooking) == 1


def test_what_comes_of_an_earlier_look_is_not_shown(screen: Screen, street: Street) -> None:
    look(screen)
    asked = [each for each in screen.asked if isinstance(each, LookForJoiners)]
    screen.apply(screen.presenter.close_page())
    look(screen)
    again = [each for each in screen.asked if isinstance(each, LookForJoiners)]
    assert [each.number for each in again] == [1, 2]
    assert again[0] == asked[0]


@pytest.mark.asyncio
async def test_one_that_calls_itself_what_another_does_takes_no_place() -> None:
    street = Street()
    first, second = street.wants_to_join("phone"), OneJoiner(street, DeviceId(bytes(16)), "other")
    street.joining += [OneJoiner(street, first.device, "phone"), second]
    admission = Admission(street)
    await admission.look(None)
    assert await admission.next() is first
    assert await admission.next() is second
    await admission.compare(first.device)
    assert first.compared
    await admission.stop()
    with pytest.raises(Refused) as refused:
        await admission.compare(first.device)
    assert refused.value.code is Code.NOT_APPROVED
    with pytest.raises(Refused):
        await admission.next()
