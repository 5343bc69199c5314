"""The store on SQLite: one writer, one transaction per batch, durable before commit() returns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import assert_never

import apsw

from coterie.base.errors import LocalError, Unavailable
from coterie.server.store.appending import Appending
from coterie.server.store.caches import Caches
from coterie.server.store.conversations import Conversations, Undo
from coterie.server.store.database import Database, Step, database_fault
from coterie.server.store.endings import EndingWrites
from coterie.server.store.envelopes import EnvelopeWrites
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.lives import begin_life
from coterie.server.store.messages import MessageWrites
from coterie.server.store.offers import OfferWrites
from coterie.server.store.pruning import Pruning
from coterie.server.store.reads import SqliteReads
from coterie.server.store.records import (
    AppendMessage,
    BeginLife,
    BeginReset,
    ChangeIdentity,
    ClaimKeys,
    CompleteResets,
    EndAccount,
    FoundServer,
    MoveCursor,
    OtherRecord,
    PostEnvelopes,
    PutAccept,
    PutFact,
    PutHead,
    PutPrekeys,
    PutRun,
    PutStatement,
    PutToken,
    PutVault,
    Record,
    Register,
    ReplaceManifest,
    Succeed,
    TakeOffers,
)
from coterie.server.store.results import Broken, Result
from coterie.server.store.successions import SuccessionWrites

log = logging.getLogger("coterie.server.store")

_OF_ONE_RECORD = (TypeError, ValueError, OverflowError, AssertionError, LocalError)
"""What a record raises that cannot be saved: a bug of ours, and no fault of the others of its batch."""


class SqliteStore(SqliteReads):
    """Implements Store. Commits inline: grouping makes the fsync cheap, a thread would only add waiting."""

    def __init__(self, path: Path, steps: tuple[Step, ...] | None = None) -> None:
        """Open or make the file. Raises Unavailable: disk, newer-schema."""
        database = Database(path, steps)
        caches = Caches(database)
        super().__init__(database, caches)
        ledger = LedgerWrites(database)
        conversations = Conversations(database, caches)
        self._ledger = ledger
        self._accounts = SuccessionWrites(database, caches, ledger)
        self._endings = EndingWrites(database, caches, ledger)
        self._offers = OfferWrites(database, caches, ledger)
        self._appending = Appending(database)
        self._messages = MessageWrites(database, caches, ledger, conversations, self._appending)
        self._envelopes = EnvelopeWrites(database, caches, conversations)
        self._pruning = Pruning(database, caches)

    async def commit(self, batch: Sequence[Record]) -> list[Result]:
        """Nearly always nothing has to be undone: only where something has, all is done again with a
        savepoint for each record."""
        self._caches.trim()
        try:
            return self._together(batch, self._apply)
        except (Undo, *_OF_ONE_RECORD):
            return self._together(batch, self._savepoint)

    def _together(self, batch: Sequence[Record], save: Callable[[Record], Result]) -> list[Result]:
        """One transaction; nothing of it is left where something is raised."""
        try:
            self._db.run("BEGIN IMMEDIATE")
            results = [save(record) for record in batch]
            self._appending.write_out()
            self._db.run("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, apsw.Error):
                raise database_fault(error) from error
            raise
        return results

    async def prune(self, now_ms: int) -> int:
        try:
            self._db.run("BEGIN IMMEDIATE")
            dropped = self._pruning.step(now_ms)
            self._db.run("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, apsw.Error):
                raise database_fault(error) from error
            raise
        return dropped

    async def close(self) -> None:
        self._db.close()

    def _roll_back(self) -> None:
        self._forget()
        if self._db.in_transaction:
            self._db.run("ROLLBACK")

    def _savepoint(self, record: Record) -> Result:
        """One record, which touches no other of the batch whatever becomes of it."""
        self._db.execute("SAVEPOINT record")
        try:
            result = self._apply(record)
            self._appending.write_out()
        except Undo as undo:
            self._undo()
            return undo.denied
        except apsw.Error as error:
            fault = database_fault(error)
            if isinstance(fault, Unavailable):
                raise
            return self._broken(record, fault)
        except _OF_ONE_RECORD as error:
            return self._broken(record, error)
        self._db.execute("RELEASE record")
        return result

    def _broken(self, record: Record, error: Exception) -> Broken:
        self._undo()
        log.error("a %s could not be saved", type(record).__name__, exc_info=error)
        return Broken()

    def _undo(self) -> None:
        self._db.run("ROLLBACK TO record")
        self._db.run("RELEASE record")
        self._forget()

    def _forget(self) -> None:
        """What the database holds is all there is."""
        self._caches.forget()
        self._appending.forget()

    def _apply(self, record: Record) -> Result:
        """Messages wait for those that follow them; everything else sees them in the database."""
        if isinstance(record, AppendMessage):
            return self._messages.append(record)
        self._appending.write_out()
        self._caches.resets_changed()
        return self._apply_other(record)

    def _apply_other(self, record: OtherRecord) -> Result:  # noqa: C901 - one case for each record
        match record:
            case PostEnvelopes():
                return self._envelopes.post(record)
            case MoveCursor():
                return self._envelopes.move_cursor(record)
            case ClaimKeys():
                return self._accounts.claim(record)
            case PutPrekeys():
                return self._accounts.put_prekeys(record)
            case PutRun():
                return self._accounts.put_run(record)
            case Register():
                return self._accounts.register(record)
            case ReplaceManifest():
                return self._accounts.replace_manifest(record)
            case BeginReset():
                return self._accounts.begin_reset(record)
            case CompleteResets():
                return self._accounts.complete(record)
            case Succeed():
                return self._accounts.succeed(record)
            case EndAccount():
                return self._endings.end(record)
            case PutAccept():
                return self._accounts.put_accept(record)
            case PutHead():
                return self._ledger.put_head(record)
            case PutStatement():
                return self._ledger.put_statement(record)
            case ChangeIdentity():
                return self._ledger.change_identity(record)
            case PutToken():
                return self._ledger.put_token(record)
            case PutFact(name, value):
                return self._ledger.put_fact(name, value)
            case FoundServer():
                return self._ledger.found(record)
            case BeginLife():
                return begin_life(self._db, self._caches, self._ledger, record)
            case TakeOffers():
                return self._offers.take(record)
            case PutVault():
                return self._offers.put_vault(record)
            case _:
                assert_never(record)
