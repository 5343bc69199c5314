"""The page of one's own account: what opens it, its recovery key, how it ends."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.client.events import VaultRenewed
from coterie.screens.account_page import AGAIN, NAME, NEW, SECRET, AccountAction
from coterie.screens.asking import Answer
from coterie.screens.form_texts import FormText
from coterie.screens.i18n import Text
from coterie.screens.page_intents import (
    ChangePassword,
    Leave,
    MakeIdentity,
    MakeRecoveryKey,
    ReadAccount,
    RecoveryKeyMade,
)
from coterie.screens.page_texts import PageText
from coterie.screens.pages import PageId, PageRow, Prompt
from coterie.screens.signals import AccountLeft, PageShown, PromptShown, QuestionShown
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, PASSWORD, RECOVERY_KEY, Street


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.ACCOUNT))
    return screen


def row(screen: Screen, key: str) -> PageRow:
    return next(each for each in screen.last(PageShown).page.rows if each.key == key)


def to_write_down(street: Street) -> bool:
    return street.recovery_key is not None


def begins_anew(street: Street) -> bool:
    return street.reset_at_ms is not None


def is_told(street: Street) -> bool:
    return street.told


def ask(screen: Screen, action: AccountAction) -> Prompt:
    screen.apply(screen.presenter.act_on_page("", action.value))
    prompt = screen.last(PromptShown).prompt
    assert prompt is not None
    return prompt


def answer(screen: Screen, **values: str) -> PromptShown:
    screen.apply(screen.presenter.answer_prompt(values))
    return screen.last(PromptShown)


def test_it_says_what_the_account_is(screen: Screen, street: Street) -> None:
    assert row(screen, "name").value == "alice"
    assert row(screen, "account").value == street.account.hex()
    assert row(screen, "server").value == "chat.example.org:4433"
    assert row(screen, "password").value == PageText.NOT_ALONE.value
    assert row(screen, "password").note == PageText.OTHERS_KEEP.value
    assert row(screen, "sign-out").note == ""


def test_the_last_device_is_warned(street: Street) -> None:
    street.is_last_device = True
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.ACCOUNT))
    assert row(screen, "sign-out").note == PageText.LAST_DEVICE.value
    assert row(screen, "password").note == ""


def test_another_password_is_typed_twice(screen: Screen, street: Street) -> None:
    ask(screen, AccountAction.CHANGE_PASSWORD)
    typed = {SECRET: PASSWORD, NEW: "twenty loud herons", AGAIN: "twenty loud heron"}
    assert answer(screen, **typed).problem == FormText.PASSWORD_MISMATCH.value
    typed[AGAIN] = typed[NEW]
    assert answer(screen, **{**typed, SECRET: "wrong"}).problem == "This is not right. Please try again"
    street.trouble = Refused(Code.WEAK_PASSWORD)
    assert answer(screen, **typed).problem == "This password is too easy to guess"
    assert street.password == PASSWORD
    assert answer(screen, **typed).prompt is None
    assert street.password == "twenty loud herons"


def test_the_password_alone_is_made_enough_and_not_enough_again(screen: Screen, street: Street) -> None:
    actions = [each.name for each in row(screen, "password").actions]
    assert actions == ["change-password", "make-alone"]
    ask(screen, AccountAction.MAKE_ALONE)
    answer(screen, secret=PASSWORD)
    assert street.wrapped_with_password
    assert row(screen, "password").value == PageText.ALONE.value
    ask(screen, AccountAction.MAKE_NOT_ALONE)
    answer(screen, secret=PASSWORD)
    assert row(screen, "password").value == PageText.NOT_ALONE.value


def test_the_server_is_told_how_much_cannot_be_read_by_who_wants_it(screen: Screen, street: Street) -> None:
    assert row(screen, "unreadable").note == PageText.SERVER_NOT_TOLD.value
    assert row(screen, "unreadable").value == PageText.UNREADABLE_NONE.format(ever=4)
    ask(screen, AccountAction.TELL_SERVER)
    assert not is_told(street), "it is said first what is told"
    street.trouble = Unavailable(Code.DISK)
    assert answer(screen).problem
    street.unreadable_now = 3
    assert answer(screen).prompt is None
    assert is_told(street)
    assert row(screen, "unreadable").note == PageText.SERVER_TOLD.value
    assert row(screen, "unreadable").value == PageText.UNREADABLE_VALUE.format(now=3, ever=4)
    ask(screen, AccountAction.TELL_NO_MORE)
    answer(screen)
    assert [each.name for each in row(screen, "unreadable").actions] == ["tell-server"]
    assert street.calls == ["tell True", "tell False"]


def words_back(screen: Screen, prompt: Prompt) -> PromptShown:
    words = RECOVERY_KEY.split()
    return answer(screen, **{field.name: words[int(field.name)] for field in prompt.fields})


def test_a_new_recovery_key_is_shown_and_asked_back(screen: Screen, street: Street) -> None:
    ask(screen, AccountAction.NEW_RECOVERY)
    shown = answer(screen, secret=PASSWORD).prompt
    assert shown is not None
    assert shown.words == tuple(RECOVERY_KEY.split())
    asked = answer(screen).prompt
    assert asked is not None
    assert len(asked.fields) == 2
    assert asked.words == ()
    wrong = answer(screen, **{field.name: "wrong" for field in asked.fields})
    assert wrong.problem == FormText.NOT_THAT_WORD.format(number=int(asked.fields[0].name) + 1)
    assert to_write_down(street)
    assert words_back(screen, asked).prompt is None
    assert not to_write_down(street)
    assert row(screen, "recovery").value == PageText.RECOVERY_VALUE.value


def test_another_identity_takes_another_password_and_shows_a_new_key(screen: Screen, street: Street) -> None:
    assert [each.name for each in row(screen, "account").actions] == ["new-identity"]
    ask(screen, AccountAction.NEW_IDENTITY)
    typed = {SECRET: PASSWORD, NEW: "twenty loud herons", AGAIN: "twenty loud heron"}
    assert answer(screen, **typed).problem == FormText.PASSWORD_MISMATCH.value
    typed[AGAIN] = typed[NEW]
    shown = answer(screen, **typed).prompt
    assert shown is not None
    assert shown.words == tuple(RECOVERY_KEY.split())
    assert street.password == "twenty loud herons"
    asked = answer(screen).prompt
    assert asked is not None
    words_back(screen, asked)
    assert not to_write_down(street)


def test_a_key_that_was_not_written_down_is_shown_again(screen: Screen, street: Street) -> None:
    ask(screen, AccountAction.NEW_RECOVERY)
    answer(screen, secret=PASSWORD)
    screen.apply(screen.presenter.cancel_prompt())
    assert row(screen, "recovery").value == PageText.RECOVERY_PENDING.value
    assert ask(screen, AccountAction.SHOW_RECOVERY).words == tuple(RECOVERY_KEY.split())
    asked = answer(screen).prompt
    assert asked is not None
    words_back(screen, asked)
    assert not to_write_down(street)


def test_what_was_typed_or_made_stands_in_no_repr() -> None:
    for hidden in (
        ChangePassword("hidden", "hidden"),
        MakeIdentity("hidden", "hidden"),
        MakeRecoveryKey("hidden"),
        RecoveryKeyMade(MakeRecoveryKey("hidden"), ("hidden",)),
    ):
        assert "hidden" not in repr(hidden)


def test_a_name_that_begins_anew_is_kept(street: Street) -> None:
    street.reset_at_ms = NOON_MS
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.ACCOUNT))
    assert row(screen, "reset").value.endswith("2026-11-24 12:00 on")
    ask(screen, AccountAction.KEEP_NAME)
    answer(screen, secret=PASSWORD)
    assert not begins_anew(street)
    assert all(each.key != "reset" for each in screen.last(PageShown).page.rows)


def test_who_begins_the_own_name_anew_is_denied_from_the_question(street: Street) -> None:
    street.reset_at_ms = NOON_MS
    screen = Screen(street)
    screen.begin()
    question = screen.last(QuestionShown)
    assert (question.text, question.subject) == (Text.OWN_RESET_ASKED.value, "alice")
    screen.apply(screen.presenter.answer_question(street.name, Answer.NO))
    assert screen.last(QuestionShown).subject is None
    prompt = screen.last(PromptShown).prompt
    assert prompt is not None
    assert prompt.confirm == PageText.KEEP_NAME.value
    answer(screen, secret=PASSWORD)
    assert not begins_anew(street)


def test_who_began_it_says_so_and_is_asked_no_more(street: Street) -> None:
    street.reset_at_ms = NOON_MS
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.answer_question(street.name, Answer.YES))
    assert screen.last(QuestionShown).subject is None
    assert not any(isinstance(each, PageShown) for each in screen.shown)


@pytest.mark.parametrize(
    ("action", "typed", "calls", "wiped"),
    [
        (AccountAction.SIGN_OUT, {SECRET: PASSWORD}, ["sign out"], False),
        (AccountAction.SIGN_OUT_AND_WIPE, {SECRET: RECOVERY_KEY}, ["sign out", "wipe"], True),
        (AccountAction.WIPE, {NAME: " Alice"}, ["wipe"], True),
        (AccountAction.DELETE, {NAME: "alice", SECRET: PASSWORD}, ["delete", "wipe"], True),
    ],
)
def test_ways_to_leave(
    screen: Screen,
    street: Street,
    action: AccountAction,
    typed: dict[str, str],
    calls: list[str],
    wiped: bool,
) -> None:
    prompt = ask(screen, action)
    assert {field.name for field in prompt.fields} == set(typed)
    if NAME in typed:
        assert answer(screen, **{**typed, NAME: "bob"}).problem == PageText.OTHER_NAME.value
    if SECRET in typed:
        assert answer(screen, **{**typed, SECRET: "wrong"}).problem == "This is not right. Please try again"
    assert street.calls == []
    answer(screen, **typed)
    assert street.calls == calls
    assert screen.last(AccountLeft) == AccountLeft(wiped)


def test_nothing_is_wiped_where_the_server_was_not_told(screen: Screen, street: Street) -> None:
    ask(screen, AccountAction.SIGN_OUT_AND_WIPE)
    street.trouble = Unavailable(Code.UNREACHABLE)
    assert answer(screen, secret=PASSWORD).problem == "The server cannot be reached"
    assert street.calls == []
    assert not any(isinstance(each, AccountLeft) for each in screen.shown)


def test_what_another_device_changed_is_seen(screen: Screen) -> None:
    before = screen.count(ReadAccount)
    screen.take([VaultRenewed()])
    assert screen.count(ReadAccount) == before + 1
    assert screen.count(Leave) == 0
