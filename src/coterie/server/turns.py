"""The server's one driver: what came in one turn of the loop is decided, then settled together.

gateway.py connects this to sockets; anything else that carries messages will do as well.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable

import msgspec

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, Unavailable
from coterie.server.approvals import Approvals
from coterie.server.caller import Caller, Rival
from coterie.server.commands.dispatch import READS_NOTHING, Asks, ReadsNothing, decide, handle, too_late
from coterie.server.commands.outcome import Outcome
from coterie.server.connection import CloseReason, Connection, Pipe
from coterie.server.connections import Connections
from coterie.server.delivery import Delivery
from coterie.server.exposition import Figure
from coterie.server.far_rivals import FarRivals
from coterie.server.gauges import file_gauges, gauges, health_gauges, lag_gauge, ledger_gauges
from coterie.server.housekeeping import Housekeeping
from coterie.server.lane import Lane
from coterie.server.metrics import Metrics, gauge
from coterie.server.neighbours import Beside, Neighbours
from coterie.server.policy import Now, address_prefix, is_loopback
from coterie.server.readiness import Readiness
from coterie.server.realm import Realm
from coterie.server.rivals import Rivals, Visit
from coterie.server.roster import Roster
from coterie.server.seconds import Seconds
from coterie.server.sequencer import Sequencer
from coterie.server.settling import Pending, Settling
from coterie.server.store.approval_board import MemoryBoard
from coterie.server.store.protocol import Store, StoreLost
from coterie.wire.frames import Ack, Refusal

log = logging.getLogger("coterie.server.turns")

TICK_SECONDS = 1.0
BUSY_MS = 1000
BUSY_SPREAD_MS = 1000
"""Who was told at the same moment does not come back at the same moment."""
CHALLENGE_BYTES = 32


class Turns:
    """Bytes come in by received(); everything else happens in run()."""

    def __init__(
        self,
        store: Store,
        realm: Realm,
        sequencer: Sequencer,
        metrics: Metrics,
        clock: Clock,
        beside: Beside | None = None,
    ) -> None:
        """beside: where other servers may have the same data."""
        self._store = store
        self._realm = realm
        self._sequencer = sequencer
        self._metrics = metrics
        self._clock = clock
        self._delivery = Delivery(store, realm.incarnation)
        self._roster = Roster()
        self._rivals = Rivals(self._roster)
        self.connections = Connections(self._delivery, self._roster, metrics)
        """All that are open; a pipe may end its own here."""
        board = MemoryBoard() if beside is None else beside.shared.approvals
        self._approvals = Approvals(self.connections, board)
        self._housekeeping = Housekeeping(store, realm, sequencer)
        self._settling = Settling(
            store,
            realm,
            sequencer,
            self._delivery,
            self.connections,
            self._roster,
            self._rivals,
            self._approvals,
            metrics,
            clock,
        )
        self._seconds = Seconds(self.connections, self._rivals, self._approvals, self._housekeeping, metrics)
        self._lane = Lane()
        self._wake = asyncio.Event()
        self._neighbours: Neighbours | None = None
        if beside is not None:
            self._neighbours = self._settling.neighbours = Neighbours(
                beside,
                store,
                realm,
                self._delivery,
                self._roster,
                self.connections,
                FarRivals(beside.shared, self._roster, self._rivals),
                self._approvals,
                self._wake.set,
            )
        self._mail_waiting = 0
        self._files_kept = (0, 0)
        self._ticked = False
        self._stopping = False
        self._told_to_stop = False
        self.readiness = Readiness(store, clock, self._wake.set)
        metrics.ask(self._gauges)
        metrics.ask(lambda: ledger_gauges(realm, sequencer, clock.wall_ms()))
        metrics.ask(lambda: (self.readiness.seconds,))

    def _gauges(self) -> Iterable[Figure]:
        yield from gauges(self.connections, self._roster, self._delivery, self._lane, len(self._approvals))
        yield from health_gauges(self.connections)
        yield lag_gauge(self._delivery, self._clock.monotonic_seconds())
        yield from file_gauges(self._files_kept)
        yield gauge(
            "mail_waiting", "Entries of mailboxes that no device has acknowledged.", self._mail_waiting
        )

    async def prepare(self) -> None:
        """Before anybody connects: a true and fresh statement, and a head over all leaves."""
        now = Now(self._clock.wall_ms(), self._clock.monotonic_seconds())
        if (statement := self._housekeeping.statement_due(now)) is not None:
            await self._settling.put_statement(statement, now)
        if self._sequencer.due(now, 0):
            await self._settling.publish_head(now)

    def has_room_for(self, address: str) -> bool:
        """Whether one more connection may be opened from this IP address."""
        has_room = not self._stopping and self.connections.has_room_for(
            address_prefix(address), loopback=is_loopback(address)
        )
        if not has_room:
            self._metrics.connections_turned_away += 1
        return has_room

    def opened(self, pipe: Pipe, address: str) -> Connection:
        """A client has connected from this IP address."""
        caller = Caller(address_prefix(address), is_loopback(address), secrets.token_bytes(CHALLENGE_BYTES))
        connection = Connection(pipe, caller, self._clock.monotonic_seconds())
        self.connections.add(connection)
        return connection

    def received(self, connection: Connection, message: bytes) -> None:
        """A message has come. Whatever is wrong with it ends this connection and no other."""
        if not connection.is_open:
            return
        self.heard(connection)
        try:
            frames = connection.receive(message)
        except RemoteError as error:
            self.connections.refuse(connection, error.code)
            return
        self._metrics.received_bytes += len(message)
        for request in self._lane.put(connection, frames, len(message)):
            self._metrics.lane_full += 1
            self._metrics.refused(Code.BUSY)
            wait_ms = BUSY_MS + secrets.randbelow(BUSY_SPREAD_MS)
            self.connections.queue(connection, (Refusal(request, Code.BUSY.value, wait_ms),))
        self._wake.set()

    def heard(self, connection: Connection) -> None:
        """Anything came from the client, a pong for example."""
        connection.heard_at = self._clock.monotonic_seconds()
        connection.pinged_at = None
        if self._rivals.asked:
            self._again(self._rivals.heard(connection))
            self._wake.set()

    def paused(self, connection: Connection, *, paused: bool) -> None:
        """The network takes no more, or takes more again."""
        now_seconds = self._clock.monotonic_seconds()
        if paused:
            connection.paused(now_seconds)
            self.connections.look_again_at = now_seconds
        else:
            connection.resumed(now_seconds)
        self._delivery.paused(connection, paused=paused)
        self._wake.set()

    def closed(self, connection: Connection) -> None:
        """The connection is gone."""
        self.connections.forget(connection)
        self._wake.set()

    async def run(self) -> None:
        """Turn after turn, until stop() or cancellation; then what is under way is finished, and goodbye."""
        self.readiness.begin()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._tick())]
                if self._neighbours is not None:
                    tasks.append(group.create_task(self._neighbours.run()))
                while not self._stopping:
                    await self._wake.wait()
                    self._wake.clear()
                    await self._guarded_turn()
                for task in tasks:
                    task.cancel()
        finally:
            self._end()
            await self._guarded_turn()
            for connection in self.connections.all:
                self.connections.end(connection, CloseReason.GOING_AWAY)

    @property
    def begins_anew(self) -> bool:
        """Whether run() came back because another life has to begin: the data is a copy, or was lost. Who is
        told to stop begins none, whatever its last turn finds."""
        return self._settling.begins_anew and not self._told_to_stop

    def lost(self) -> None:
        """What somebody else was writing to the database may hold or not: another life begins."""
        self._settling.begins_anew = True
        self._end()

    def stop(self) -> None:
        """Take nothing more; run() returns soon, and that was the last life."""
        self._told_to_stop = True
        self._end()

    def _end(self) -> None:
        self._stopping = True
        self.readiness.end()
        self._wake.set()

    async def _tick(self) -> None:
        while True:
            await self._clock.wait_until(self._clock.monotonic_seconds() + TICK_SECONDS)
            now = Now(self._clock.wall_ms(), self._clock.monotonic_seconds())
            if self._neighbours is not None or self._seconds.have_work(now):
                self._ticked = True
                self._wake.set()

    async def _guarded_turn(self) -> None:
        try:
            now = Now(self._clock.wall_ms(), self._clock.monotonic_seconds())
            if self._neighbours is not None:
                await self._hear(self._neighbours, now)
            if self._delivery.has_news:
                await self._hand_on(now)
            await self._turn(now)
        except Unavailable as error:
            self._metrics.failed_turns += 1
            log.critical("the database is not there: %s", error.note)
            if isinstance(error, StoreLost):
                self.lost()
        except Exception:
            self._metrics.failed_turns += 1
            log.exception("a turn failed")

    async def _hand_on(self, now: Now) -> None:
        """What others have written goes out before anything is committed here; what comes in while it is read
        joins that commit."""
        if await self._delivery.fill(now.monotonic_seconds):
            self._wake.set()
        self.connections.flush()

    async def _turn(self, now: Now) -> None:
        pending: list[Pending] = []
        unsettled: set[Connection] = set()
        visits = self._lane.take()
        if visits:
            self._metrics.turn_frames.observe(len(visits))
        counted = self._metrics.frames
        for visit in visits:
            frame = visit.frame
            counted[type(frame)] += 1
            if isinstance(frame, Ack):
                self._delivery.acknowledge(visit.connection, frame.positions, now.monotonic_seconds)
                continue
            if isinstance(frame, READS_NOTHING):
                outcome = self._decided(visit, frame, now)
            else:
                if visit.connection in unsettled:
                    self._again(await self._settling.settle(pending, now))
                    pending, unsettled = [], set()
                outcome = await self._handled(visit, frame, now)
            if outcome is not None:
                pending.append(Pending(visit, outcome))
                unsettled.add(visit.connection)
        self._again(await self._settling.settle(pending, now, last=self._stopping))
        if self._settling.begins_anew:
            self._end()
            return
        if self._ticked:
            self._ticked = False
            await self._on_tick(now)
        self._forget_gone()
        await self._approvals.settle()
        more = await self._delivery.fill(now.monotonic_seconds)
        if self._neighbours is not None:
            await self._neighbours.share()
        if self.connections.flush() or more:
            self._wake.set()
        self._metrics.flushed(self._clock.monotonic_seconds)
        self._lane.took(len(visits), self._clock.monotonic_seconds() - now.monotonic_seconds)
        if self.readiness.asking:
            await self.readiness.look(now)

    def _decided(self, visit: Visit, frame: ReadsNothing, now: Now) -> Outcome | None:
        """What the command wants; None where the connection is gone or ends over it."""
        connection = visit.connection
        if not connection.is_open:
            return None
        try:
            return decide(frame, connection.caller, self._realm, now)
        except RemoteError as error:
            self.connections.refuse(connection, error.code)
        except Exception as error:  # noqa: BLE001 - a bug of ours ends one connection and no other
            self._broken(visit, error)
        return None

    async def _handled(self, visit: Visit, frame: Asks, now: Now) -> Outcome | None:
        """What the command wants; None where the connection is gone or ends over it."""
        connection = visit.connection
        if not connection.is_open:
            return None
        caller = connection.caller
        rival = visit.rival or (Rival.CONNECTED if self._rivals.of(visit) is not None else None)
        try:
            if rival is None and self._neighbours is not None and await self._neighbours.rivals.of(visit):
                rival = Rival.CONNECTED
            if rival is not None:
                caller = msgspec.structs.replace(caller, rival=rival)
            late = too_late(frame, caller)
            return late or await handle(frame, caller, self._store, self._realm, now)
        except RemoteError as error:
            self.connections.refuse(connection, error.code)
        except Unavailable as error:
            log.critical("the database is not there: %s", error.note)
            self._settling.failed(visit)
        except Exception as error:  # noqa: BLE001 - a bug of ours ends one connection and no other
            self._broken(visit, error)
        return None

    def _broken(self, visit: Visit, error: Exception) -> None:
        log.error("a %s could not be handled", type(visit.frame).__name__, exc_info=error)
        self.connections.end(visit.connection, CloseReason.INTERNAL_ERROR)

    async def _on_tick(self, now: Now) -> None:
        """Once a second."""
        if self._neighbours is not None:
            await self._neighbours.tick()
            await self._hear(self._neighbours, now)
            self._again(await self._neighbours.rivals.heard(now.monotonic_seconds))
        self.connections.tell_presence(self._roster.changes())
        self._again(self._rivals.expired(now.monotonic_seconds))
        self._approvals.expire(now.monotonic_seconds)
        if self.connections.look_again_at <= now.monotonic_seconds:
            for connection in self.connections.to_look_at(now.monotonic_seconds):
                self._look_at(connection, now.monotonic_seconds)
            self.connections.looked()
        if (statement := self._housekeeping.statement_due(now)) is not None:
            await self._settling.put_statement(statement, now)
        if self._sequencer.due(now, 0):
            await self._settling.publish_head(now)
        if await self._store.resets_due(now.wall_ms):
            await self._settling.complete_resets(now)
        await self._housekeeping.prune(now)
        if self._metrics.somebody_looked():
            self._mail_waiting = await self._store.mail_waiting()
            self._files_kept = await self._store.files_kept()

    async def _hear(self, neighbours: Neighbours, now: Now) -> None:
        """What other servers of the same data have changed."""
        if not neighbours.has_news:
            return
        if await neighbours.look(now):
            await self._settling.follow_ledger()
        if neighbours.begins_anew:
            self._settling.begins_anew = True

    def _forget_gone(self) -> None:
        while self.connections.gone:
            gone = self.connections.gone.pop()
            self._again(self._rivals.gone(gone))
            self._approvals.gone(gone)
            if self._neighbours is not None:
                self._neighbours.rivals.gone(gone)

    def _look_at(self, connection: Connection, now_seconds: float) -> None:
        if (code := self._housekeeping.refused(connection, now_seconds)) is not None:
            self.connections.refuse(connection, code)
        elif self._housekeeping.overdue(connection, now_seconds):
            self.connections.end(connection, CloseReason.GOING_AWAY)
        else:
            connection.look_again_at = self._housekeeping.look_again_at(connection, now_seconds)

    def _again(self, visits: list[Visit]) -> None:
        """Frames to be handled in the next turn."""
        if visits:
            self._lane.again(visits)
            self._wake.set()
