"""The page to know somebody by: what stands there, what is asked first, and how comparing goes."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import DeviceId
from coterie.client.events import (
    Comparison,
    ComparisonStep,
    Device,
    EmojiToCompare,
    EndReason,
    IdentityChanged,
    VerificationAsked,
    VerificationEnded,
)
from coterie.e2ee.fingerprint import SafetyCode
from coterie.screens.asking import Answer
from coterie.screens.i18n import Text, refusal, say
from coterie.screens.page_intents import PersonStep, StepWithPerson
from coterie.screens.page_texts import PageText
from coterie.screens.pages import EmojiRow, Page, QrCode
from coterie.screens.person_page import SHOWN, PersonAction
from coterie.screens.signals import ErrorShown, PageShown, PromptShown, QuestionShown
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, Street
from tests.screens.trusting import EMOJI, account_of

RESET = (
    "bob has another identity than before: a reset in the ledger, seen on Tuesday, 2026-11-24;"
    " no existing device agreed"
)
TABLET = Device(DeviceId(b"t" * 16), "tablet", False, NOON_MS, False, True)


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.address("bob"))
    return screen


@pytest.fixture
def street() -> Street:
    return Street()


def opened(screen: Screen) -> Page:
    screen.apply(screen.presenter.open_person())
    return page(screen)


def page(screen: Screen) -> Page:
    return screen.last(PageShown).page


def buttons(screen: Screen) -> list[str]:
    return [each.name for each in page(screen).actions]


def press(screen: Screen, action: str, key: str = "") -> None:
    screen.apply(screen.presenter.act_on_page(key, action))


def test_it_shows_what_both_sides_see(screen: Screen, street: Street) -> None:
    shown = opened(screen)
    assert shown.figure == QrCode(street.safety_code("bob"))
    values = {row.key: row.value for row in shown.rows}
    assert values["number"] == street.safety_number("bob")
    assert values["account"] == account_of("bob").hex()
    assert buttons(screen) == ["compare", "check", "mark"]
    assert shown.about == PageText.PERSON_ABOUT.format(name="bob")


@pytest.mark.parametrize("where", ["everyone", "alice"])
def test_where_nobody_else_is_nobody_is_verified(screen: Screen, street: Street, where: str) -> None:
    if where == "alice":
        screen.apply(screen.presenter.address("alice"))
    else:
        screen.apply(screen.presenter.select(street.everyone))
    screen.apply(screen.presenter.open_person())
    assert screen.last(ErrorShown) == ErrorShown(say(Text.NOBODY_TO_VERIFY), info=True)
    assert not any(isinstance(each, PageShown) for each in screen.shown)


def test_emoji_are_compared_until_both_have_said_yes(screen: Screen, street: Street) -> None:
    opened(screen)
    press(screen, "compare")
    assert buttons(screen) == ["end"]
    assert page(screen).about == say(Text.VERIFY_WAITING, name="bob")
    assert page(screen).figure is None
    street.comparisons["bob"] = Comparison(ComparisonStep.COMPARING, EMOJI)
    screen.take([EmojiToCompare(street.person("bob"), EMOJI)])
    assert page(screen).figure == EmojiRow(EMOJI)
    assert buttons(screen) == ["same", "different"]
    press(screen, "same")
    assert street.calls == ["verify bob", "match bob"]
    assert page(screen).about == say(Text.VERIFY_THEIR_WORD, name="bob")
    street.comparisons.clear()
    screen.take(street.verified("bob"))
    assert page(screen).about == PageText.PERSON_VERIFIED.format(name="bob")
    assert page(screen).figure == QrCode(street.safety_code("bob"))


def test_different_emoji_end_it_and_the_page_says_what_that_means(screen: Screen, street: Street) -> None:
    street.comparisons["bob"] = Comparison(ComparisonStep.COMPARING, EMOJI)
    opened(screen)
    press(screen, "different")
    screen.take([VerificationEnded(street.person("bob"), EndReason.MISMATCH)])
    assert street.calls == ["mismatch bob"]
    assert screen.last(PageShown).problem == say(Text.VERIFY_MISMATCH, name="bob")
    press(screen, "compare")
    assert screen.last(PageShown).problem == ""


def test_what_happens_to_somebody_else_is_not_shown(screen: Screen, street: Street) -> None:
    opened(screen)
    before = len(screen.shown)
    screen.take([VerificationEnded(street.person("carol"), EndReason.MISMATCH)])
    assert not any(isinstance(each, PageShown) for each in screen.shown[before:])


def test_numbers_are_the_same_only_after_a_second_word(screen: Screen, street: Street) -> None:
    opened(screen)
    press(screen, "mark")
    prompt = screen.last(PromptShown).prompt
    assert prompt is not None
    assert prompt.about == PageText.SAME_NUMBER_ABOUT.format(name="bob")
    assert street.calls == []
    screen.apply(screen.presenter.answer_prompt({}))
    assert street.calls == ["mark bob"]
    assert screen.last(PromptShown) == PromptShown(None)


@pytest.mark.parametrize("shown", ["nonsense", "another"])
def test_what_the_other_screen_shows_is_checked(screen: Screen, street: Street, shown: str) -> None:
    opened(screen)
    press(screen, PersonAction.CHECK)
    code = SafetyCode(account_of("carol"), street.account).text if shown == "another" else shown
    screen.apply(screen.presenter.answer_prompt({SHOWN: code}))
    wanted = refusal(Code.MISMATCH) if shown == "another" else PageText.NO_NUMBER.value
    assert screen.last(PromptShown).problem == wanted
    assert street.calls == []
    screen.apply(screen.presenter.answer_prompt({SHOWN: SafetyCode(account_of("bob"), street.account).text}))
    assert street.calls == ["check bob"]
    assert screen.last(PromptShown).prompt is None


def test_another_identity_is_gone_on_with_only_after_a_question(screen: Screen, street: Street) -> None:
    street.identity_changes["bob"] = IdentityChanged(street.change("bob"), NOON_MS, was_verified=False)
    written = street.write(street.direct("bob"), "for the one before")
    street.queued["bob"] = (written,)
    shown = opened(screen)
    assert shown.about == PageText.PERSON_CHANGED.format(ledger=RESET)
    assert buttons(screen)[-1] == "go-on"
    queued = next(row for row in shown.rows if row.key == "queued")
    assert [each.name for each in queued.actions] == ["drop-queued"]
    press(screen, "go-on")
    assert street.calls == []
    screen.apply(screen.presenter.answer_prompt({}))
    assert street.calls == ["accept bob"]


def test_an_identity_after_a_verified_one_is_not_gone_on_with(screen: Screen, street: Street) -> None:
    street.identity_changes["bob"] = IdentityChanged(street.change("bob"), NOON_MS, was_verified=True)
    assert opened(screen).about == PageText.PERSON_CHANGED_VERIFIED.format(ledger=RESET)
    assert buttons(screen) == ["compare", "check", "mark"]


def test_whom_one_has_verified_one_may_take_back_after_a_question(screen: Screen, street: Street) -> None:
    street.verified("bob")
    opened(screen)
    assert buttons(screen)[-1] == "forget"
    press(screen, "forget")
    assert street.calls == []
    screen.apply(screen.presenter.answer_prompt({}))
    assert street.calls == ["forget bob"]
    screen.take(street.forgotten("bob"))
    assert page(screen).about == PageText.PERSON_ABOUT.format(name="bob")
    assert "forget" not in buttons(screen)


@pytest.mark.parametrize(
    ("action", "call"), [("send-queued", "send queued bob"), ("drop-queued", "drop queued bob")]
)
def test_what_was_never_sent_waits_for_a_word(screen: Screen, street: Street, action: str, call: str) -> None:
    street.queued["bob"] = (street.write(street.direct("bob"), "for the one before"),)
    assert [row.value for row in opened(screen).rows][-1] == "for the one before"
    press(screen, action, "queued")
    assert street.calls == [call]
    assert all(row.key != "queued" for row in page(screen).rows)


def test_a_device_of_theirs_is_confirmed(screen: Screen, street: Street) -> None:
    street.contacts_asked["bob"] = (TABLET,)
    row = next(row for row in opened(screen).rows if row.key == TABLET.id.hex())
    assert row.note == PageText.CONTACT_DEVICE_NOTE.format(name="bob")
    press(screen, PersonAction.CONFIRM, TABLET.id.hex())
    assert street.calls == ["confirm bob"]
    assert all(row.key != TABLET.id.hex() for row in page(screen).rows)


def test_what_does_not_work_is_said_on_the_page(screen: Screen, street: Street) -> None:
    opened(screen)
    street.trouble = Unavailable(Code.UNREACHABLE)
    press(screen, "compare")
    assert screen.last(PageShown).problem == "The server cannot be reached"


@pytest.mark.parametrize("answer", Answer)
def test_somebody_who_wants_to_compare_is_answered_from_anywhere(
    screen: Screen, street: Street, answer: Answer
) -> None:
    screen.apply(screen.presenter.select(street.everyone))
    street.comparisons["bob"] = Comparison(ComparisonStep.INVITED, ())
    screen.take([VerificationAsked(street.person("bob"))])
    question = screen.last(QuestionShown)
    assert (question.text, question.subject) == (say(Text.VERIFY_ASKED, name="bob"), "bob")
    screen.apply(screen.presenter.answer_question(street.person("bob").name, answer))
    assert screen.last(QuestionShown).subject is None
    assert street.calls == ["verify bob" if answer is Answer.YES else "end bob"]
    assert any(isinstance(each, PageShown) for each in screen.shown) == (answer is Answer.YES)


def test_a_question_goes_away_with_what_it_asked(screen: Screen, street: Street) -> None:
    screen.take([VerificationAsked(street.person("bob"))])
    assert screen.last(QuestionShown).subject == "bob"
    screen.take([VerificationEnded(street.person("bob"), EndReason.TIMED_OUT)])
    assert screen.last(QuestionShown).subject is None


def test_a_closed_page_does_nothing(screen: Screen, street: Street) -> None:
    opened(screen)
    press(screen, "mark")
    screen.apply(screen.presenter.close_page())
    assert screen.last(PromptShown).prompt is None
    screen.apply(screen.presenter.answer_prompt({}))
    press(screen, "compare")
    assert screen.count(StepWithPerson) == 0
    assert PersonStep.MARK.value == "mark"
