"""Searching, as a screen sees it: what is asked, what is shown, and where Enter leads."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.screens.intents import (
    AROUND_ROWS,
    FOUND_ROWS,
    PAGE_ROWS,
    Failed,
    FindMessages,
    MessagesFound,
    ReadAround,
    ReadHistory,
    ReadLater,
)
from coterie.screens.richtext import Style
from coterie.screens.rows import FoundRow, UnreadRow
from coterie.screens.signals import Place, ReachEnd, ReachRow, Scope, SearchShown
from tests.screens.screen import Screen
from tests.screens.street import Street, finish


@pytest.fixture
def street() -> Street:
    street = Street()
    for number in range(3):
        street.arrive("bob", street.direct("bob"), f"needle {number} of bob")
        street.arrive("carol", street.everyone, f"needle {number} of all")
    return street


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    return screen


def found(screen: Screen) -> list[FoundRow]:
    return [row for row in screen._mirror(Place.FOUND) if isinstance(row, FoundRow)]


def look(screen: Screen, scope: Scope, words: str) -> None:
    screen.apply(screen.presenter.look(scope))
    screen.apply(screen.presenter.search(words))
    screen.apply(screen.presenter.find())


def line(screen: Screen) -> str:
    return screen.last(SearchShown).line


def test_everywhere_newest_first_with_the_hit_marked(screen: Screen) -> None:
    look(screen, Scope.EVERYWHERE, "needle")
    assert [row.title for row in found(screen)] == ["Everyone", "bob"] * 3
    assert [span.text for span in found(screen)[0].line if span.style is Style.HIT] == ["needle"]
    assert "".join(span.text for span in found(screen)[0].line) == "carol: needle 2 of all"
    assert line(screen) == "In all conversations  ·  6 messages"
    assert [row.selected for row in found(screen)] == [True] + [False] * 5
    assert len(screen.chats) == 4


def test_here_means_the_conversation_that_was_open(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.select(street.direct("bob")))
    look(screen, Scope.HERE, "needle")
    assert [row.title for row in found(screen)] == ["bob"] * 3
    assert "".join(span.text for span in found(screen)[0].line) == "needle 2 of bob"
    assert line(screen) == "In bob  ·  3 messages"
    screen.apply(screen.presenter.select(street.everyone))
    screen.apply(screen.presenter.search("needle 1"))
    screen.apply(screen.presenter.find())
    assert [row.title for row in found(screen)] == ["bob"]
    assert line(screen) == "In bob  ·  1 message"


def test_by_name_messages_are_found_too_and_none_is_chosen(screen: Screen) -> None:
    screen.apply(screen.presenter.search("bob"))
    screen.apply(screen.presenter.find())
    assert [row.title for row in screen.presenter.names_found] == ["bob"]
    assert len(found(screen)) == 3
    assert [row.selected for row in found(screen)] == [False] * 3
    screen.apply(screen.presenter.step_found(1))
    assert [row.selected for row in found(screen)] == [True, False, False]
    screen.apply(screen.presenter.search(""))
    assert (screen.last(SearchShown).scope, found(screen), len(screen.chats)) == (Scope.CLOSED, [], 4)


def test_nothing_is_asked_before_the_pause_or_twice_or_without_words(screen: Screen) -> None:
    screen.clear()
    screen.apply(screen.presenter.look(Scope.EVERYWHERE))
    screen.apply(screen.presenter.find())
    for words in ("n", "ne", "nee", "nee "):
        screen.apply(screen.presenter.search(words))
    assert screen.asked == []
    screen.apply(screen.presenter.find())
    screen.apply(screen.presenter.find())
    screen.apply(screen.presenter.search(" "))
    screen.apply(screen.presenter.find())
    assert screen.count(FindMessages) == 1


def test_a_late_answer_is_dropped(screen: Screen, street: Street) -> None:
    presenter = screen.presenter
    screen.apply(presenter.look(Scope.EVERYWHERE))
    screen.apply(presenter.search("needle"))
    (late,) = presenter.find().intents
    screen.apply(presenter.search("nothing"))
    screen.apply(presenter.find())
    assert line(screen) == "In all conversations  ·  nothing found"
    screen.apply(presenter.take(finish(presenter.perform(late))))
    assert found(screen) == []
    screen.apply(presenter.search("needle"))
    screen.apply(presenter.find())
    screen.apply(presenter.take(finish(presenter.perform(late))))
    assert len(found(screen)) == 6
    screen.apply(presenter.close_search())
    screen.apply(presenter.take(finish(presenter.perform(late))))
    assert found(screen) == []


def test_what_was_found_comes_by_pages(street: Street) -> None:
    for number in range(FOUND_ROWS + 10):
        street.arrive("bob", street.direct("bob"), f"thread {number}")
    screen = Screen(street)
    screen.begin()
    look(screen, Scope.EVERYWHERE, "thread")
    assert (len(found(screen)), line(screen)) == (
        FOUND_ROWS,
        f"In all conversations  ·  more than {FOUND_ROWS} messages",
    )
    asked = screen.presenter.reach_found_end()
    assert screen.presenter.reach_found_end().intents == ()
    screen.apply(asked)
    screen.apply(screen.presenter.reach_found_end())
    assert len(found(screen)) == FOUND_ROWS + 10
    assert line(screen) == f"In all conversations  ·  {FOUND_ROWS + 10} messages"
    assert screen.count(FindMessages) == 2


def test_a_store_that_cannot_be_asked_says_so(screen: Screen) -> None:
    screen.apply(screen.presenter.look(Scope.EVERYWHERE))
    screen.apply(screen.presenter.search("needle"))
    (asked,) = screen.presenter.find().intents
    screen.apply(screen.presenter.take(Failed(asked, Code.DISK)))
    assert line(screen) == "The disk cannot be written or read"
    assert isinstance(asked, FindMessages)
    screen.apply(screen.presenter.take(MessagesFound(asked, ())))
    assert line(screen) == "In all conversations  ·  nothing found"


def test_steps_stay_among_the_rows(screen: Screen) -> None:
    look(screen, Scope.EVERYWHERE, "needle")
    for by, selected in ((1, 1), (-5, 0), (9, 5), (-1, 4)):
        screen.apply(screen.presenter.step_found(by))
        assert [row.selected for row in found(screen)].index(True) == selected
        assert sum(row.selected for row in found(screen)) == 1


def test_enter_goes_to_a_message_that_is_loaded(screen: Screen, street: Street) -> None:
    look(screen, Scope.HERE, "needle 0")
    screen.clear()
    screen.apply(screen.presenter.show_found())
    assert screen.last(ReachRow).key == found_message(street, 0)
    assert screen.asked == []


def test_a_click_goes_to_another_conversation(screen: Screen, street: Street) -> None:
    look(screen, Scope.EVERYWHERE, "bob")
    screen.apply(screen.presenter.show_found(found(screen)[1].key))
    assert screen.presenter.selected == street.direct("bob")
    assert screen.last(ReachRow).key == street.messages[street.direct("bob")][1].id.hex()
    screen.apply(screen.presenter.show_found("nothing"))
    assert screen.presenter.selected == street.direct("bob")


def found_message(street: Street, index: int) -> str:
    return street.messages[street.everyone][index].id.hex()


LONG = 4 * PAGE_ROWS


@pytest.fixture
def long(street: Street) -> Screen:
    """everyone holds LONG messages; the one called middle is far from both ends."""
    for number in range(LONG):
        text = "middle" if number == LONG // 2 else f"line {number}"
        street.arrive("bob", street.everyone, text)
    street.read[street.everyone] = street.messages[street.everyone][-1].order
    screen = Screen(street)
    screen.begin()
    return screen


def go_to_middle(screen: Screen) -> None:
    look(screen, Scope.HERE, "middle")
    screen.apply(screen.presenter.show_found())


def texts(screen: Screen) -> list[str]:
    return [row.text for row in screen.rows]


def test_far_away_the_surroundings_are_read(long: Screen) -> None:
    go_to_middle(long)
    assert long.count(ReadAround) == 1
    assert len(long.rows) == 2 * AROUND_ROWS
    assert texts(long)[AROUND_ROWS - 1] == "middle"
    assert long.last(ReachRow).key == long.rows[AROUND_ROWS - 1].key


def test_from_there_one_pages_both_ways(long: Screen, street: Street) -> None:
    go_to_middle(long)
    for _ in range(9):
        long.apply(long.presenter.reach_bottom())
        long.apply(long.presenter.reach_top())
    assert texts(long) == [message.text for message in street.messages[street.everyone]]
    assert long.count(ReadLater) == 2
    long.take(street.arrive("bob", street.everyone, "one more"))
    assert texts(long)[-1] == "one more"


def test_what_arrives_meanwhile_is_not_lost_and_not_out_of_place(long: Screen, street: Street) -> None:
    go_to_middle(long)
    before = texts(long)
    long.take(street.arrive("bob", street.everyone, "meanwhile"))
    assert texts(long) == before
    later = long.presenter.reach_bottom().intents
    fact = finish(long.presenter.perform(later[0]))
    long.take(street.arrive("bob", street.everyone, "in between"))
    long.apply(long.presenter.take(fact))
    long.apply(long.presenter.reach_bottom())
    assert texts(long)[-2:] == ["meanwhile", "in between"]
    assert len(set(texts(long))) == len(long.rows)


def test_what_arrives_between_the_last_page_and_its_showing_is_shown(long: Screen, street: Street) -> None:
    go_to_middle(long)
    (asked,) = long.presenter.newest().intents
    fact = finish(long.presenter.perform(asked))
    long.take(street.arrive("bob", street.everyone, "in between"))
    long.apply(long.presenter.take(fact))
    assert texts(long)[-1] == "in between"


def test_to_the_newest_and_back_to_now(long: Screen, street: Street) -> None:
    go_to_middle(long)
    long.clear()
    long.apply(long.presenter.newest())
    assert long.count(ReadHistory) == 1
    assert len(long.rows) == PAGE_ROWS
    assert texts(long)[-1] == f"line {LONG - 1}"
    assert any(isinstance(each, ReachEnd) for each in long.shown)


def test_who_writes_sees_what_was_written(long: Screen) -> None:
    go_to_middle(long)
    long.apply(long.presenter.submit("here I am"))
    assert texts(long)[-1] == "here I am"


def test_nothing_unseen_counts_as_seen(long: Screen, street: Street) -> None:
    """The end of the part that is shown is not the end of the conversation."""
    go_to_middle(long)
    long.apply(long.presenter.watch(True))
    long.take(street.arrive("bob", street.everyone, "unseen"))
    assert [row.unread for row in long.chats if row.title == "Everyone"] == [1]
    long.apply(long.presenter.newest())
    long.apply(long.presenter.watch(True))
    assert [row.unread for row in long.chats if row.title == "Everyone"] == [0]


def test_opened_again_it_is_at_its_end(long: Screen, street: Street) -> None:
    go_to_middle(long)
    long.apply(long.presenter.select(street.direct("bob")))
    long.take(street.arrive("bob", street.everyone, "new"))
    long.apply(long.presenter.select(street.everyone))
    assert texts(long)[-1] == "new"
    assert any(isinstance(row, UnreadRow) for row in long.timeline)


def test_a_page_of_the_part_before_is_dropped(long: Screen) -> None:
    (asked,) = long.presenter.reach_top().intents
    go_to_middle(long)
    before = texts(long)
    long.apply(long.presenter.take(finish(long.presenter.perform(asked))))
    assert texts(long) == before


def test_only_the_last_message_that_was_wanted_is_gone_to(long: Screen) -> None:
    look(long, Scope.HERE, "middle")
    (first,) = long.presenter.show_found().intents
    look(long, Scope.HERE, "line 20")
    long.apply(long.presenter.show_found())
    at = long.last(ReachRow).key
    long.apply(long.presenter.take(finish(long.presenter.perform(first))))
    assert long.last(ReachRow).key == at


def test_who_does_not_wait_for_a_message_gets_the_newest(long: Screen, street: Street) -> None:
    for number in range(LONG):
        street.arrive("carol", street.direct("carol"), f"far {number}")
    long.apply(long.presenter.begin())
    look(long, Scope.EVERYWHERE, "far 10")
    (asked,) = long.presenter.show_found(found(long)[-1].key).intents
    assert isinstance(asked, ReadAround)
    long.apply(long.presenter.newest())
    assert texts(long)[-1] == f"far {LONG - 1}"
    long.apply(long.presenter.take(finish(long.presenter.perform(asked))))
    assert texts(long)[-1] == f"far {LONG - 1}"


def test_who_left_meanwhile_is_not_taken_there_on_coming_back(long: Screen, street: Street) -> None:
    look(long, Scope.HERE, "middle")
    (asked,) = long.presenter.show_found().intents
    long.apply(long.presenter.select(street.direct("bob")))
    long.apply(long.presenter.select(street.everyone))
    long.clear()
    long.apply(long.presenter.take(finish(long.presenter.perform(asked))))
    assert not [each for each in long.shown if isinstance(each, ReachRow)]
