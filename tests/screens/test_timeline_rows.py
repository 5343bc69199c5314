from __future__ import annotations

from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.clock import FakeClock
from coterie.base.ids import UserName
from coterie.client.events import Message, MessageState
from coterie.screens.moments import Calendar
from coterie.screens.row_maker import MessageFormat
from coterie.screens.rows import DayRow, MessageRow, NoticeRow, Tick, UnreadRow
from coterie.screens.signals import Append, Batch, Place, Reset, Update
from coterie.screens.timeline_rows import (
    ENTRIES_KEPT,
    ENTRIES_MAX,
    NOTICES_MAX,
    Notice,
    TimelineRows,
)
from tests.examples import examples
from tests.screens.mirror import Mirror
from tests.screens.street import NOON_MS, Street


def fresh() -> TimelineRows:
    make = MessageFormat(UserName("alice"), lambda _: False, Calendar(UTC), FakeClock(NOON_MS))
    return TimelineRows(make)


def letters(count: int, minutes: float = 1.0) -> list[Message]:
    street = Street()
    for number in range(count):
        street.arrive("bob", street.everyone, f"text {number}", minutes=minutes)
    return street.messages[street.everyone]


def shape(rows: TimelineRows) -> list[str]:
    """D for a day, U for the unread line, N for a notice; of messages: which ends of a group they are."""
    marks = {DayRow: "D", UnreadRow: "U", NoticeRow: "N"}
    found = []
    for row in rows.rows:
        if isinstance(row, MessageRow):
            found.append(f"{'<' if row.opens else '-'}{'>' if row.closes else '-'}")
        else:
            found.append(marks[type(row)])
    return found


def test_messages_of_one_sender_stand_together_for_a_while() -> None:
    rows = fresh()
    rows.load(tuple(letters(3)), True)
    assert shape(rows) == ["D", "<-", "--", "->"]
    rows.load(tuple(letters(2, minutes=6)), True)


def test_a_pause_a_day_and_another_sender_part_them() -> None:
    street = Street()
    for sender, minutes in (("bob", 1.0), ("bob", 6.0), ("carol", 1.0), ("carol", 60 * 24.0)):
        street.arrive(sender, street.everyone, "x", minutes=minutes)
    rows = fresh()
    rows.load(tuple(street.messages[street.everyone]), True)
    assert shape(rows) == ["D", "<>", "<>", "<>", "D", "<>"]


def test_appending_tells_one_row_and_what_changed_of_the_one_before() -> None:
    first, second, third = letters(3)
    rows, batch = fresh(), Batch()
    rows.load((first,), True)
    rows.put(second, batch)
    rows.put(third, batch)
    kinds = [type(signal) for signal in batch.signals().shown]
    assert kinds == [Update, Append, Update, Append]


def test_another_state_of_a_message_is_an_update_of_its_row() -> None:
    street = Street()
    message = street.write(street.everyone, "hi")
    rows, batch = fresh(), Batch()
    rows.load((message,), True)
    rows.put(msgspec.structs.replace(message, state=MessageState.SENT), batch)
    (signal,) = batch.signals().shown
    assert isinstance(signal, Update)
    assert isinstance(signal.row, MessageRow)
    assert signal.row.tick is Tick.SENT


def test_the_unread_line_parts_a_group_and_can_move() -> None:
    messages = letters(4)
    rows, batch, mirror = fresh(), Batch(), Mirror(Place.TIMELINE)
    rows.load(tuple(messages), True)
    rows.reset(batch)
    rows.set_unread(messages[2].order, 2, batch)
    assert shape(rows) == ["D", "<-", "->", "U", "<-", "->"]
    rows.set_unread(messages[3].order, 1, batch)
    assert shape(rows) == ["D", "<-", "--", "->", "U", "<>"]
    rows.set_unread(0, 0, batch)
    mirror.follow(batch.signals().shown)
    assert mirror.rows == rows.rows


def test_the_unread_line_stands_first_where_its_message_is_older_than_what_is_loaded() -> None:
    messages = letters(4)
    rows, batch = fresh(), Batch()
    rows.load(tuple(messages[2:]), False)
    rows.set_unread(messages[0].order, 4, None)
    rows.reset(batch)
    assert shape(rows)[:2] == ["D", "U"]
    (signal,) = batch.signals().shown
    assert isinstance(signal, Reset)
    assert signal.focus == "unread"


