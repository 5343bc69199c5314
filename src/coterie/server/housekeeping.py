"""What is due once a second: silent and slow connections, the server's statement, old rows."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.connection import Connection
from coterie.server.founding import next_statement
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.sequencer import Sequencer
from coterie.server.store.protocol import Store
from coterie.server.store.records import PutStatement
from coterie.wire.session import State

UNPROVEN_SECONDS = 120.0
"""How long a connection may stay without a device signing in."""
PRUNE_SECONDS = 60.0
STATEMENT_SECONDS = 60.0


class Housekeeping:
    """Decides what is due; turns.py does it."""

    def __init__(self, store: Store, realm: Realm, sequencer: Sequencer) -> None:
        self._store = store
        self._realm = realm
        self._sequencer = sequencer
        self._prune_at = float("-inf")
        self._statement_at = float("-inf")
        self._looked_ms = 0

    def is_due(self, now: Now) -> bool:
        """Whether a statement, a head or old rows may have their time."""
        return (
            now.monotonic_seconds >= min(self._prune_at, self._statement_at)
            or self._jumped(now)
            or self._sequencer.due(now, 0)
        )

    def overdue(self, connection: Connection, now_seconds: float) -> bool:
        """Whether a connection has to end because nothing comes from it; pings where it is time to."""
        connection.look(now_seconds)
        age = now_seconds - connection.opened_at
        if connection.session.state is State.NEW and age >= limits.HANDSHAKE_SECONDS:
            return True
        if connection.caller.signed_in is None and age >= _unproven_seconds(connection):
            return True
        if connection.paused_at is not None:
            return now_seconds - connection.paused_at >= limits.SLOW_READER_SECONDS
        if connection.pinged_at is not None:
            return now_seconds - connection.pinged_at >= limits.PING_SECONDS
        if now_seconds - connection.heard_at >= limits.PING_SECONDS:
            connection.pinged_at = now_seconds
            connection.pipe.ping()
        return False

    def look_again_at(self, connection: Connection, now_seconds: float) -> float:
        """Before when nothing can be due of a connection, whatever happens on it meanwhile: every limit is
        longer than the time until a ping."""
        if connection.paused_at is not None:
            return now_seconds
        times = [now_seconds, connection.heard_at, connection.pinged_at or now_seconds]
        due = min(times) + limits.PING_SECONDS
        if connection.caller.signed_in is None:
            new = connection.session.state is State.NEW
            until = limits.HANDSHAKE_SECONDS if new else _unproven_seconds(connection)
            due = min(due, connection.opened_at + until)
        reader = connection.reader
        if reader is not None and reader.has_something_under_way:
            due = min(due, reader.moved_at + limits.SLOW_READER_SECONDS)
        return due

    def refused(self, connection: Connection, now_seconds: float) -> Code | None:
        """Why a connection has to end although it is alive."""
        reader = connection.reader
        if reader is None or not reader.has_something_under_way or connection.paused_at is not None:
            return None
        if now_seconds - reader.moved_at >= limits.SLOW_READER_SECONDS:
            return Code.SLOW_READER
        return None

    def statement_due(self, now: Now) -> PutStatement | None:
        """The server's next statement, long before the present one expires; at once where the machine has
        slept for days, or its clock was set."""
        if now.monotonic_seconds < self._statement_at and not self._jumped(now):
            return None
        self._looked_ms = now.wall_ms
        self._statement_at = now.monotonic_seconds + STATEMENT_SECONDS
        return next_statement(self._realm, self._sequencer.newest_server_leaf, now.wall_ms)

    def _jumped(self, now: Now) -> bool:
        return abs(now.wall_ms - self._looked_ms) > limits.HOUR_MS

    async def prune(self, now: Now) -> None:
        """Drop old rows: a few each time, and again the next second while there are some."""
        if now.monotonic_seconds >= self._prune_at:
            dropped = await self._store.prune(now.wall_ms - self._realm.kept_longer_ms)
            self._prune_at = now.monotonic_seconds + (0 if dropped else PRUNE_SECONDS)


def _unproven_seconds(connection: Connection) -> float:
    """Who waits for an approval may wait for as long as that counts."""
    waits = connection.session.state is State.AWAITING_APPROVAL
    return UNPROVEN_SECONDS + (limits.APPROVAL_SECONDS if waits else 0)
