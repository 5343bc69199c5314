"""Verifying somebody as a person sees it: the mark, the line above the conversation, what is said of it."""

from __future__ import annotations

import pytest

from coterie.client.events import (
    Emoji,
    EmojiToCompare,
    EndReason,
    Event,
    IdentityChanged,
    PersonAppeared,
    VerificationAsked,
    VerificationEnded,
)
from coterie.screens.rows import ListRow, Mark, NoticeRow
from coterie.screens.signals import HeaderShown
from coterie.screens.verifying import verifying_line
from tests.screens.screen import Screen
from tests.screens.street import Street


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def screen(street: Street) -> Screen:
    begun = Screen(street)
    begun.begin()
    return begun


def row_of(screen: Screen, title: str) -> ListRow:
    return next(row for row in screen.presenter.list_rows if row.title == title)


def notices(screen: Screen) -> list[str]:
    return [row.text for row in screen.timeline if isinstance(row, NoticeRow)]


def test_a_verified_person_is_marked_in_the_list_and_above_the_conversation(
    screen: Screen, street: Street
) -> None:
    screen.apply(screen.presenter.select(street.direct("bob")))
    assert row_of(screen, "bob").mark is Mark.NONE
    screen.take(street.verified("bob"))
    assert row_of(screen, "bob").mark is Mark.VERIFIED
    assert row_of(screen, "carol").mark is Mark.NONE
    header = screen.last(HeaderShown).header
    assert header.mark is Mark.VERIFIED
    assert header.subtitle == "offline  ·  verified  ·  end-to-end encrypted"
    assert notices(screen) == ["bob is verified now"]


def test_another_identity_than_before_is_marked_too(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.select(street.direct("bob")))
    screen.take([PersonAppeared(street.change("bob"))])
    assert row_of(screen, "bob").mark is screen.last(HeaderShown).header.mark is Mark.CHANGED
    assert "another identity than before" in screen.last(HeaderShown).header.subtitle


def test_oneself_has_no_mark(screen: Screen) -> None:
    assert row_of(screen, "Notes to yourself").mark is Mark.NONE
    assert row_of(screen, "Everyone").mark is Mark.NONE


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("asked", "bob wants to compare emoji with you, so that you know each other for certain"),
        ("emoji", "Compare with bob: dog, key"),
        (EndReason.MISMATCH, "STOP: you and bob saw different emoji. Somebody may stand between you"),
        (EndReason.DECLINED, "Comparing with bob was ended. Nobody was verified"),
        (EndReason.TIMED_OUT, "Comparing with bob took too long. Nobody was verified"),
        (EndReason.BROKEN, "Comparing with bob was broken off: what came did not fit. Nobody was verified"),
        (EndReason.ELSEWHERE, "You went on comparing with bob on another device"),
    ],
)
def test_every_step_is_a_line_in_the_conversation(
    screen: Screen, street: Street, kind: str | EndReason, said: str
) -> None:
    bob = street.person("bob")
    event: Event
    if isinstance(kind, EndReason):
        event = VerificationEnded(bob, kind)
    elif kind == "asked":
        event = VerificationAsked(bob)
    else:
        event = EmojiToCompare(bob, (Emoji("🐶", "dog"), Emoji("🔑", "key")))
    assert verifying_line(event) == said
    screen.apply(screen.presenter.select(street.direct("bob")))
    screen.take([event])
    assert notices(screen) == [said]
    screen.apply(screen.presenter.select(street.everyone))
    assert said not in notices(screen)


@pytest.mark.parametrize(
    ("verified", "how"),
    [
        (False, "Ask bob before you go on with it (coterie verify --accept-new)"),
        (True, "You had verified bob: verify the new one to go on (coterie verify)"),
    ],
)
def test_another_identity_is_said_as_the_ledger_supports_it(street: Street, verified: bool, how: str) -> None:
    event = IdentityChanged(street.change("bob"), 1_795_521_600_000, verified)
    assert verifying_line(event) == (
        "bob has another identity than before: a reset in the ledger, seen on Tuesday, 2026-11-24; no"
        f" existing device agreed. {how}"
    )
