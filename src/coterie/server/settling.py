"""Carrying out what a turn decided: commit, then reply, then push.

So nothing is acknowledged, delivered or published that is not on disk (CONTRIBUTING.md, The one pattern).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import assert_never

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Unavailable
from coterie.base.ids import DeviceId
from coterie.server.approvals import Approvals
from coterie.server.commands.outcome import (
    Acknowledge,
    AskRival,
    BeginAnew,
    DeviceSignedIn,
    HandOnApproval,
    KeepHealth,
    Outcome,
    Push,
    StartDelivery,
    VaultOpenedFor,
    answer,
)
from coterie.server.connection import CloseReason
from coterie.server.connections import Connections
from coterie.server.delivery import Delivery
from coterie.server.metrics import Metrics
from coterie.server.neighbours import Neighbours
from coterie.server.policy import Now, RefusedView
from coterie.server.realm import Realm
from coterie.server.rivals import Rivals, Visit
from coterie.server.roster import Roster
from coterie.server.sequencer import Sequencer
from coterie.server.store.protocol import Store, StoreLost
from coterie.server.store.records import AppendMessage, CompleteResets, PutStatement, Record
from coterie.server.store.results import (
    AccountEnded,
    AccountSucceeded,
    Appended,
    Broken,
    Denied,
    KeysClaimed,
    LeafAdded,
    LeavesAdded,
    Otherwise,
    Posted,
    ResetsCompleted,
    Result,
)
from coterie.wire.frames import Accepted, LedgerGrew, PrekeysLow, Refusal

log = logging.getLogger("coterie.server.settling")

RETRY_MS = 1000


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A frame that was handled and waits for the commit."""

    visit: Visit
    outcome: Outcome


