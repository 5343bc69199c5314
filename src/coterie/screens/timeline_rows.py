"""The rows of one conversation: messages in order, with day separators, the unread line, and notices between.

Every change is a splice of a few rows; what is told are the rows that differ. Rows keep their keys, so a
screen can hold on to what it shows.
"""

from __future__ import annotations

import bisect
from datetime import date
from typing import Final, Protocol

from coterie.base.ids import MessageId
from coterie.base.quiet import Quiet
from coterie.client.events import Message
from coterie.screens.rows import DayRow, MessageRow, NoticeRow, Row, UnreadRow
from coterie.screens.signals import Append, Batch, Insert, Place, Remove, Reset, Update

GROUP_MS: Final = 5 * 60_000
"""Messages of one sender within this time stand together."""
ENTRIES_MAX: Final = 5_000
"""More than these are let go at the old end while the newest are shown; paging brings them back."""
ENTRIES_KEPT: Final = 2_500
NOTICES_MAX: Final = 100
ASIDE_MAX: Final = 1_000
"""Newest messages that are kept aside while an older part of the conversation is here."""
UNREAD_KEY: Final = "unread"


class Notice(Quiet, frozen=True):
    """order: of the message in whose place it stands; 0 for what happened between those before and after."""

    key: str
    text: str
    at_ms: int
    order: int = 0


Entry = Message | Notice


class RowMaker(Protocol):
    """Formats one thing at a time (screens/row_maker.py)."""

    def message(self, message: Message, *, opens: bool, closes: bool) -> MessageRow: ...

    def day(self, at_ms: int) -> date: ...

    def day_line(self, day: date) -> str: ...

    def unread_line(self, count: int) -> str: ...


