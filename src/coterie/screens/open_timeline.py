"""A conversation that was opened: its rows, what of them is unread, and what is asked of the store for it."""

from __future__ import annotations

from typing import Final, assert_never

from coterie.base.ids import ConversationId
from coterie.client.events import Conversation, Message
from coterie.screens.intents import (
    AROUND_ROWS,
    PAGE_ROWS,
    AroundRead,
    HistoryRead,
    LaterRead,
    ReadAround,
    ReadHistory,
    ReadLater,
    SetRead,
)
from coterie.screens.signals import Batch, ReachEnd, ReachRow
from coterie.screens.timeline_rows import Notice, RowMaker, TimelineRows

UNREAD_ROWS_MAX: Final = 1_000
"""The beginning of what is unread is loaded at once up to this far back."""


class OpenTimeline:
    """shown: this is the selected conversation; else changes are kept and nothing is told."""

    def __init__(self, conversation: ConversationId, make: RowMaker) -> None:
        self.id = conversation
        self.rows = TimelineRows(make)
        self.loaded = False
        self._asking = False
        self._sought = 0
        """Message.order of what is to be brought into view once it is read, 0 for nothing."""
        self._unseen = 0
        self._line_order = 0
        self._line_seen = True
        self._viewed_order = 0
        self._read_order = 0

    def open(self, about: Conversation | None, batch: Batch, order: int = 0) -> None:
        """It is selected now: tell its rows, or ask for them; order: of the message to begin at, if any."""
        self._line_order, self._unseen, self._line_seen = 0, 0, True
        self._viewed_order = 0
        self._sought = 0
        if about is not None and about.unread:
            self._line_order, self._unseen, self._line_seen = about.first_unread_order, about.unread, False
        self.rows.set_unread(self._line_order, self._unseen, None)
        if not self.rows.at_newest:
            self.rows.load_part((), False, True)
            self.loaded = False
        self.rows.reset(batch)
        if order:
            self.seek(order, batch)
        elif not self.loaded and not self._asking:
            self._ask_newest(batch)

    def seek(self, order: int, batch: Batch) -> None:
        """Bring the message of this order into view, with what stands around it. Told when it is there."""
        if (key := self.rows.key_of(order)) is not None:
            self._sought = 0
            batch.show(ReachRow(key))
        else:
            self._sought = order
            batch.ask(ReadAround(self.id, order))

    def rows_came(self, fact: HistoryRead | AroundRead | LaterRead, batch: Batch | None) -> None:
        """What was asked for was read."""
        match fact:
            case HistoryRead():
                self._page(fact, batch)
            case AroundRead():
                self._around(fact, batch)
            case LaterRead():
                self._later(fact, batch)
            case _:
                assert_never(fact)

    def _around(self, fact: AroundRead, batch: Batch | None) -> None:
        """The surroundings of a message were read; of one that is sought no more they are not wanted."""
        if fact.asked.order != self._sought:
            return
        self._sought = 0
        self.loaded = True
        if self.rows.key_of(fact.asked.order) is None:
            complete, at_newest = len(fact.before) < AROUND_ROWS, len(fact.after) < AROUND_ROWS
            self.rows.load_part((*fact.before, *fact.after), complete, at_newest)
            if batch is not None:
                self.rows.reset(batch)
        key = self.rows.key_of(fact.asked.order)
        if batch is not None and key is not None:
            batch.show(ReachRow(key))

    def newest(self, batch: Batch) -> None:
        """Show the newest row, wherever the person has got to."""
        self._sought = 0
        batch.show(ReachEnd())
        if not self._asking and not (self.loaded and self.rows.at_newest):
            self._ask_newest(batch)

    def reach_bottom(self, batch: Batch) -> None:
        """The last row here is nearly visible: ask for the page after it, where there is one."""
        if self.loaded and not self._asking and not self.rows.at_newest:
            self._asking = True
            batch.ask(ReadLater(self.id, self.rows.newest_order))

    def _later(self, fact: LaterRead, batch: Batch | None) -> None:
        """The page after the last row was read, unless another part of the conversation is here by now."""
        self._asking = False
        if not self.rows.at_newest and fact.asked.after == self.rows.newest_order:
            self.rows.newer(fact.messages, len(fact.messages) < PAGE_ROWS, batch)

    def _ask_newest(self, batch: Batch) -> None:
        self._asking = True
        batch.ask(ReadHistory(self.id, limit=min(max(PAGE_ROWS, self._unseen + 20), UNREAD_ROWS_MAX)))

    def _page(self, fact: HistoryRead, batch: Batch | None) -> None:
        """A page was read."""
        self._asking = False
        complete = len(fact.messages) < fact.asked.limit
        if fact.asked.before is None:
            self.loaded = True
            if self.rows.at_newest:
                self.rows.load(fact.messages, complete)
            else:
                self.rows.load_part(fact.messages, complete, True)
            if batch is not None:
                self.rows.reset(batch)
        elif fact.asked.before == self.rows.oldest_order:
            self.rows.older(fact.messages, complete, batch)

    def failed(self) -> None:
        """A page could not be read; scrolling asks again."""
        self._asking, self._sought = False, 0

    def reach_top(self, batch: Batch) -> None:
        """The oldest row here is nearly visible: ask for the page before it."""
        before = self.rows.oldest_order
        if self.loaded and not self._asking and not self.rows.complete and before is not None:
            self._asking = True
            batch.ask(ReadHistory(self.id, before=before))

    def put(self, message: Message, batch: Batch | None) -> None:
        """A message of this device, or another state of a known one."""
        self.rows.put(message, batch)

    def arrived(self, message: Message, watched: bool, batch: Batch | None) -> None:
        """A message from another device. The first that nobody sees arrive begins the unread line."""
        if batch is not None and not message.own and not watched and message.order > self.rows.newest_order:
            if self._line_seen:
                self._line_order, self._unseen, self._line_seen = message.order, 0, False
            self._unseen += 1
            self.rows.set_unread(self._line_order, self._unseen, batch)
        self.rows.put(message, batch)
        if batch is not None and watched:
            self.rows.trim(batch)

    def wrote(self, batch: Batch) -> None:
        """The person wrote here: what was unread is read."""
        self._line_order, self._unseen, self._line_seen = 0, 0, True
        self.rows.set_unread(0, 0, batch)

    def notice(self, notice: Notice, batch: Batch | None) -> None:
        self.rows.notice(notice, batch)

    def viewed(self, order: int, about: Conversation | None, batch: Batch) -> None:
        """Everything up to this order was looked at."""
        self._viewed_order = max(self._viewed_order, order)
        if self._viewed_order >= self.rows.newest_order:
            self._line_seen = True
        self.mark(about, batch)

    def mark(self, about: Conversation | None, batch: Batch) -> None:
        """Have what was looked at marked as read."""
        if about is None or not about.unread or self._viewed_order < about.first_unread_order:
            return
        if self._viewed_order > self._read_order:
            self._read_order = self._viewed_order
            batch.ask(SetRead(self.id, self._viewed_order))
