"""A conversation that was opened: its rows, what of them is unread, and what is asked of the store for it."""

from __future__ import annotations

from typing import Final

from coterie.base.ids import ConversationId
from coterie.client.events import Conversation, Message
from coterie.screens.intents import PAGE_ROWS, HistoryRead, ReadHistory, SetRead
from coterie.screens.signals import Batch
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
        self._unseen = 0
        self._line_order = 0
        self._line_seen = True
        self._viewed_order = 0
        self._read_order = 0

    def open(self, about: Conversation | None, batch: Batch) -> None:
        """It is selected now: tell its rows, or ask for them."""
        self._line_order, self._unseen, self._line_seen = 0, 0, True
        self._viewed_order = 0
        if about is not None and about.unread:
            self._line_order, self._unseen, self._line_seen = about.first_unread_order, about.unread, False
        self.rows.set_unread(self._line_order, self._unseen, None)
        self.rows.reset(batch)
        if not self.loaded and not self._asking:
            self._asking = True
            batch.ask(ReadHistory(self.id, limit=min(max(PAGE_ROWS, self._unseen + 20), UNREAD_ROWS_MAX)))

    def page(self, fact: HistoryRead, batch: Batch | None) -> None:
        """A page was read."""
        self._asking = False
        complete = len(fact.messages) < fact.asked.limit
        if fact.asked.before is None:
            self.loaded = True
            self.rows.load(fact.messages, complete)
            if batch is not None:
                self.rows.reset(batch)
        else:
            self.rows.older(fact.messages, complete, batch)

    def failed(self) -> None:
        """A page could not be read; scrolling asks again."""
        self._asking = False

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