class Settling:
    """The one place of the server where outcomes are carried out."""

    def __init__(
        self,
        store: Store,
        realm: Realm,
        sequencer: Sequencer,
        delivery: Delivery,
        connections: Connections,
        roster: Roster,
        rivals: Rivals,
        approvals: Approvals,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._store = store
        self._realm = realm
        self._sequencer = sequencer
        self._delivery = delivery
        self._connections = connections
        self._roster = roster
        self._rivals = rivals
        self._approvals = approvals
        self._metrics = metrics
        self._clock = clock
        self.begins_anew = False
        """The data turned out to be a copy (commands/show_head.py), or was lost and may be another's by now:
        nothing more is served from what is remembered of it."""
        self.neighbours: Neighbours | None = None
        """Other servers of the same data; None where there cannot be any."""
        self._unpublished = b""
        """A statement that is committed and in no published head yet."""

    async def settle(self, pending: list[Pending], now: Now, *, last: bool = False) -> list[Visit]:
        """Commit what these outcomes save, and all cursors that are due (last: all there are); answer and
        push. Visits that come back are to be handled again."""
        cursors = self._delivery.cursors(now.monotonic_seconds, at_once=last)
        batch: list[Record] = [each.outcome.save for each in pending if each.outcome.save is not None]
        batch += cursors
        results: list[Result] = []
        if batch:
            began = self._clock.monotonic_seconds()
            try:
                results = await self._store.commit(batch)
            except CoterieError as error:
                self._metrics.failed_commits += 1
                log.critical("nothing can be committed: %s", error.note)
                self._delivery.put_back(cursors, now.monotonic_seconds)
                lost = isinstance(error, StoreLost)
                self.begins_anew |= lost
                for each in pending:
                    if lost or each.outcome.save is not None:
                        self.failed(each.visit)
                pending = [] if lost else [each for each in pending if each.outcome.save is None]
            else:
                self._metrics.commit_seconds.observe(self._clock.monotonic_seconds() - began)
                self._metrics.commits += 1
                self._metrics.records += len(results)
                await self._extend_ledger(results, now)
                if self.neighbours is not None:
                    self.neighbours.committed(results)
        again: list[Visit] = []
        row = iter(results)
        for each in pending:
            outcome = each.outcome
            result = next(row) if outcome.save is not None else None
            if isinstance(result, Appended):
                self._appended(each.visit, outcome.request, result, now.monotonic_seconds)
            elif not self._carried_out(each, result, now):
                continue
            if outcome.push:
                again += await self._pushed(each, now)
        return again

    async def _pushed(self, each: Pending, now: Now) -> list[Visit]:
        """Where the database is not there now, this one has to come again; all others are answered."""
        again: list[Visit] = []
        try:
            for push in each.outcome.push:
                again += await self._push(push, each.visit, now)
        except Unavailable as error:
            log.critical("the database is not there: %s", error.note)
            self._connections.end(each.visit.connection, CloseReason.TRY_AGAIN_LATER)
        return again

    def failed(self, visit: Visit) -> None:
        """The database is not there: the client may try again."""
        request = getattr(visit.frame, "request", 0)
        if request:
            self._metrics.refused(Code.DISK)
            self._connections.queue(visit.connection, (Refusal(request, Code.DISK.value, RETRY_MS),))

    async def publish_head(self, now: Now) -> None:
        """Close an epoch of the ledger and tell everybody."""
        if not await self._sequencer.close_epoch(now):
            return
        if self._unpublished:
            self._realm.statement, self._unpublished = self._unpublished, b""
        self._connections.tell_all((LedgerGrew(self._realm.ledger.head),))
        if self.neighbours is not None:
            self.neighbours.published()

    async def follow_ledger(self) -> None:
        """Take in what other servers have added, and tell everybody of the head that they published."""
        if await self._sequencer.follow():
            self._connections.tell_all((LedgerGrew(self._realm.ledger.head),))

    async def put_statement(self, record: PutStatement, now: Now) -> None:
        """The server's next statement, and its leaf. Said to nobody before a head covers the leaf: clients
        look for it there (encryption rule 7)."""
        (result,) = await self._store.commit([record])
        if isinstance(result, LeafAdded):
            self._unpublished = record.signed
            self._sequencer.append(result.index, result.packed)
            await self.publish_head(now)
        else:
            await self.follow_ledger()

    async def complete_resets(self, now: Now) -> None:
        """Names whose time has come stand for others: who had them before is told so."""
        (result,) = await self._store.commit([CompleteResets(now.wall_ms)])
        if isinstance(result, ResetsCompleted):
            self._end_connections(result.devices, Code.REVOKED)
            if self.neighbours is not None:
                self.neighbours.committed([result])

    async def _extend_ledger(self, results: list[Result], now: Now) -> None:
        """New leaves, and a head where one is due: published here, before anybody is answered."""
        named = 0
        for result in [each for each in results if type(each) is not Appended]:
            match result:
                case AccountEnded(index, packed) | AccountSucceeded(index, packed):
                    self._sequencer.append(index, packed)
                case LeafAdded(index, packed) if packed:
                    self._sequencer.append(index, packed)
                case LeavesAdded(leaves):
                    for index, packed in leaves:
                        self._sequencer.append(index, packed)
                case Denied(ledger_size=size):
                    named = max(named, size)
                case _:
                    pass
        self._sequencer.heard_of(named)
        if self._sequencer.is_behind or self._sequencer.due(now, named):
            try:
                if self._sequencer.is_behind:
                    await self.follow_ledger()
                if self._sequencer.due(now, named):
                    await self.publish_head(now)
            except CoterieError as error:
                log.critical("no head can be committed: %s", error.note)

    def _carried_out(self, each: Pending, result: Otherwise | None, now: Now) -> bool:
        """Answer, and hand on what was saved; whether its pushes count."""
        connection, outcome = each.visit.connection, each.outcome
        if isinstance(result, Broken):
            self._connections.end(connection, CloseReason.INTERNAL_ERROR)
            return False
        if isinstance(result, Denied):
            self._metrics.refused(result.code)
            if result.code is Code.STALE_VIEW and isinstance(outcome.save, AppendMessage):
                refused = RefusedView(outcome.save.message, result.ledger_size)
                connection.know(refused_view=refused.again(connection.caller.refused_view))
            self._connections.queue(connection, (answer(outcome.request, result),))
            return False
        if outcome.reply:
            if isinstance(no := outcome.reply[0], Refusal):
                self._metrics.refused(no.code)
            self._connections.queue(connection, outcome.reply)
        elif result is not None:
            self._connections.queue(connection, (answer(outcome.request, result),))
        if result is not None:
            self._spread(result, now.monotonic_seconds)
        return True

    def _appended(self, visit: Visit, request: int, result: Appended, now: float) -> None:
        """Who spoke gets the answer in place of the entry where it may be (decision 21), all others it."""
        if result.opened:
            self._delivery.opened(result.opened)
        speaker, entry = visit.connection, result.entry
        if entry is None:
            self._connections.answer(speaker, Accepted(request, result.seq))
            return
        sent, stands = self._delivery.appended(result.stream, entry, now, speaker)
        time_ms, mac = (entry.server_time_ms, entry.mac) if stands else (0, b"")
        self._connections.answer(speaker, Accepted(request, result.seq, time_ms, mac))
        metrics = self._metrics
        metrics.deliveries += sent
        metrics.arrived_at.append(visit.arrived_at)

    def _spread(self, result: Otherwise, now: float) -> None:
        """What a saved record means for others."""
        match result:
            case Posted(entries, opened):
                self._delivery.opened(opened)
                self._metrics.envelopes += len(entries)
                for device, mail in entries:
                    self._delivery.posted(device, mail, now)
            case KeysClaimed(keys):
                for key in keys:
                    connection = self._roster.connection_of(key.device)
                    if connection is not None and key.left < limits.ONE_TIME_KEYS // 2:
                        self._connections.queue(connection, (PrekeysLow(key.left),))
            case LeafAdded(revoked=revoked):
                self._end_connections(revoked, Code.REVOKED)
            case LeavesAdded(revoked=revoked, ended=ended):
                self._end_connections(revoked, Code.REVOKED)
                self._end_connections(ended, Code.DELETED)
            case AccountEnded(devices=devices):
                self._end_connections(devices, Code.DELETED)
            case AccountSucceeded(devices=devices):
                self._end_connections(devices, Code.SUCCEEDED)
            case _:
                pass

    def _end_connections(self, devices: Iterable[DeviceId], code: Code) -> None:
        for device in devices:
            connection = self._roster.connection_of(device)
            if connection is not None:
                self._connections.refuse(connection, code)

    async def _push(self, push: Push, visit: Visit, now: Now) -> list[Visit]:
        connection = visit.connection
        if not connection.is_open:
            return []
        match push:
            case Acknowledge(positions):
                self._delivery.acknowledge(connection, positions, now.monotonic_seconds)
            case StartDelivery(positions):
                who = connection.caller.signed_in
                if who is not None:
                    await self._delivery.start(connection, who.device, positions, now.monotonic_seconds)
            case DeviceSignedIn(who):
                self._connections.signed_in(connection, who)
            case VaultOpenedFor(account):
                connection.know(vault_of=account)
            case KeepHealth(told):
                connection.health = told
            case HandOnApproval(frame):
                await self._approvals.hand_on(connection, frame, now.monotonic_seconds)
            case BeginAnew():
                self.begins_anew = True
            case AskRival():
                return await self._ask_rival(visit, now.monotonic_seconds)
            case _:
                assert_never(push)
        return []

    async def _ask_rival(self, visit: Visit, now_seconds: float) -> list[Visit]:
        """Have the older connection pinged, here or at another server."""
        if self.neighbours is None or self._rivals.of(visit) is not None:
            return self._rivals.ask(visit, now_seconds)
        return await self.neighbours.ask_rival(visit, now_seconds)
