"""Moments as people read them: "14:02", "Mon", "Monday 23 November".

They come as milliseconds since 1970, UTC. They are the sender's word, so any integer is taken and brought
into the years that a calendar has.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Final

from coterie.screens.i18n import MONTHS, WEEKDAYS

LEAST_MS: Final = 86_400_000
MOST_MS: Final = 253_370_764_800_000
"""The first day of 9999: every zone can still show it."""
QUARTER_MS: Final = 900_000
"""Every zone's midnight falls on a quarter of an hour (UTC), so all moments of one lie on the same day."""
DAYS_MAX: Final = 10_000
_WEEK_DAYS: Final = 7


class Calendar:
    """Formats moments in one zone (None: the machine's own)."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._days: dict[int, date] = {}

    def local(self, at_ms: int) -> datetime:
        """The moment in the zone."""
        within = min(max(at_ms, LEAST_MS), MOST_MS)
        return datetime.fromtimestamp(within / 1000, tz=UTC).astimezone(self._zone)

    def time(self, at_ms: int) -> str:
        moment = self.local(at_ms)
        return f"{moment.hour:02}:{moment.minute:02}"

    def day(self, at_ms: int) -> date:
        quarter = at_ms // QUARTER_MS
        known = self._days.get(quarter)
        if known is None:
            if len(self._days) >= DAYS_MAX:
                self._days.clear()
            known = self._days[quarter] = self.local(at_ms).date()
        return known

    def day_line(self, day: date, now_ms: int) -> str:
        """The separator above the messages of a day; with the year where it is another one than now."""
        line = f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
        return line if day.year == self.day(now_ms).year else f"{line} {day.year}"

    def day_words(self, at_ms: int) -> str:
        """The weekday and the date, both of which people remember: "Tuesday, 2026-11-24"."""
        day = self.day(at_ms)
        return f"{WEEKDAYS[day.weekday()]}, {day.isoformat()}"

    def short(self, at_ms: int, now_ms: int) -> str:
        """For the list: the time today, the weekday within a week, else the day."""
        day, today = self.day(at_ms), self.day(now_ms)
        if day == today:
            return self.time(at_ms)
        if 0 < (today - day).days < _WEEK_DAYS:
            return WEEKDAYS[day.weekday()][:3]
        month = MONTHS[day.month - 1][:3]
        return f"{day.day} {month}" if day.year == today.year else f"{day.day} {month} {day.year}"
