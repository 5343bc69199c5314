"""All open connections: what is to be sent to them at the end of the turn, and how one ends."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.server.caller import SignedIn
from coterie.server.connection import CloseReason, Connection
from coterie.server.delivery import Delivery
from coterie.server.metrics import Metrics
from coterie.server.roster import Roster
from coterie.wire.codec import Packed, pack
from coterie.wire.frames import ServerFrame

log = logging.getLogger("coterie.server.connections")

UNPROVEN_MAX = 1000
UNPROVEN_PER_ADDRESS_MAX = 50
"""Connections on which nobody has signed in yet; the second is not for loopback."""


class Connections:
    """Every open connection is here, and ends here."""

    def __init__(self, delivery: Delivery, roster: Roster, metrics: Metrics) -> None:
        self._delivery = delivery
        self._roster = roster
        self._metrics = metrics
        self._open: dict[Connection, None] = {}
        self._unproven: dict[Connection, None] = {}
        """On which nobody has signed in yet, oldest first."""
        self._unproven_at: Counter[str] = Counter()
        self._touched: dict[Connection, None] = {}
        self._at_leisure: dict[Connection, None] = {}
        """Those to whom not everything has gone that may take its time."""
        self.look_again_at = float("inf")
        """Nothing is due of any before (housekeeping.py)."""
        self.gone: list[Connection] = []
        """Ended since somebody looked last."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def unproven(self) -> int:
        """On how many nobody has signed in yet."""
        return len(self._unproven)

    @property
    def all(self) -> list[Connection]:
        return list(self._open)

    def have_work(self, now_seconds: float) -> bool:
        """Whether anything may be due of one of them, or for all."""
        return (
            self.look_again_at <= now_seconds
            or bool(self._at_leisure)
            or self._roster.has_changes
            or self._delivery.has_something_to_do
        )

    def to_look_at(self, now_seconds: float) -> list[Connection]:
        """Those of which something may be due."""
        return [each for each in self._open if each.look_again_at <= now_seconds]

    def looked(self) -> None:
        """All these were looked at."""
        self.look_again_at = min((each.look_again_at for each in self._open), default=float("inf"))

    def has_room_for(self, address: str, *, loopback: bool) -> bool:
        """Whether one more may be opened from this address."""
        if len(self._open) >= limits.CONNECTIONS_MAX:
            return False
        return loopback or self._unproven_at[address] < UNPROVEN_PER_ADDRESS_MAX

    def add(self, connection: Connection) -> None:
        """Where too many wait to sign in, the oldest of them goes: to sign in takes a moment, and who only
        holds places keeps nobody else out."""
        if len(self._unproven) >= UNPROVEN_MAX:
            self.end(next(iter(self._unproven)), CloseReason.TRY_AGAIN_LATER)
        self._open[connection] = None
        self.look_again_at = min(self.look_again_at, connection.look_again_at)
        self._unproven[connection] = None
        self._unproven_at[connection.caller.address] += 1
        self._metrics.connections_opened += 1

    def signed_in(self, connection: Connection, who: SignedIn) -> None:
        """The device has proven itself: another connection of it ends, and everybody may know of it."""
        before = self._roster.connection_of(who.device)
        if before is not None and before is not connection:
            self.end(before, CloseReason.GOING_AWAY)
        self._proven(connection)
        connection.know(signed_in=who, vault_of=None)
        self._roster.enter(who, connection)
        connection.queue_at_leisure(self._roster.everybody())
        self._at_leisure[connection] = None

    def queue(self, connection: Connection, frames: Iterable[ServerFrame | Packed]) -> None:
        """To be sent at the end of the turn."""
        if connection.is_open:
            connection.queue(frames)
            self._touched[connection] = None

    def answer(self, connection: Connection, frame: ServerFrame) -> None:
        """As queue(), for one frame."""
        if connection.is_open:
            connection.answer(frame)
            self._touched[connection] = None

    def tell_all(self, frames: Iterable[ServerFrame]) -> None:
        """To every signed-in device that the network can reach now."""
        told = tuple(map(pack, frames))
        if told:
            for connection in self._roster.connections:
                self.queue(connection, told)

    def tell_presence(self, changes: Iterable[ServerFrame]) -> None:
        """As tell_all(), behind the list of those who were there before, where that is still under way."""
        told = tuple(map(pack, changes))
        if told:
            for connection in self._roster.connections:
                if connection.has_more:
                    connection.queue_at_leisure(told)
                else:
                    self.queue(connection, told)

    def flush(self) -> bool:
        """The end of the turn: one message to each that has something to get. Whether more could go at once
        of what goes at leisure."""
        touched, self._touched = self._touched, {}
        touched.update(self._delivery.ready())
        leisurely = [each for each in self._at_leisure if each.takes_more]
        touched.update(dict.fromkeys(leisurely))
        sent_bytes = 0
        for connection in touched:
            try:
                sent_bytes += connection.flush()
            except LocalError:
                log.exception("an answer was not allowed")
                self.end(connection, CloseReason.INTERNAL_ERROR)
        self._metrics.sent_bytes += sent_bytes
        for connection in leisurely:
            if not connection.has_more:
                self._at_leisure.pop(connection, None)
        return any(each.takes_more for each in self._at_leisure)

    def refuse(self, connection: Connection, code: Code) -> None:
        """Say why, and end it."""
        if connection.is_open:
            self._metrics.refused(code)
            connection.refuse(code)
        self.forget(connection)

    def end(self, connection: Connection, reason: CloseReason) -> None:
        connection.close(reason)
        self.forget(connection)

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        connection.is_open = False
        if connection not in self._open:
            return
        del self._open[connection]
        self._touched.pop(connection, None)
        self._at_leisure.pop(connection, None)
        self._delivery.stop(connection)
        who = connection.caller.signed_in
        if who is None:
            self._proven(connection)
        else:
            self._roster.leave(who, connection)
        self.gone.append(connection)

    def _proven(self, connection: Connection) -> None:
        address = connection.caller.address
        self._unproven.pop(connection, None)
        self._unproven_at[address] -= 1
        if self._unproven_at[address] <= 0:
            del self._unproven_at[address]
