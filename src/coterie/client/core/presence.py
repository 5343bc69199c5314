"""Who is connected."""

from __future__ import annotations

from coterie.base.ids import AccountId
from coterie.client.core.people import People
from coterie.client.events import Event, PersonAppeared, PresenceChanged
from coterie.wire.frames import Presence


class PresenceList:
    """Keeps the set in people.online; tells of proven people only."""

    def __init__(self, people: People) -> None:
        self._people = people

    def changed(self, frame: Presence) -> tuple[Event, ...]:
        """Take a part of the list, which begins with nobody on each connection, or changes."""
        before = set(self._people.online)
        for each in frame.people:
            account = AccountId(each.account)
            if each.online:
                self._people.online.add(account)
            else:
                self._people.online.discard(account)
        changed = sorted(before ^ self._people.online)
        return tuple(
            PresenceChanged(self._people.person(account), frame.initial)
            for account in changed
            if account in self._people.rows
        )

    def appeared(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """People proven only now who are connected already."""
        return tuple(
            PresenceChanged(event.person, True)
            for event in events
            if isinstance(event, PersonAppeared) and event.person.online
        )

    def disconnected(self) -> tuple[Event, ...]:
        """Without a connection nobody is known to be there."""
        gone = sorted(self._people.online)
        self._people.online.clear()
        return tuple(
            PresenceChanged(self._people.person(account), True)
            for account in gone
            if account in self._people.rows
        )
