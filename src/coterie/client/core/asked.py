"""What a person asked about other people and about devices of their own, to the file whose job it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from coterie.base.ids import AccountId
from coterie.client.changes import AddApproved
from coterie.client.commands import (
    AcceptIdentity,
    AnswerDevice,
    ChangeAccount,
    CompareEmoji,
    ContactDeviceConfirmed,
    EmojiMatch,
    EndVerification,
    LeaveDevice,
    MarkVerified,
    MoveQueued,
    OwnDeviceConfirmed,
    ReplaceIdentity,
    TakeBackVerified,
    Verifying,
    WatchForDevices,
)
from coterie.client.core.approvals import Approvals
from coterie.client.core.news import News
from coterie.client.core.outbox import Outbox
from coterie.client.core.owed import Owed
from coterie.client.core.own_account import OwnAccount
from coterie.client.core.sending import Sending
from coterie.client.core.standing import Standings
from coterie.client.core.trust import Trust
from coterie.client.core.verification import Verification
from coterie.client.outcome import Outcome


class Asked:
    """Decides nothing itself."""

    def __init__(
        self,
        trust: Trust,
        standings: Standings,
        verification: Verification,
        own_account: OwnAccount,
        approvals: Approvals,
        outbox: Outbox,
        sending: Sending,
        owed: Owed,
        news: News,
    ) -> None:
        self._trust = trust
        self._standings = standings
        self._verification = verification
        self._own_account = own_account
        self._approvals = approvals
        self._outbox = outbox
        self._sending = sending
        self._owed = owed
        self._news = news

    def verify(self, command: Verifying, now_ms: int, *, live: bool) -> Iterator[Outcome]:
        """About somebody else: who they are, and which devices are theirs."""
        match command:
            case MarkVerified(account):
                yield self._standings.verified(account)
                yield self._standings.asked(account)
            case TakeBackVerified(account):
                yield self._standings.taken_back(account)
            case ContactDeviceConfirmed(account, device):
                yield self._standings.confirmed(account, device)
                if live:
                    yield from self._owed.came_online((account,), now_ms)
                    yield from self._sending.well_again((account,), now_ms)
            case AcceptIdentity(account):
                yield self._standings.accepted(account)
            case MoveQueued(account, send):
                yield from self._move(account, now_ms, send=send)
            case CompareEmoji(account):
                yield from self._verification.ask(account, now_ms)
            case EmojiMatch(account):
                yield from self._verification.match(account, now_ms)
            case EndVerification(account, reason):
                yield from self._verification.end(account, reason, now_ms)
            case _:
                assert_never(command)

    def _move(self, account: AccountId, now_ms: int, *, send: bool) -> Iterator[Outcome]:
        """Queued messages of somebody's former identities: given up, or said to the one of now."""
        for given_up, again in tuple(self._standings.move(account, send=send)):
            yield Outcome(save=(given_up,))
            if again is not None:
                yield self._outbox.say(again, now_ms)
                self._news.of(again.conversation)
                self._sending.later(again.conversation)

    def own_devices(
        self,
        command: OwnDeviceConfirmed
        | ChangeAccount
        | ReplaceIdentity
        | WatchForDevices
        | AnswerDevice
        | LeaveDevice,
        now_ms: int,
    ) -> Outcome:
        """What the person asked about own devices. One that is admitted here is none to ask about."""
        match command:
            case OwnDeviceConfirmed(device):
                self._standings.moved = True
                return self._trust.own.answered(device)
            case ChangeAccount(changes=changes):
                self._trust.own.expect(each.device for each in changes if isinstance(each, AddApproved))
                return self._own_account.change(command, now_ms)
            case ReplaceIdentity():
                return self._own_account.replace(command, now_ms)
            case _:
                return self._approvals.tell(command, now_ms)
