"""What stands above the timeline."""

from __future__ import annotations

from coterie.client.events import Person
from coterie.screens.i18n import SEPARATOR, Text, online_line, presence_of, say
from coterie.screens.rows import Header, Mark


def everyone_header(online: int) -> Header:
    """Of the conversation that everybody on the server reads. online: how many people are connected."""
    about = (say(Text.OPEN_TO_ALL), online_line(online), say(Text.ENCRYPTED))
    return Header(say(Text.EVERYONE), SEPARATOR.join(about))


def mark_of(person: Person | None) -> Mark:
    """What stands behind somebody's name."""
    if person is None or person.me:
        return Mark.NONE
    return Mark.CHANGED if person.changed else Mark.VERIFIED if person.verified else Mark.NONE


def direct_header(title: str, person: Person | None) -> Header:
    """Of a conversation with one person, or with oneself."""
    about: list[str] = []
    if person is not None and person.me:
        about.append(say(Text.ONLY_YOU))
    elif person is not None:
        about.append(say(presence_of(person)))
        if person.verified:
            about.append(say(Text.VERIFIED))
        if person.changed:
            about.append(say(Text.IDENTITY_CHANGED))
    return Header(title, SEPARATOR.join([*about, say(Text.ENCRYPTED)]), mark_of(person))