def test_an_older_page_joins_without_a_second_separator() -> None:
    messages = letters(4)
    rows, batch, mirror = fresh(), Batch(), Mirror(Place.TIMELINE)
    rows.load(tuple(messages[2:]), False)
    rows.reset(batch)
    rows.older(tuple(messages[:2]), True, batch)
    mirror.follow(batch.signals().shown)
    assert shape(rows) == ["D", "<-", "--", "--", "->"]
    assert mirror.rows == rows.rows


def test_what_arrived_while_a_page_was_read_is_not_lost_and_not_set_back() -> None:
    street = Street()
    queued = street.write(street.everyone, "hi")
    later = msgspec.structs.replace(queued, state=MessageState.SENT)
    rows = fresh()
    rows.put(later, None)
    street.arrive("bob", street.everyone, "yo")
    newest = street.messages[street.everyone][-1]
    rows.put(newest, None)
    rows.load((queued,), True)
    assert [row.text for row in rows.rows if isinstance(row, MessageRow)] == ["hi", "yo"]
    assert [row.tick for row in rows.rows if isinstance(row, MessageRow)] == [Tick.SENT, Tick.NONE]


def test_a_message_older_than_what_is_loaded_waits_for_its_page() -> None:
    messages = letters(3)
    rows = fresh()
    rows.load(tuple(messages[1:]), False)
    rows.put(messages[0], None)
    assert rows.oldest_order == messages[1].order


def test_notices_do_not_pile_up() -> None:
    rows, batch = fresh(), Batch()
    for number in range(3 * NOTICES_MAX):
        rows.notice(Notice(f"n{number}", f"{number} connected", NOON_MS), batch)
        rows.notice(Notice(f"again{number}", f"{number} connected", NOON_MS), batch)
    assert len(rows.rows) == NOTICES_MAX


@pytest.mark.slow
def test_very_many_messages_are_let_go_at_the_old_end() -> None:
    messages = letters(ENTRIES_MAX + 1)
    rows, batch, mirror = fresh(), Batch(), Mirror(Place.TIMELINE)
    rows.load(tuple(messages), True)
    rows.reset(batch)
    rows.trim(batch)
    mirror.follow(batch.signals().shown)
    assert mirror.rows == rows.rows
    assert rows.oldest_order == messages[-ENTRIES_KEPT].order
    assert not rows.complete


KINDS = ["put", "older", "notice", "unread", "sent"]
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 30)),
    max_size=40,
)


@settings(max_examples=examples(150))
@given(OPERATIONS, st.integers(1, 12))  # a first page without messages is always a complete one
def test_following_the_signals_gives_the_rows_that_a_fresh_look_gives(
    operations: list[tuple[str, int]], loaded: int
) -> None:
    street = Street()
    for number in range(30):
        sender = ("bob", "carol", "alice")[number * number % 3]
        minutes = (0.5, 7.0, 700.0)[number * 7 % 3]
        if sender == "alice":
            street.write(street.everyone, f"own {number}", minutes=minutes)
        else:
            street.arrive(sender, street.everyone, f"text {number}", minutes=minutes)
    messages = street.messages[street.everyone]
    rows, batch, mirror = fresh(), Batch(), Mirror(Place.TIMELINE)
    rows.load(tuple(messages[12 : 12 + loaded]), False)
    rows.reset(batch)
    for number, (operation, at) in enumerate(operations):
        match operation:
            case "put":
                rows.put(messages[at % 30], batch)
            case "sent":
                rows.put(msgspec.structs.replace(messages[at % 30], state=MessageState.SENT), batch)
            case "older":
                oldest = rows.oldest_order or 31
                rows.older(
                    tuple(each for each in messages if oldest - at <= each.order < oldest), False, batch
                )
            case "notice":
                rows.notice(Notice(f"notice{number}", f"n{at % 3}", NOON_MS), batch)
            case "unread":
                rows.set_unread(at, at, batch)
            case _:
                pass
    mirror.follow(batch.signals().shown)
    assert mirror.rows == rows.rows
    rows.again()
    assert mirror.rows == rows.rows
    orders = [row.order for row in rows.rows if isinstance(row, MessageRow)]
    assert orders == sorted(set(orders))
