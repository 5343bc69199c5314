"""A device that signs in while it is connected already: a reconnect, a copy, or a dead old connection.

The older connection is pinged; if it answers in time, the newer one is a copy (encryption rule 28).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from coterie.base import limits
from coterie.base.ids import DeviceId
from coterie.server.caller import Rival
from coterie.server.connection import Connection
from coterie.server.roster import Roster
from coterie.wire.frames import ClientFrame, ProveDevice


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A frame that waits for its turn. arrived_at: in seconds of the monotonic clock. rival: what asking came
    to, where the frame was put back for that."""

    connection: Connection
    frame: ClientFrame
    arrived_at: float = 0.0
    rival: Rival | None = None


class _Asked(msgspec.Struct, frozen=True):
    """visit: None where another server waits for the answer."""

    visit: Visit | None
    rival: Connection
    until_seconds: float


class Rivals:
    """Visits that wait for an older connection to answer."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.asked: list[_Asked] = []
        """Whoever waits."""
        self.answered: list[Connection] = []
        """Pinged for another server, and answered since somebody looked last."""

    def ping(self, connection: Connection) -> None:
        """Another server wants to know whether this one answers."""
        connection.pipe.ping()
        self.asked.append(_Asked(None, connection, float("inf")))

    def of(self, visit: Visit) -> Connection | None:
        """The other connection of the device that wants to sign in."""
        if not isinstance(visit.frame, ProveDevice):
            return None
        older = self._roster.connection_of(DeviceId(visit.frame.device))
        return older if older is not visit.connection else None

    def ask(self, visit: Visit, now_seconds: float) -> list[Visit]:
        """Ping the older connection. Visits that need not wait for that come back at once."""
        older = self.of(visit)
        if older is None:
            return [msgspec.structs.replace(visit, rival=Rival.SILENT)]
        older.pipe.ping()
        self.asked.append(_Asked(visit, older, now_seconds + limits.COPIED_PROFILE_PING_SECONDS))
        return []

    def heard(self, connection: Connection) -> list[Visit]:
        """A connection said something: who waited for that may go on."""
        return self._take(lambda asked: asked.rival is connection, Rival.ANSWERED) if self.asked else []

    def gone(self, connection: Connection) -> list[Visit]:
        """A connection is gone."""
        if not self.asked:
            return []
        self.asked = [
            asked for asked in self.asked if asked.visit is None or asked.visit.connection is not connection
        ]
        return self._take(lambda asked: asked.rival is connection, Rival.SILENT)

    def expired(self, now_seconds: float) -> list[Visit]:
        """Those whose older connection did not answer in time."""
        return self._take(lambda asked: asked.until_seconds <= now_seconds, Rival.SILENT)

    def _take(self, matches: Callable[[_Asked], bool], rival: Rival) -> list[Visit]:
        taken = [asked for asked in self.asked if matches(asked)]
        self.asked = [asked for asked in self.asked if not matches(asked)]
        if rival is Rival.ANSWERED:
            self.answered += [asked.rival for asked in taken if asked.visit is None]
        visits = [asked.visit for asked in taken if asked.visit is not None]
        return [msgspec.structs.replace(visit, rival=rival) for visit in visits]
