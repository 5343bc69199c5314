"""What is searched for, and what was found: rows, the line above them, and the one that is chosen.

Asking takes a moment, so a person's next letter may come before an answer: every question has a number, and
only the answer to the newest is taken.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.ids import ConversationId
from coterie.client.events import Message
from coterie.screens.avatars import colour_index, initials
from coterie.screens.hits import Hits
from coterie.screens.i18n import Text, found_line, refusal, say
from coterie.screens.intents import FOUND_ROWS, FindMessages, MessagesFound
from coterie.screens.moments import Calendar
from coterie.screens.richtext import Span
from coterie.screens.row_maker import AVATAR_COLOURS
from coterie.screens.rows import FoundRow
from coterie.screens.signals import Append, Batch, Place, Reset, Scope, SearchShown, Update

FOUND_MAX: Final = 1_000
"""More than these are not read: further words find more than further pages."""


class Titles(Protocol):
    """What conversations are called (list_rows.py)."""

    def title(self, conversation: ConversationId) -> str: ...


class Searching:
    """One search at a time. here: the conversation that was open when it began."""

    def __init__(self, titles: Titles, calendar: Calendar, clock: Clock) -> None:
        self._titles = titles
        self._calendar = calendar
        self._clock = clock
        self._here: ConversationId | None = None
        self._words = ""
        self._hits = Hits("")
        self._asked: FindMessages | None = None
        self._waits = False
        """The newest question has no answer yet."""
        self._more = False
        """There may be messages beyond the last row."""
        self._number = 0
        self._chosen: int | None = None
        self._rows: list[FoundRow] = []
        self.scope = Scope.CLOSED

    @property
    def chosen(self) -> FoundRow | None:
        """The row that Enter opens."""
        return None if self._chosen is None else self._rows[self._chosen]

    def open(self, scope: Scope, here: ConversationId | None, batch: Batch) -> None:
        """Search there from now on, for the words that stand in the field already."""
        self.scope, self._here = scope, here
        self._clear(batch)
        batch.show(SearchShown(scope, self._line()))

    def words(self, words: str, batch: Batch) -> None:
        """Other words. What was found stays until there is an answer; find() asks."""
        words = words.strip()
        if words == self._words:
            return
        self._words, self._hits = words, Hits(words)
        self._asked, self._waits, self._more = None, False, False
        if not words:
            self._clear(batch)
        batch.show(SearchShown(self.scope, self._line()))

    def find(self, batch: Batch) -> None:
        """The person paused: ask, unless that was done."""
        if self.scope is not Scope.CLOSED and self._words and self._asked is None:
            self._ask(None, batch)

    def reach_end(self, batch: Batch) -> None:
        """The last row is nearly visible: ask for the page after it."""
        if self._more and not self._waits and self._rows:
            self._ask(self._rows[-1].order, batch)

    def found(self, fact: MessagesFound, batch: Batch) -> None:
        """An answer; one that was not asked for any more is dropped."""
        if fact.asked != self._asked:
            return
        rows = [self._row(message) for message in fact.messages]
        first = fact.asked.before is None
        self._waits = False
        if first:
            choose = bool(rows) and self.scope is not Scope.NAMES
            self._chosen = 0 if choose else None
            self._rows = [
                msgspec.structs.replace(row, selected=choose and not at) for at, row in enumerate(rows)
            ]
            batch.show(Reset(Place.FOUND, tuple(self._rows)))
        elif rows:
            self._rows += rows
            batch.show(Append(Place.FOUND, tuple(rows)))
        self._more = len(rows) >= FOUND_ROWS and len(self._rows) < FOUND_MAX
        batch.show(SearchShown(self.scope, self._line()))

    def failed(self, asked: FindMessages, code: Code, batch: Batch) -> None:
        """The store could not be asked."""
        if asked == self._asked:
            self._waits = False
            batch.show(SearchShown(self.scope, refusal(code)))

    def step(self, by: int, batch: Batch) -> None:
        """Choose the row so many further down (up: negative)."""
        if self._rows:
            at = (-1 if by > 0 else len(self._rows)) if self._chosen is None else self._chosen
            self._choose(min(max(at + by, 0), len(self._rows) - 1), batch)

    def choose(self, key: str, batch: Batch) -> None:
        """Choose the row with the key, where there is one."""
        at = next((at for at, row in enumerate(self._rows) if row.key == key), None)
        if at is not None:
            self._choose(at, batch)

    def close(self, batch: Batch) -> None:
        """Forget the search."""
        self.scope, self._here = Scope.CLOSED, None
        self._words, self._hits = "", Hits("")
        self._clear(batch)
        batch.show(SearchShown(Scope.CLOSED, ""))

    def _clear(self, batch: Batch) -> None:
        self._asked, self._waits, self._more, self._chosen = None, False, False, None
        if self._rows:
            self._rows = []
            batch.show(Reset(Place.FOUND, ()))

    def _ask(self, before: int | None, batch: Batch) -> None:
        self._number += 1
        within = self._here if self.scope is Scope.HERE else None
        self._asked = FindMessages(self._number, self._words, within, before)
        self._waits = True
        batch.ask(self._asked)

    def _choose(self, index: int, batch: Batch) -> None:
        before, self._chosen = self._chosen, index
        for at in {before, index} - {None}:
            if at is not None:
                row = msgspec.structs.replace(self._rows[at], selected=at == index)
                if row != self._rows[at]:
                    self._rows[at] = row
                    batch.show(Update(Place.FOUND, at, row))

    def _line(self) -> str:
        title = self._titles.title(self._here) if self._here is not None else ""
        here = self.scope is Scope.HERE
        if not self._words:
            return say(Text.FIND_HERE, title=title) if here else say(Text.FIND_EVERYWHERE)
        where = say(Text.FOUND_HERE, title=title) if here else say(Text.FOUND_EVERYWHERE)
        answered = self._asked is not None and not (self._waits and self._asked.before is None)
        return found_line(where, len(self._rows), self._more) if answered else where

    def _row(self, message: Message) -> FoundRow:
        sender = say(Text.YOU) if message.own else message.sender
        title = sender if self.scope is Scope.HERE else self._titles.title(message.conversation)
        line = self._hits.snippet(message.text)
        if sender != title:
            line = (Span(say(Text.PREVIEW_FROM, name=sender)), *line)
        face = message.sender if self.scope is Scope.HERE else title
        return FoundRow(
            key=f"{message.order}",
            conversation=message.conversation,
            message=message.id,
            order=message.order,
            title=title,
            initials=initials(face),
            colour=colour_index(face, AVATAR_COLOURS),
            line=line,
            time=self._calendar.short(message.sent_at_ms, self._clock.wall_ms()),
            selected=False,
        )
