from __future__ import annotations

from datetime import UTC, date, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.moments import Calendar
from tests.screens.street import NOON_MS

DAY_MS = 86_400_000
CALENDAR = Calendar(UTC)


def test_a_time_is_told_in_the_zone_of_the_calendar() -> None:
    assert CALENDAR.time(NOON_MS) == "12:00"
    assert Calendar(timezone(timedelta(hours=5, minutes=45))).time(NOON_MS) == "17:45"


def test_a_day_line_names_the_year_only_where_it_is_another() -> None:
    assert CALENDAR.day_line(date(2026, 11, 23), NOON_MS) == "Monday 23 November"
    assert CALENDAR.day_line(date(2025, 1, 1), NOON_MS) == "Wednesday 1 January 2025"


def test_the_list_shows_a_time_then_a_weekday_then_a_day() -> None:
    assert CALENDAR.short(NOON_MS - 60_000, NOON_MS) == "11:59"
    assert CALENDAR.short(NOON_MS - DAY_MS, NOON_MS) == "Mon"
    assert CALENDAR.short(NOON_MS - 6 * DAY_MS, NOON_MS) == "Wed"
    assert CALENDAR.short(NOON_MS - 7 * DAY_MS, NOON_MS) == "17 Nov"
    assert CALENDAR.short(NOON_MS - 400 * DAY_MS, NOON_MS) == "20 Oct 2025"


def test_a_moment_still_to_come_is_told_by_its_day() -> None:
    assert CALENDAR.short(NOON_MS + DAY_MS, NOON_MS) == "25 Nov"


@given(st.integers(), st.integers())
def test_any_number_is_a_moment(at_ms: int, now_ms: int) -> None:
    assert CALENDAR.time(at_ms)
    assert CALENDAR.short(at_ms, now_ms)
    assert CALENDAR.day_line(CALENDAR.day(at_ms), now_ms)


@given(st.integers(0, 4_000_000_000_000), st.integers(-56, 56))
def test_the_remembered_day_is_the_day(at_ms: int, quarters: int) -> None:
    calendar = Calendar(timezone(timedelta(minutes=15 * quarters)))
    assert calendar.day(at_ms) == calendar.day(at_ms) == calendar.local(at_ms).date()
