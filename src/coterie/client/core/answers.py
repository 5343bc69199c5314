"""Takes what the server answered to the file whose request it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, Unavailable
from coterie.base.ids import AccountId, log_of
from coterie.client.core.approvals import Approvals
from coterie.client.core.fanout import Fanout
from coterie.client.core.inbox import Inbox
from coterie.client.core.outbox import Outbox
from coterie.client.core.owed import Owed
from coterie.client.core.own_account import OwnAccount
from coterie.client.core.own_vault import OwnVault
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.prekeys import Prekeys
from coterie.client.core.presence import PresenceList
from coterie.client.core.requests import (
    AccountsAsked,
    ApprovalsWatched,
    ClaimAsked,
    DeletionGiven,
    EnvelopesGiven,
    LeavesAsked,
    ManifestGiven,
    ManifestsOffered,
    MessageGiven,
    OwedClaimed,
    PrekeysGiven,
    Purpose,
    ReceiptsGiven,
    RepairClaimed,
    Requests,
    SuccessionGiven,
    VaultAsked,
    VaultOffered,
)
from coterie.client.core.sending import Sending
from coterie.client.core.sync import Positions
from coterie.client.core.telling import Telling
from coterie.client.core.trust import Trust
from coterie.client.events import AccountChangeAnswered
from coterie.client.outcome import Outcome
from coterie.client.store.records import PeerKeys
from coterie.wire.frames import Accepted, Accounts, Claimed, Leaves, Refusal, ServerFrame, VaultGiven
from coterie.wire.refusals import code_of

log = logging.getLogger("coterie.client")

Answer = Accepted | Refusal | Claimed | Leaves | Accounts | VaultGiven
ANSWERS: dict[type[ServerFrame], tuple[type[Purpose], ...]] = {
    Claimed: (ClaimAsked, OwedClaimed, RepairClaimed),
    Leaves: (LeavesAsked,),
    Accounts: (AccountsAsked,),
    VaultGiven: (VaultAsked,),
}
"""Answers that only one kind of request has."""
PASSING = frozenset({Code.BUSY, Code.DISK, Code.TOO_MANY_TRIES})
"""Refusals that time mends: messages and receipts are given again later; for anything else the connection is
given up, and all of it is given again on the next one."""


class Answers:
    """One method for each kind of answer; who asked stands in the requests."""

    def __init__(
        self,
        reads: Reads,
        requests: Requests,
        people: People,
        trust: Trust,
        presence: PresenceList,
        inbox: Inbox,
        outbox: Outbox,
        sending: Sending,
        fanout: Fanout,
        owed: Owed,
        prekeys: Prekeys,
        positions: Positions,
        own_account: OwnAccount,
        own_vault: OwnVault,
        telling: Telling,
        approvals: Approvals,
    ) -> None:
        self._reads = reads
        self._requests = requests
        self._people = people
        self._trust = trust
        self._presence = presence
        self._inbox = inbox
        self._outbox = outbox
        self._sending = sending
        self._fanout = fanout
        self._owed = owed
        self._prekeys = prekeys
        self._positions = positions
        self._own_account = own_account
        self._own_vault = own_vault
        self._repairs = telling.repairs
        self._receipts = telling.receipts
        self._approvals = approvals

    def came(self, frame: Answer, now_ms: int) -> Iterator[Outcome]:
        """An answer counts where its request is under way on this connection."""
        purpose = self._requests.answered(frame.request)
        expected = ANSWERS.get(type(frame))
        if expected is not None and purpose is not None and not isinstance(purpose, expected):
            raise RemoteError(Code.UNEXPECTED_FRAME, "an answer of another kind")
        match frame:
            case Accepted():
                yield from self._accepted(purpose, frame, now_ms)
            case Refusal():
                yield from self._refused(purpose, frame, now_ms)
            case Claimed() | Leaves() | Accounts() | VaultGiven():
                yield from self._given(purpose, frame, now_ms)
            case _:
                assert_never(frame)

    def _given(
        self, purpose: Purpose | None, frame: Claimed | Leaves | Accounts | VaultGiven, now_ms: int
    ) -> Iterator[Outcome]:
        """What was asked for has come; what nobody asked for is ignored."""
        match frame:
            case Claimed():
                if isinstance(purpose, ClaimAsked):
                    yield from self._sending.claimed(purpose, frame, now_ms)
                elif isinstance(purpose, OwedClaimed):
                    yield from self._owed.claimed(purpose, frame, now_ms)
                elif isinstance(purpose, RepairClaimed):
                    yield from self._repairs.asking.claimed(purpose, frame, now_ms)
            case Leaves():
                if isinstance(purpose, LeavesAsked):
                    yield self._trust.leaves(frame, now_ms)
                    yield from self._trust_moved(now_ms)
            case Accounts():
                if isinstance(purpose, AccountsAsked):
                    yield from self._accounts(frame, purpose, now_ms)
            case VaultGiven():
                if isinstance(purpose, VaultAsked):
                    yield self._own_vault.came(frame)
            case _:
                assert_never(frame)

    def _accepted(self, purpose: Purpose | None, frame: Accepted, now_ms: int) -> Iterator[Outcome]:
        match purpose:
            case MessageGiven():
                yield from self._outbox.accepted(purpose, frame, now_ms)
                if frame.mac:
                    stream = log_of(purpose.conversation)
                    yield Outcome(save=self._positions.answered(stream, frame, now_ms))
            case EnvelopesGiven():
                yield self._fanout.accepted(purpose)
            case ReceiptsGiven():
                yield self._receipts.accepted(purpose)
            case PrekeysGiven():
                yield self._prekeys.accepted(purpose)
            case ManifestGiven():
                yield self._own_account.accepted(purpose)
            case DeletionGiven(change=change):
                yield Outcome(show=(AccountChangeAnswered(change, None),))
            case ManifestsOffered():
                yield self._trust.brought(purpose, frame.seq, now_ms)
                yield from self._trust_moved(now_ms)
            case VaultOffered():
                yield self._own_vault.given()
            case SuccessionGiven() | ApprovalsWatched() | None:
                pass
            case (
                LeavesAsked()
                | AccountsAsked()
                | VaultAsked()
                | ClaimAsked()
                | OwedClaimed()
                | RepairClaimed()
            ):
                raise RemoteError(Code.UNEXPECTED_FRAME, "an answer of another kind")
            case _:
                assert_never(purpose)

    def _refused(self, purpose: Purpose | None, refusal: Refusal, now_ms: int) -> Iterator[Outcome]:
        """`succeeded` needs no answer: the ledger will say which account this one goes on as."""
        code = code_of(refusal)
        if code is Code.SUCCEEDED:
            return
        match purpose:
            case MessageGiven():
                yield from self._outbox.refused(purpose, refusal, code, now_ms)
            case PrekeysGiven() if code not in PASSING:
                yield self._prekeys.refused(purpose)
            case ManifestGiven() | DeletionGiven() | SuccessionGiven() if code not in (Code.BUSY, Code.DISK):
                yield self._own_account.refused(purpose, code, refusal.retry_after_ms)
            case ManifestsOffered() if code not in PASSING:
                yield self._trust.brought(purpose, refusal.ledger_size, now_ms)
                yield from self._trust_moved(now_ms)
            case VaultOffered() if code not in PASSING:
                yield self._own_vault.given()
            case ApprovalsWatched():
                yield self._approvals.refused(code, refusal.retry_after_ms)
            case ReceiptsGiven() if code in PASSING:
                self._receipts.put_off(purpose, refusal.retry_after_ms, now_ms)
            case ReceiptsGiven():
                yield self._receipts.refused(purpose)
            case EnvelopesGiven() if code not in PASSING:
                yield from self._sending.envelopes_refused(purpose, refusal, code, now_ms)
                yield from self._owed.give(now_ms)
            case None:
                log.info("the server refused something that nobody asked: %s", code.value)
            case _:
                raise Unavailable(code, "the server cannot serve this now: connect again later")

    def _accounts(self, frame: Accounts, asked: AccountsAsked, now_ms: int) -> Iterator[Outcome]:
        outcome = self._trust.accounts(frame, asked.accounts, now_ms)
        show = (*outcome.show, *self._presence.appeared(outcome.show))
        renewed = [each for each in outcome.save if isinstance(each, PeerKeys) and self._is_new(each)]
        yield msgspec.structs.replace(outcome, show=show)
        yield self._repairs.seen(outcome.save)
        yield self._own_account.moved()
        yield self._own_vault.moved(now_ms)
        for record in frame.accounts:
            yield from self._inbox.account_proven(AccountId(record.account), now_ms)
        yield from self._trust_moved(now_ms)
        owners = {self._people.owner_of(keys.device) for keys in renewed} - {None}
        yield from self._sending.well_again((each for each in owners if each is not None), now_ms)

    def _is_new(self, keys: PeerKeys) -> bool:
        known = self._reads.peer_keys(keys.device)
        return bool(keys.x_wing_key) and (known is None or known.x_wing_id != keys.x_wing_id)

    def _trust_moved(self, now_ms: int) -> Iterator[Outcome]:
        """Lines that waited for a newer view may go on: keys that are owed first, then messages."""
        yield from self._owed.give(now_ms)
        yield from self._repairs.answering.answer(now_ms)
        self._sending.unblock()
        yield from self._sending.pump_all(now_ms)
