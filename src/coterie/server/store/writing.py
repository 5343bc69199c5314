"""What both stores do with a record: its condition is looked at, then it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from coterie.base.errors import LocalError
from coterie.server.store.appending import Appending
from coterie.server.store.blob_records import BeginBlob, EndBlob, ForgetBlob, KeepBlob
from coterie.server.store.blobs import BlobWrites
from coterie.server.store.caches import Caches
from coterie.server.store.conversations import Conversations
from coterie.server.store.cursors import Cursors
from coterie.server.store.endings import EndingWrites
from coterie.server.store.envelopes import EnvelopeWrites
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.lives import begin_life
from coterie.server.store.messages import MessageWrites
from coterie.server.store.offers import OfferWrites
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
from coterie.server.store.results import Result
from coterie.server.store.statements import Statements
from coterie.server.store.successions import SuccessionWrites

OF_ONE_RECORD = (TypeError, ValueError, OverflowError, AssertionError, LocalError)
"""What a record raises that cannot be saved: a bug of ours, and no fault of the others of its batch."""


class Writing:
    """Inside a transaction, which is begun and ended by whoever calls."""

    def __init__(self, statements: Statements, caches: Caches, appending: Appending) -> None:
        self._db = statements
        self._caches = caches
        self._appending = appending
        ledger = LedgerWrites(statements)
        conversations = Conversations(statements, caches)
        self._ledger = ledger
        self._accounts = SuccessionWrites(statements, caches, ledger)
        self._endings = EndingWrites(statements, caches, ledger)
        self._offers = OfferWrites(statements, caches, ledger)
        self._messages = MessageWrites(statements, caches, ledger, conversations, appending)
        self._cursors = Cursors(statements, caches)
        self._blobs = BlobWrites(statements, caches)
        self._envelopes = EnvelopeWrites(statements, caches, conversations)

    async def write_out(self) -> None:
        """Nothing waits any more to be written."""
        await self._appending.write_out()
        await self._cursors.write_out()

    def forget(self) -> None:
        """What the database holds is all there is."""
        self._caches.forget()
        self._appending.forget()
        self._cursors.forget()

    async def apply_all(self, batch: Sequence[Record]) -> list[Result]:
        """One record after the other; a message costs no coroutine where all it asks for is at hand."""
        results: list[Result] = []
        for record in batch:
            result = self._messages.append_at_once(record) if isinstance(record, AppendMessage) else None
            results.append(await self.apply(record) if result is None else result)
        return results

    async def apply(self, record: Record) -> Result:
        """Messages and cursors wait for those that follow them; everything else sees them in the database."""
        if isinstance(record, AppendMessage):
            return await self._messages.append(record)
        if isinstance(record, MoveCursor):
            return await self._cursors.move(record)
        await self.write_out()
        self._caches.resets_changed()
        return await self._apply_other(record)

    async def _apply_other(self, record: OtherRecord) -> Result:  # noqa: C901 - one case for each record
        match record:
            case PostEnvelopes():
                return await self._envelopes.post(record)
            case ClaimKeys():
                return await self._accounts.claim(record)
            case PutPrekeys():
                return await self._accounts.put_prekeys(record)
            case PutRun():
                return await self._accounts.put_run(record)
            case Register():
                return await self._accounts.register(record)
            case ReplaceManifest():
                return await self._accounts.replace_manifest(record)
            case BeginReset():
                return await self._accounts.begin_reset(record)
            case CompleteResets():
                return await self._accounts.complete(record)
            case Succeed():
                return await self._accounts.succeed(record)
            case EndAccount():
                return await self._endings.end(record)
            case PutAccept():
                return await self._accounts.put_accept(record)
            case PutHead():
                return await self._ledger.put_head(record)
            case PutStatement():
                return await self._ledger.put_statement(record)
            case ChangeIdentity():
                return await self._ledger.change_identity(record)
            case PutToken():
                return await self._ledger.put_token(record)
            case PutFact(name, value, once):
                return await self._ledger.put_fact(name, value, once=once)
            case FoundServer():
                return await self._ledger.found(record)
            case BeginLife():
                return await begin_life(self._db, self._caches, self._ledger, record)
            case TakeOffers():
                return await self._offers.take(record)
            case PutVault():
                return await self._offers.put_vault(record)
            case BeginBlob():
                return await self._blobs.begin(record)
            case KeepBlob():
                return await self._blobs.keep(record)
            case EndBlob():
                return await self._blobs.end(record)
            case ForgetBlob():
                return await self._blobs.forget(record)
            case _:
                assert_never(record)
