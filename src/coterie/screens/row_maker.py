"""Makes rows of messages: everything that a screen will draw is formatted here."""

from __future__ import annotations

from datetime import date
from typing import Final

from coterie.base.clock import Clock
from coterie.base.ids import MessageId, UserName
from coterie.client.events import Message, MessageState, NotFor
from coterie.screens.avatars import colour_index, initials
from coterie.screens.i18n import Text, refusal, say, unread_line
from coterie.screens.moments import Calendar
from coterie.screens.richtext import Block, IsName, Paragraph, Span, Style, large_emoji, rich
from coterie.screens.rows import MessageRow, Tick
from coterie.screens.theme import DARK

AVATAR_COLOURS: Final = len(DARK.colours.avatars)
BLOCKS_MAX: Final = 20_000
"""Formatted texts that are kept, so that a neighbour's change does not format a text again."""
NOTES_MAX: Final = 3

_TICKS: Final = {
    MessageState.QUEUED: Tick.QUEUED,
    MessageState.SENT: Tick.SENT,
    MessageState.RECEIVED: Tick.SENT,
}


class MessageFormat:
    """Formats for one person: whose names are known, in which zone, at what time."""

    def __init__(self, me: UserName, is_name: IsName, calendar: Calendar, clock: Clock) -> None:
        self._me = me
        self._is_name = is_name
        self._calendar = calendar
        self._clock = clock
        self._blocks: dict[MessageId, tuple[Block, ...]] = {}

    def message(self, message: Message, *, opens: bool, closes: bool) -> MessageRow:
        blocks = self._blocks_of(message)
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
            large=large_emoji(blocks),
            time=self._calendar.time(message.sent_at_ms),
            tick=_TICKS[message.state] if message.own else Tick.NONE,
            notes=self._notes(message.not_for),
            text=message.text if message.readable else say(Text.UNREADABLE),
        )

    def day(self, at_ms: int) -> date:
        return self._calendar.day(at_ms)

    def day_line(self, day: date) -> str:
        return self._calendar.day_line(day, self._clock.wall_ms())

    def unread_line(self, count: int) -> str:
        return unread_line(count)

    def forget(self) -> None:
        """Format every text anew from now on: names became known."""
        self._blocks.clear()

    def _blocks_of(self, message: Message) -> tuple[Block, ...]:
        if not message.readable:
            return (Paragraph((Span(say(Text.UNREADABLE), Style.FAINT),)),)
        known = self._blocks.get(message.id)
        if known is None:
            if len(self._blocks) >= BLOCKS_MAX:
                self._blocks.clear()
            known = self._blocks[message.id] = rich(message.text, self._is_name)
        return known

    def _notes(self, left_out: tuple[NotFor, ...]) -> tuple[str, ...]:
        notes = tuple(self._note(each) for each in left_out[:NOTES_MAX])
        more = len(left_out) - NOTES_MAX
        return notes if more <= 0 else (*notes, say(Text.NOT_FOR_MORE, count=more))

    def _note(self, left_out: NotFor) -> str:
        device = left_out.device_name or say(Text.DEVICE_UNNAMED)
        reason = refusal(left_out.reason)
        if left_out.name == self._me:
            return say(Text.NOT_FOR_YOURS, device=device, reason=reason)
        return say(Text.NOT_FOR, name=left_out.name, device=device, reason=reason)
