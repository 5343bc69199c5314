"""Makes rows of messages: everything that a screen will draw is formatted here."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from coterie.base.clock import Clock
from coterie.base.ids import MessageId, UserName
from coterie.client.events import Message, MessageState, NotFor
from coterie.screens.avatars import colour_index, initials
from coterie.screens.cleaning import clean, loose
from coterie.screens.i18n import Text, refusal, say, unread_line
from coterie.screens.moments import Calendar
from coterie.screens.richtext import Block, IsName, Paragraph, Span, Style, large_emoji, rich
from coterie.screens.rows import MessageRow, Tick
from coterie.screens.theme import DARK

AVATAR_COLOURS: Final = len(DARK.colours.avatars)
ROWS_MAX: Final = 10_000
"""Rows that are kept, so that a neighbour's change does not format a text again."""
CUT_CHARACTERS: Final = 6_000
CUT_LINES: Final = 120
"""A longer message is shown to here; the rest follows when the person asks for it."""
NOTES_MAX: Final = 3

_TICKS: Final = {
    MessageState.QUEUED: Tick.QUEUED,
    MessageState.SENT: Tick.SENT,
    MessageState.DELIVERED: Tick.DELIVERED,
    MessageState.UNSURE: Tick.NONE,
    MessageState.RECEIVED: Tick.SENT,
}


class MessageFormat:
    """Formats for one person: whose names are known, in which zone, at what time."""

    def __init__(self, me: UserName, is_name: IsName, calendar: Calendar, clock: Clock) -> None:
        self._me = me
        self._is_name = is_name
        self._calendar = calendar
        self._clock = clock
        self._rows: dict[MessageId, tuple[Message, MessageRow]] = {}
        self._whole: set[MessageId] = set()

    def message(self, message: Message, *, opens: bool, closes: bool) -> MessageRow:
        known = self._rows.get(message.id)
        if known is None or known[0] is not message:
            row = self._made(message, opens=opens, closes=closes)
        elif (known[1].opens, known[1].closes) == (opens, closes):
            return known[1]
        else:
            row = msgspec.structs.replace(known[1], opens=opens, closes=closes)
        if len(self._rows) >= ROWS_MAX:
            self._rows.clear()
        self._rows[message.id] = (message, row)
        return row

    def show_whole(self, message: MessageId) -> None:
        """Cut this message no longer."""
        self._whole.add(message)
        self._rows.pop(message, None)

    def _made(self, message: Message, *, opens: bool, closes: bool) -> MessageRow:
        blocks, cut = self._blocks_of(message)
        return MessageRow(
            key=message.id.hex(),
            order=message.order,
            own=message.own,
            sender=message.sender,
            initials=initials(message.sender),
            colour=colour_index(message.sender, AVATAR_COLOURS),
            opens=opens,
            closes=closes,
            blocks=blocks,
            cut=cut,
            large=large_emoji(blocks),
            time=self._calendar.time(message.sent_at_ms),
            tick=_TICKS[message.state] if message.own else Tick.NONE,
            notes=self._notes(message),
            text=message.text if message.readable else say(Text.UNREADABLE),
        )

    def day(self, at_ms: int) -> date:
        return self._calendar.day(at_ms)

    def day_line(self, day: date) -> str:
        return self._calendar.day_line(day, self._clock.wall_ms())

    def unread_line(self, count: int) -> str:
        return unread_line(count)

    def _blocks_of(self, message: Message) -> tuple[tuple[Block, ...], bool]:
        """The blocks, and whether they end before the message does."""
        if not message.readable:
            return (Paragraph((Span(say(Text.UNREADABLE), Style.FAINT),)),), False
        text = message.text if message.id in self._whole else _cut(message.text)
        return rich(text, self._is_name), len(text) < len(message.text)

    def _notes(self, message: Message) -> tuple[str, ...]:
        if message.state is MessageState.UNSURE:
            return (say(Text.UNSURE),)
        left_out = message.not_for
        notes = tuple(self._note(each) for each in left_out[:NOTES_MAX])
        more = len(left_out) - NOTES_MAX
        return notes if more <= 0 else (*notes, say(Text.NOT_FOR_MORE, count=more))

    def _note(self, left_out: NotFor) -> str:
        device = loose(" ".join(clean(left_out.device_name).split())) or say(Text.DEVICE_UNNAMED)
        reason = refusal(left_out.reason)
        if left_out.name == self._me:
            return say(Text.NOT_FOR_YOURS, device=device, reason=reason)
        return say(Text.NOT_FOR, name=left_out.name, device=device, reason=reason)


def _cut(text: str) -> str:
    """The beginning of a text that is shown at first."""
    text = text[:CUT_CHARACTERS]
    lines = text.split("\n", CUT_LINES)
    return text if len(lines) <= CUT_LINES else "\n".join(lines[:CUT_LINES])