class TimelineRows:
    """Holds the loaded part of a conversation and its rows. Not shown: changes are made, nothing is told."""

    def __init__(self, make: RowMaker) -> None:
        self._make = make
        self._entries: list[Entry] = []
        self._counts: list[int] = []
        self._known: dict[MessageId, Message] = {}
        self._notices = 0
        self._unread_order = 0
        self._unread_count = 0
        self.rows: list[Row] = []
        self.complete = False
        """The beginning of the conversation is among the entries."""
        self.at_newest = True
        """Its end is, too. Else what arrives is kept aside until paging has come to it."""
        self._aside: dict[MessageId, Message] = {}

    @property
    def oldest_order(self) -> int | None:
        """Message.order of the oldest message here."""
        return next((entry.order for entry in self._entries if isinstance(entry, Message)), None)

    @property
    def newest_order(self) -> int:
        """Message.order of the newest message here, 0 where there is none."""
        return next((entry.order for entry in reversed(self._entries) if isinstance(entry, Message)), 0)

    def set_unread(self, order: int, count: int, batch: Batch | None) -> None:
        """The unread line stands before the message of this order (0: nowhere)."""
        if (order, count) == (self._unread_order, self._unread_count):
            return
        touched = {self._unread_order, order} - {0}
        self._unread_order, self._unread_count = order, count
        for wanted in touched:
            index = self._index_of_order(wanted)
            if index < len(self._entries):
                self._refresh(index, batch)

    def put(self, message: Message, batch: Batch | None) -> None:
        """A new message, or another state of one that is here."""
        known = self._known.get(message.id)
        if known is None and not self.at_newest and message.order > self.newest_order:
            self._put_aside(message)
            return
        if known is not None:
            index = self._index_of(known)
            if known.order == message.order:
                self._entries[index] = message
                self._known[message.id] = message
                self._refresh(index, batch)
                return
            self._take_out(index, batch)
        self._known[message.id] = message
        index = self._index_of_order(message.order + 1)
        if index == 0 and self._entries and not self.complete:
            del self._known[message.id]
            return
        self._bring_in(index, message, batch)

    def load(self, messages: tuple[Message, ...], complete: bool) -> None:
        """The newest page, joined with what arrived meanwhile (newer than the page's state of it)."""
        notices = [entry for entry in self._entries if isinstance(entry, Notice) and not entry.order]
        self._notices = len(notices)
        self._known = {message.id: message for message in messages} | self._known
        self._entries = [*sorted(self._known.values(), key=lambda message: message.order), *notices]
        self.complete = complete
        self.again()

    def load_part(self, messages: tuple[Message, ...], complete: bool, at_newest: bool) -> None:
        """Another part of the conversation in place of what is here, which may end before the newest."""
        aside = self._leave_aside(messages) if at_newest else ()
        self._entries = [*messages, *aside]
        self._known = {message.id: message for message in (*messages, *aside)}
        self._notices = 0
        self.complete, self.at_newest = complete, at_newest
        self.again()

    def newer(self, messages: tuple[Message, ...], at_newest: bool, batch: Batch | None) -> None:
        """A page of messages that stand after all that are here, oldest first. What is seen stays."""
        aside = self._leave_aside(messages) if at_newest else ()
        fresh = [message for message in (*messages, *aside) if message.id not in self._known]
        self.at_newest = at_newest
        if not fresh:
            return
        last = len(self._entries) - 1
        start, old = self._span(last, last) if self._entries else (0, 0)
        self._known |= {message.id: message for message in fresh}
        self._entries += fresh
        made = [self._rows_of(index) for index in range(max(last, 0), len(self._entries))]
        self._counts[max(last, 0) :] = [len(rows) for rows in made]
        self._splice(start, old, [row for rows in made for row in rows], batch, stays=True)

    def _put_aside(self, message: Message) -> None:
        self._aside.pop(message.id, None)
        self._aside[message.id] = message
        if len(self._aside) > ASIDE_MAX:
            del self._aside[next(iter(self._aside))]

    def _leave_aside(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """What arrived after the newest page was read, and before it is shown."""
        last = messages[-1].order if messages else self.newest_order
        aside, self._aside = self._aside, {}
        later = [message for message in aside.values() if message.order > last]
        return tuple(sorted(later, key=lambda message: message.order))

    def key_of(self, order: int) -> str | None:
        """The key of the row of the message with the order, where it is here."""
        return next((each.id.hex() for each in self._known.values() if each.order == order), None)

    def older(self, messages: tuple[Message, ...], complete: bool, batch: Batch | None) -> None:
        """A page of messages that stand before all that are here, oldest first."""
        self.complete = complete
        fresh = [message for message in messages if message.id not in self._known]
        if not fresh:
            return
        self._known |= {message.id: message for message in fresh}
        first_rows = self._counts[0] if self._counts else 0
        self._entries[:0] = fresh
        made = [self._rows_of(index) for index in range(len(fresh))]
        again = [self._rows_of(len(fresh))] if first_rows else []
        self._counts[: len(again)] = [len(rows) for rows in [*made, *again]]
        self._splice(0, first_rows, [row for rows in [*made, *again] for row in rows], batch)

    def notice(self, notice: Notice, batch: Batch | None) -> None:
        """Something happened just now. Of the same kind and person twice in a row only the last is kept."""
        if not self.at_newest:
            return
        if self._entries and isinstance(last := self._entries[-1], Notice) and last.text == notice.text:
            return
        if self._notices >= NOTICES_MAX:
            self._take_out(
                next(index for index, entry in enumerate(self._entries) if isinstance(entry, Notice)), batch
            )
        self._notices += 1
        self._bring_in(len(self._entries), notice, batch)

    def stand_in(self, notices: tuple[Notice, ...], batch: Batch | None) -> None:
        """These stand in the places of messages that are not here, and no others do."""
        wanted = {notice.key: notice for notice in notices}
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            if isinstance(entry, Notice) and entry.order and wanted.get(entry.key) != entry:
                self._take_out(index, batch)
        here = {entry.key for entry in self._entries if isinstance(entry, Notice)}
        for notice in notices:
            if notice.key not in here and self._covers(notice.order):
                self._notices += 1
                self._bring_in(self._index_of_place(notice.order), notice, batch)

    def _covers(self, order: int) -> bool:
        """Whether a place lies in the part that is here."""
        oldest = self.oldest_order
        after = self.complete or (oldest is not None and order > oldest)
        return after and (self.at_newest or order < self.newest_order)

    def _index_of_place(self, order: int) -> int:
        """Before the first message behind it."""
        later = (
            at for at, entry in enumerate(self._entries) if isinstance(entry, Message) and entry.order > order
        )
        return next(later, len(self._entries))

    def trim(self, batch: Batch | None) -> None:
        """Let go of the oldest where there are very many. Only while the screen shows the newest."""
        if len(self._entries) <= ENTRIES_MAX:
            return
        drop = len(self._entries) - ENTRIES_KEPT
        rows = sum(self._counts[:drop])
        for entry in self._entries[:drop]:
            if isinstance(entry, Message):
                del self._known[entry.id]
            else:
                self._notices -= 1
        del self._entries[:drop], self._counts[:drop]
        self.complete = False
        self._splice(0, rows, [], batch)
        self._refresh(0, batch)

    def refresh(self, message: MessageId, batch: Batch) -> None:
        """Make the row of a message anew."""
        if (known := self._known.get(message)) is not None:
            self._refresh(self._index_of(known), batch)

    def reset(self, batch: Batch) -> None:
        """Tell all rows, beginning at the unread line where there is one."""
        shows_unread = any(isinstance(row, UnreadRow) for row in self.rows)
        batch.show(Reset(Place.TIMELINE, tuple(self.rows), UNREAD_KEY if shows_unread else None))

    def again(self) -> None:
        """Make every row anew (names became known, the day changed)."""
        made = [self._rows_of(index) for index in range(len(self._entries))]
        self._counts = [len(rows) for rows in made]
        self.rows = [row for rows in made for row in rows]

    def _index_of_order(self, order: int) -> int:
        """Index of the first entry at or after the order; notices stay behind what they followed."""
        if order > self.newest_order:
            return len(self._entries)
        return bisect.bisect_left(self._orders(), order)

    def _orders(self) -> list[int]:
        orders: list[int] = []
        for entry in self._entries:
            orders.append(entry.order or (orders[-1] if orders else 0))
        return orders

    def _index_of(self, message: Message) -> int:
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            if isinstance(entry, Message) and entry.id == message.id:
                return index
        raise KeyError(message.order)

    def _bring_in(self, index: int, entry: Entry, batch: Batch | None) -> None:
        start, old = self._span(index - 1, index)
        self._entries.insert(index, entry)
        self._counts.insert(index, 0)
        self._remake(index - 1, index + 1, start, old, batch)

    def _take_out(self, index: int, batch: Batch | None) -> None:
        start, old = self._span(index - 1, index + 1)
        entry = self._entries.pop(index)
        if isinstance(entry, Message):
            del self._known[entry.id]
        else:
            self._notices -= 1
        self._counts.pop(index)
        self._remake(index - 1, index, start, old, batch)

    def _refresh(self, index: int, batch: Batch | None) -> None:
        if not self._entries:
            return
        start, old = self._span(index - 1, index + 1)
        self._remake(index - 1, index + 1, start, old, batch)

    def _span(self, first: int, last: int) -> tuple[int, int]:
        """Where the rows of the entries first..last begin, and how many they are. Both may lie outside."""
        first, last = max(first, 0), min(last, len(self._counts) - 1)
        count = sum(self._counts[first : last + 1])
        if first > len(self._counts) // 2:
            return len(self.rows) - sum(self._counts[first:]), count
        return sum(self._counts[:first]), count

    def _remake(self, first: int, last: int, start: int, old: int, batch: Batch | None) -> None:
        first, last = max(first, 0), min(last, len(self._entries) - 1)
        made = [self._rows_of(index) for index in range(first, last + 1)]
        self._counts[first : last + 1] = [len(rows) for rows in made]
        self._splice(start, old, [row for rows in made for row in rows], batch)

    def _splice(
        self, start: int, count: int, new: list[Row], batch: Batch | None, *, stays: bool = False
    ) -> None:
        """Put new in the place of count rows, and tell only the difference.

        stays: what is seen stays where it is, also where the new rows are the last.
        """
        old = self.rows[start : start + count]
        self.rows[start : start + count] = new
        if batch is None:
            return
        head = 0
        while head < min(len(old), len(new)) and old[head].key == new[head].key:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail].key == new[-1 - tail].key:
            tail += 1
        for index in [*range(head), *range(len(old) - tail, len(old))]:
            to = index if index < head else index + len(new) - len(old)
            if old[index] != new[to]:
                batch.show(Update(Place.TIMELINE, start + index, new[to]))
        if len(old) > head + tail:
            batch.show(Remove(Place.TIMELINE, start + head, len(old) - head - tail))
        if fresh := tuple(new[head : len(new) - tail]):
            at_end = start + head + len(fresh) == len(self.rows) and not stays
            batch.show(
                Append(Place.TIMELINE, fresh) if at_end else Insert(Place.TIMELINE, start + head, fresh)
            )

    def _rows_of(self, index: int) -> list[Row]:
        """The rows of one entry: a separator, the unread line, and itself."""
        entry = self._entries[index]
        if isinstance(entry, Notice):
            return [NoticeRow(entry.key, entry.text)]
        rows: list[Row] = []
        day = self._make.day(entry.sent_at_ms)
        before = self._message_before(index)
        if before is None or day != self._make.day(before.sent_at_ms):
            rows.append(DayRow(f"day:{day}:{entry.id.hex()}", self._make.day_line(day)))
        if self._begins_unread(index):
            rows.append(UnreadRow(UNREAD_KEY, self._make.unread_line(self._unread_count)))
        opens, closes = not self._together(index - 1), not self._together(index)
        rows.append(self._make.message(entry, opens=opens, closes=closes))
        return rows

    def _message_before(self, index: int) -> Message | None:
        for at in range(index - 1, -1, -1):
            entry = self._entries[at]
            if isinstance(entry, Message):
                return entry
        return None

    def _begins_unread(self, index: int) -> bool:
        """Whether the entry is the first message at or after the unread order."""
        entry, first = self._entries[index], self._unread_order
        if not first or not isinstance(entry, Message) or entry.order < first:
            return False
        before = self._message_before(index)
        return before is None or before.order < first

    def _together(self, index: int) -> bool:
        """Whether the entry and the next stand as one group."""
        if not 0 <= index < len(self._entries) - 1:
            return False
        one, other = self._entries[index], self._entries[index + 1]
        if not isinstance(one, Message) or not isinstance(other, Message):
            return False
        return (
            one.sender_account == other.sender_account
            and 0 <= other.sent_at_ms - one.sent_at_ms < GROUP_MS
            and self._make.day(one.sent_at_ms) == self._make.day(other.sent_at_ms)
            and not self._begins_unread(index + 1)
        )
