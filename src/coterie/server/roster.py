"""Who is connected: the connection of each signed-in device, and what others are told of it.

A person is online while any device of theirs is. Changes are told once in limits.PRESENCE_SECONDS, and only
those that lasted until then: a reconnect within that time is none.
"""

from __future__ import annotations

from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.server.caller import SignedIn
from coterie.server.connection import Connection
from coterie.wire.codec import Packed, pack
from coterie.wire.frames import Presence
from coterie.wire.frames.messages import OnlinePerson

PEOPLE_PER_FRAME = 100


class Roster:
    """Only the gateway's turn calls it."""

    def __init__(self) -> None:
        self._by_device: dict[DeviceId, Connection] = {}
        self._devices: dict[AccountId, int] = {}
        self._names: dict[AccountId, UserName] = {}
        self._told: set[AccountId] = set()
        self._list: tuple[Packed, ...] = ()
        """Of those who were told, as long as it is true; empty then."""
        self._changed: set[AccountId] = set()
        self._elsewhere: dict[AccountId, UserName] = {}
        self.moves: dict[DeviceId, SignedIn | None] | None = None
        """Where other servers have to know: who came (or left: None) since somebody took these."""

    @property
    def connections(self) -> list[Connection]:
        """Of every signed-in device."""
        return list(self._by_device.values())

    @property
    def people_online(self) -> int:
        return len(self._devices)

    def connection_of(self, device: DeviceId) -> Connection | None:
        return self._by_device.get(device)

    def enter(self, who: SignedIn, connection: Connection) -> None:
        """A device has signed in; it has no other connection any more."""
        self._by_device[who.device] = connection
        self._devices[who.account] = self._devices.get(who.account, 0) + 1
        self._names[who.account] = who.name
        self._changed.add(who.account)
        if self.moves is not None:
            self.moves[who.device] = who

    def leave(self, who: SignedIn, connection: Connection) -> None:
        """A connection is gone; nothing where it is not the device's."""
        if self._by_device.get(who.device) is not connection:
            return
        del self._by_device[who.device]
        left = self._devices[who.account] - 1
        if left:
            self._devices[who.account] = left
        else:
            del self._devices[who.account]
        self._changed.add(who.account)
        if self.moves is not None:
            self.moves[who.device] = None

    def elsewhere(self, people: dict[AccountId, UserName]) -> None:
        """Who has a device at another server, all of them."""
        self._changed |= people.keys() ^ self._elsewhere.keys()
        self._names |= people
        self._elsewhere = people

    def everybody(self) -> tuple[Packed, ...]:
        """The whole list, for who has just come, in parts: each says that it is one.

        It is what everybody was told last: what has changed since then comes to all of them alike. So it
        stands for a second at least, however many come.
        """
        if not self._list:
            people = [OnlinePerson(account, self._names[account], True) for account in self._told]
            self._list = tuple(map(pack, _frames(people, initial=True)))
        return self._list

    @property
    def has_changes(self) -> bool:
        """Whether changes() may have some."""
        return bool(self._changed)

    def changes(self) -> list[Presence]:
        """What has changed since the last call."""
        people = []
        for account in self._changed:
            online = account in self._devices or account in self._elsewhere
            if online != (account in self._told):
                people.append(OnlinePerson(account, self._names[account], online))
                (self._told.add if online else self._told.discard)(account)
            if not online:
                del self._names[account]
        self._changed.clear()
        if not people:
            return []
        self._list = ()
        return _frames(people, initial=False)


def _frames(people: list[OnlinePerson], *, initial: bool) -> list[Presence]:
    cuts = range(0, max(1, len(people)), PEOPLE_PER_FRAME)
    return [Presence(tuple(people[at : at + PEOPLE_PER_FRAME]), initial) for at in cuts]
