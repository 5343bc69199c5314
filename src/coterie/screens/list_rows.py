"""The rows of the conversation list: conversations by their newest message, then everybody else who is there.

Every person has a row, with or without a conversation, so that a click on anybody addresses them.
"""

from __future__ import annotations

import bisect

import msgspec

from coterie.base.clock import Clock
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, ConversationId, UserName
from coterie.client.events import Conversation, ConversationKind, Message, Person
from coterie.screens.avatars import colour_index, initials
from coterie.screens.header import mark_of
from coterie.screens.i18n import Text, presence_of, say
from coterie.screens.moments import Calendar
from coterie.screens.richtext import Span, Style, preview
from coterie.screens.row_maker import AVATAR_COLOURS
from coterie.screens.rows import ListRow, Presence
from coterie.screens.signals import Append, Batch, Insert, Place, Remove, Reset, Update

SortKey = tuple[int, int, str]


class Known(msgspec.Struct):
    """What is known of one row: at least one of the two."""

    conversation: Conversation | None = None
    person: Person | None = None


class ListRows:
    """Everybody and everything one can write to."""

    def __init__(
        self, account: AccountId, everyone: ConversationId, calendar: Calendar, clock: Clock
    ) -> None:
        self.account = account
        """One's own: another one once that goes on under another identity."""
        self._everyone = everyone
        self._calendar = calendar
        self._clock = clock
        self._known: dict[ConversationId, Known] = {everyone: Known()}
        self._drafts: dict[ConversationId, str] = {}
        self._placed: dict[ConversationId, SortKey] = {}
        self._order: list[SortKey] = []
        self._rows: list[ListRow] = []
        self._needle = ""
        self.selected: ConversationId | None = None
        self.watched = False
        """The selected conversation is being looked at: what arrives there is not unread."""

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """The rows that are shown: all, or those that match what is searched for."""
        if not self._needle:
            return tuple(self._rows)
        return tuple(row for row in self._rows if self._needle in row.title.casefold())

    def person(self, person: Person, batch: Batch | None) -> None:
        """Somebody is new, or came or went."""
        conversation = direct_id(self.account, person.account)
        self._known.setdefault(conversation, Known()).person = person
        self.refresh(conversation, batch)

    def conversation(self, conversation: Conversation, batch: Batch | None) -> None:
        """A conversation is new or changed."""
        known = self._known.setdefault(conversation.id, Known())
        known.conversation = conversation
        if known.person is None:
            known.person = conversation.peer
        self.refresh(conversation.id, batch)

    def draft(self, conversation: ConversationId, text: str, batch: Batch | None) -> None:
        """What waits in the composer of a conversation that is not selected."""
        if self._drafts.get(conversation, "") != text:
            self._drafts[conversation] = text
            self.refresh(conversation, batch)

    def select(self, conversation: ConversationId, batch: Batch) -> None:
        before, self.selected = self.selected, conversation
        for each in {before, conversation} - {None}:
            if each is not None:
                self.refresh(each, batch)

    def search(self, needle: str, batch: Batch) -> None:
        """Show only rows whose title contains the needle; empty: all."""
        self._needle = needle.strip().casefold()
        batch.show(Reset(Place.LIST, self.rows))

    def of(self, conversation: ConversationId) -> Known | None:
        return self._known.get(conversation)

    def refresh(self, conversation: ConversationId, batch: Batch | None) -> None:
        """Make the row of a conversation anew, and move it to where it belongs."""
        known = self._known.setdefault(conversation, Known())
        key, row = self._sort_key(conversation, known), self._row(conversation, known)
        before = self._placed.get(conversation)
        quiet = Batch() if batch is None or self._needle else batch
        if before == key:
            at = bisect.bisect_left(self._order, key)
            if self._rows[at] == row:
                return
            self._rows[at] = row
            quiet.show(Update(Place.LIST, at, row))
        else:
            if before is not None:
                at = bisect.bisect_left(self._order, before)
                del self._order[at], self._rows[at]
                quiet.show(Remove(Place.LIST, at, 1))
            at = bisect.bisect_left(self._order, key)
            self._order.insert(at, key)
            self._rows.insert(at, row)
            self._placed[conversation] = key
            at_end = at == len(self._rows) - 1
            quiet.show(Append(Place.LIST, (row,)) if at_end else Insert(Place.LIST, at, (row,)))
        if batch is not None and self._needle:
            batch.show(Reset(Place.LIST, self.rows))

    def title(self, conversation: ConversationId) -> str:
        """How a conversation is called."""
        known = self._known.get(conversation)
        if conversation == self._everyone:
            return say(Text.EVERYONE)
        if known is not None and known.person is not None:
            return say(Text.NOTES) if known.person.me else known.person.name
        if known is not None and known.conversation is not None:
            return known.conversation.target
        return ""

    def _sort_key(self, conversation: ConversationId, known: Known) -> SortKey:
        """Newest message first; then everyone; then people: online, offline, oneself."""
        own = conversation.hex()
        if known.conversation is not None and known.conversation.last is not None:
            return (0, -known.conversation.last.order, own)
        if conversation == self._everyone:
            return (1, 0, own)
        if known.person is None:
            return (4, 0, own)
        group = 5 if known.person.me else 2 if known.person.online else 3
        return (group, 0, f"{known.person.name.casefold()}\0{own}")

    def _row(self, conversation: ConversationId, known: Known) -> ListRow:
        title, about = self.title(conversation), known.conversation
        selected = conversation == self.selected
        spans, faint = self._preview(conversation, known)
        unread = 0 if about is None or (selected and self.watched) else about.unread
        return ListRow(
            key=conversation.hex(),
            conversation=conversation,
            title=title,
            initials=initials(title),
            colour=colour_index(title, AVATAR_COLOURS),
            presence=self._presence(conversation, known.person),
            mark=mark_of(known.person),
            preview=spans,
            faint_preview=faint,
            time="" if about is None or about.last is None else self._time(about.last),
            unread=unread,
            selected=selected,
        )

    def _presence(self, conversation: ConversationId, person: Person | None) -> Presence:
        if conversation == self._everyone or person is None or person.me:
            return Presence.NONE
        return Presence.ONLINE if person.online else Presence.OFFLINE

    def _preview(self, conversation: ConversationId, known: Known) -> tuple[tuple[Span, ...], bool]:
        draft = self._drafts.get(conversation, "")
        if draft.strip() and conversation != self.selected:
            return (Span(say(Text.DRAFT), Style.MENTION), *preview(draft)), True
        last = None if known.conversation is None else known.conversation.last
        if last is not None:
            return self._last(known, last), False
        if conversation == self._everyone:
            return (Span(say(Text.OPEN_TO_ALL)),), True
        person = known.person
        if person is None or person.me:
            return (), True
        return (Span(say(presence_of(person))),), True

    def _last(self, known: Known, last: Message) -> tuple[Span, ...]:
        spans = preview(last.text) if last.readable else (Span(say(Text.UNREADABLE)),)
        direct = known.conversation is not None and known.conversation.kind is ConversationKind.DIRECT
        if last.own:
            notes = known.person is not None and known.person.me
            return spans if direct and notes else (Span(say(Text.PREVIEW_FROM, name=say(Text.YOU))), *spans)
        return spans if direct else (Span(say(Text.PREVIEW_FROM, name=UserName(last.sender))), *spans)

    def _time(self, last: Message) -> str:
        return self._calendar.short(last.sent_at_ms, self._clock.wall_ms())
