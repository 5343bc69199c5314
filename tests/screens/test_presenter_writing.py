from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.client.events import (
    MessageState,
    SendingStuck,
)
from coterie.screens.i18n import refusal
from coterie.screens.intents import SaveDraft, SayText
from coterie.screens.rows import Tick
from coterie.screens.signals import (
    DraftShown,
    ErrorShown,
    ReachEnd,
    TextReturned,
)
from tests.screens.screen import Screen
from tests.screens.street import Street


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    return screen


def test_an_own_message_goes_from_queued_to_sent(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.typed("hello"))
    screen.apply(screen.presenter.submit("hello"))
    assert screen.last(DraftShown).text == ""
    assert screen.last(ReachEnd) == ReachEnd()
    assert [(row.text, row.tick) for row in screen.rows] == [("hello", Tick.QUEUED)]
    message = street.messages[street.everyone][-1]
    screen.take(street.sent(message))
    assert [(row.text, row.tick) for row in screen.rows] == [("hello", Tick.SENT)]
    assert screen.chats[0].title == "Everyone"


def test_blank_text_is_not_sent(screen: Screen) -> None:
    screen.apply(screen.presenter.submit(" \n"))
    assert screen.count(SayText) == 0


def test_text_for_somebody_else_goes_there_and_says_so(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.submit("@bob psst"))
    assert [each.text for each in street.messages[street.direct("bob")]] == ["psst"]
    assert street.messages.get(street.everyone) is None
    assert screen.last(ErrorShown) == ErrorShown("Sent to bob alone", info=True)
    assert screen.presenter.selected == street.everyone


def test_a_refused_text_returns_to_where_it_was_typed(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.submit("@bbo secret"))
    assert screen.last(TextReturned).text == "@bbo secret"
    assert street.drafts == {street.everyone: "@bbo secret"}
    assert screen.last(ErrorShown) == ErrorShown(refusal(Code.UNKNOWN_PERSON))
    assert street.messages == {}
    screen.apply(screen.presenter.typed("@bob secret"))
    assert screen.last(ErrorShown).text == ""


def test_a_text_refused_after_the_person_went_elsewhere_waits_there(street: Street) -> None:
    screen = Screen(street)
    screen.begin()
    street.refuses = Refused(Code.TOO_LARGE)
    said = screen.presenter.submit("long")
    screen.apply(screen.presenter.typed("more"))
    screen.apply(screen.presenter.select(street.direct("bob")))
    assert street.drafts[street.everyone] == "more"
    screen.apply(said)
    assert street.drafts[street.everyone] == "long\nmore"
    assert screen.chats[0].title == "Everyone"
    assert "".join(span.text for span in screen.chats[0].preview) == "Draft: long more"
    screen.apply(screen.presenter.select(street.everyone))
    assert screen.last(DraftShown).text == "long\nmore"
    assert screen.last(ErrorShown).text == refusal(Code.TOO_LARGE)


def test_drafts_are_kept_for_each_conversation(screen: Screen, street: Street) -> None:
    bob = street.direct("bob")
    street.drafts[bob] = "from yesterday"
    screen.apply(screen.presenter.typed("for all"))
    screen.apply(screen.presenter.save_draft())
    screen.apply(screen.presenter.save_draft())
    assert street.saved_drafts == 1
    screen.apply(screen.presenter.select(bob))
    assert screen.last(DraftShown).text == "from yesterday"
    assert street.drafts[street.everyone] == "for all"
    screen.apply(screen.presenter.select(street.everyone))
    assert screen.last(DraftShown).text == "for all"


def test_a_stored_draft_is_taken_away_only_when_the_text_is_in_the_outbox(street: Street) -> None:
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.typed("hello"))
    screen.apply(screen.presenter.save_draft())
    signals = screen.presenter.submit("hello")
    assert [type(intent) for intent in signals.intents] == [SayText]
    assert street.drafts[street.everyone] == "hello"
    screen.apply(signals)
    assert street.drafts[street.everyone] == ""


def test_trouble_with_sending_stands_at_the_composer_until_it_is_over(screen: Screen, street: Street) -> None:
    screen.take([SendingStuck(street.everyone, Code.MAILBOX_FULL)])
    assert screen.last(ErrorShown).text == refusal(Code.MAILBOX_FULL)
    screen.take([SendingStuck(street.direct("bob"), Code.BUSY)])
    assert screen.last(ErrorShown).text == refusal(Code.MAILBOX_FULL)
    screen.take(street.sent(street.write(street.everyone, "x")))
    assert screen.last(ErrorShown).text == ""


def test_lone_surrogates_from_a_toolkit_never_leave(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.submit("a\ud83db"))
    assert street.messages[street.everyone][-1].text == "ab"


def test_drafts_and_texts_show_in_no_repr() -> None:
    for struct in (SayText(Street().everyone, "secret"), SaveDraft(Street().everyone, "secret")):
        assert "secret" not in repr(struct)
    assert MessageState.QUEUED
