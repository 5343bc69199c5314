"""What people are told of their server: that it was restored, and what its ledger does not show."""

from __future__ import annotations

from typing import assert_never

from coterie.client.events import NameWentBack, NotInLedger, ServerRestored
from coterie.screens.i18n import Text, say
from coterie.screens.moments import Calendar

ServerNews = NotInLedger | ServerRestored | NameWentBack


def server_line(event: ServerNews, calendar: Calendar) -> str:
    """One sentence about it."""
    match event:
        case NotInLedger(name):
            return say(Text.NOT_IN_LEDGER, name=name)
        case ServerRestored(copied_ms):
            return say(Text.SERVER_RESTORED, when=calendar.day_words(copied_ms))
        case NameWentBack(person):
            return say(Text.NAME_WENT_BACK, name=person.name)
        case _:
            assert_never(event)
