"""The page of one's own devices: what it lists, what it asks before a change, and what comes of it."""

from __future__ import annotations

import pytest

from coterie.base.ids import DeviceId
from coterie.client.events import Device, OwnDeviceQuestion
from coterie.screens.asking import Answer
from coterie.screens.devices_page import NAME, SECRET, DeviceAction
from coterie.screens.page_intents import ChangeDevice, DeviceChange, ReadDevices
from coterie.screens.page_texts import PageText
from coterie.screens.pages import PageId, PageRow, Prompt
from coterie.screens.signals import PageShown, PromptShown, QuestionShown
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, PASSWORD, RECOVERY_KEY, Street

LAPTOP, PHONE, OLD = (DeviceId(bytes([number] * 16)) for number in (1, 2, 3))


@pytest.fixture
def street() -> Street:
    street = Street()
    for device, name, this, revoked, recovered in (
        (LAPTOP, "laptop", True, False, False),
        (PHONE, "", False, False, True),
        (OLD, "old", False, True, False),
    ):
        street.own_devices[device] = Device(device, name, this, NOON_MS, revoked, recovered)
    return street


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.DEVICES))
    return screen


def row(screen: Screen, device: DeviceId) -> PageRow:
    return next(each for each in screen.last(PageShown).page.rows if each.key == device.hex())


def act(screen: Screen, device: DeviceId, action: DeviceAction) -> Prompt:
    screen.apply(screen.presenter.act_on_page(device.hex(), action.value))
    prompt = screen.last(PromptShown).prompt
    assert prompt is not None
    return prompt


def test_live_ones_stand_first_with_what_can_be_done(screen: Screen) -> None:
    rows = screen.last(PageShown).page.rows
    assert [each.key for each in rows] == ["live", LAPTOP.hex(), PHONE.hex(), "gone", OLD.hex()]
    assert "this device" in row(screen, LAPTOP).value
    assert row(screen, PHONE).name == PageText.UNNAMED.value
    assert row(screen, PHONE).note == PageText.BY_RECOVERY.value
    assert [each.name for each in row(screen, LAPTOP).actions] == ["rename"]
    assert [each.name for each in row(screen, PHONE).actions] == ["rename", "revoke", "lose"]
    assert row(screen, OLD).actions == ()


def test_nothing_is_removed_before_the_password_is_right(screen: Screen, street: Street) -> None:
    prompt = act(screen, PHONE, DeviceAction.REVOKE)
    assert [(each.name, each.secret) for each in prompt.fields] == [(SECRET, True)]
    screen.apply(screen.presenter.answer_prompt({SECRET: " "}))
    assert screen.last(PromptShown).problem == "All fields are required"
    screen.apply(screen.presenter.answer_prompt({SECRET: "wrong"}))
    assert screen.last(PromptShown) == PromptShown(prompt, "This is not right. Please try again")
    assert not street.own_devices[PHONE].revoked
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert street.own_devices[PHONE].revoked
    assert screen.last(PromptShown) == PromptShown(None)
    assert row(screen, PHONE).actions == ()


def test_where_no_password_opens_the_keys_the_recovery_key_is_asked_for(
    screen: Screen, street: Street
) -> None:
    """Its words are known by their number."""
    street.without_secret = True
    act(screen, PHONE, DeviceAction.RENAME)
    screen.apply(screen.presenter.answer_prompt({NAME: "phone", SECRET: PASSWORD}))
    assert screen.last(PromptShown).problem == "On this device it takes the recovery key"
    screen.apply(screen.presenter.answer_prompt({NAME: "phone", SECRET: " ".join(["word"] * 24)}))
    assert screen.last(PromptShown).problem == "This is not right. Please try again"
    screen.apply(screen.presenter.answer_prompt({NAME: "phone", SECRET: RECOVERY_KEY}))
    assert row(screen, PHONE).name == "phone"


def test_what_was_typed_stands_in_no_repr() -> None:
    assert "hidden" not in repr(ChangeDevice(DeviceChange.REVOKE, PHONE, "", "hidden"))


def test_a_mark_is_ended(screen: Screen, street: Street) -> None:
    street.own_devices[PHONE] = Device(PHONE, "phone", False, NOON_MS, False, False, marked=True)
    screen.apply(screen.presenter.open_page(PageId.DEVICES))
    assert row(screen, PHONE).note == PageText.BY_RECOVERY.value
    assert [each.name for each in row(screen, PHONE).actions][-1] == "unmark"
    act(screen, PHONE, DeviceAction.UNMARK)
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert row(screen, PHONE).note == ""
    assert [each.name for each in row(screen, PHONE).actions][-1] == "lose"


def test_after_a_loss_the_page_says_what_else_to_do(screen: Screen) -> None:
    act(screen, PHONE, DeviceAction.LOSE)
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert screen.last(PageShown).page.about == PageText.LOSS_ABOUT.value


def test_a_device_in_question_is_denied_from_the_question(street: Street) -> None:
    phone = street.own_devices[PHONE]
    street.asked_about = [phone]
    screen = Screen(street)
    screen.begin()
    assert screen.last(QuestionShown).subject == PHONE
    screen.apply(screen.presenter.answer_question(PHONE, Answer.NO))
    assert row(screen, PHONE).note == PageText.ASKED.value
    prompt = screen.last(PromptShown).prompt
    assert prompt is not None
    assert prompt.confirm == PageText.THAT_WAS_NOT_ME.value
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    assert street.own_devices[PHONE].revoked
    assert street.asked_about == []
    assert screen.last(QuestionShown).subject is None


def test_a_device_in_question_is_confirmed_on_the_page(street: Street) -> None:
    street.asked_about = [street.own_devices[PHONE]]
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.DEVICES))
    assert [each.name for each in row(screen, PHONE).actions][:2] == ["confirm", "deny"]
    screen.apply(screen.presenter.act_on_page(PHONE.hex(), DeviceAction.CONFIRM.value))
    assert row(screen, PHONE).note == PageText.BY_RECOVERY.value
    assert screen.last(QuestionShown).subject is None


def test_what_happens_meanwhile_is_seen_and_a_closed_page_stays_closed(
    screen: Screen, street: Street
) -> None:
    before = screen.count(ReadDevices)
    screen.apply(screen.presenter.take(OwnDeviceQuestion(street.own_devices[PHONE])))
    assert screen.count(ReadDevices) == before + 1
    act(screen, PHONE, DeviceAction.REVOKE)
    screen.apply(screen.presenter.cancel_prompt())
    screen.apply(screen.presenter.answer_prompt({SECRET: PASSWORD}))
    screen.apply(screen.presenter.close_page())
    shown = sum(isinstance(each, PageShown) for each in screen.shown)
    screen.apply(screen.presenter.take(OwnDeviceQuestion(street.own_devices[PHONE])))
    screen.apply(screen.presenter.act_on_page(PHONE.hex(), DeviceAction.REVOKE.value))
    assert sum(isinstance(each, PageShown) for each in screen.shown) == shown
    assert screen.count(ChangeDevice) == 0
