"""A message as one line for a person."""

from __future__ import annotations

from coterie.cli.output import harmless
from coterie.client.events import Message
from coterie.screens.i18n import Text
from coterie.screens.moments import Calendar

_INDENT = "\n      "


def message_line(message: Message, calendar: Calendar) -> str:
    """Time, conversation, who, text; further lines of the text are indented."""
    who = Text.YOU.value if message.own else message.sender
    text = harmless(message.text) if message.readable else f"({Text.UNREADABLE.value})"
    state = "" if message.seq else f" [{message.state.value}]"
    line = f"{calendar.time(message.sent_at_ms)} {message.target} {who}: {text}{state}"
    return line.replace("\n", _INDENT)
