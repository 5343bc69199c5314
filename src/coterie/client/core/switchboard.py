"""Routes commands and frames to the file whose job they are. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from coterie.base.codes import Code
from coterie.base.conversations import everyone_id
from coterie.base.errors import RemoteError
from coterie.base.ids import AccountId, StreamId
from coterie.client.commands import (
    AcceptIdentity,
    AnswerDevice,
    ChangeAccount,
    Command,
    CompareEmoji,
    Connected,
    ContactDeviceConfirmed,
    Disconnected,
    EmojiMatch,
    EndAccount,
    EndVerification,
    KeepDraft,
    LeaveDevice,
    MarkRead,
    MarkVerified,
    MoveQueued,
    OwnDeviceConfirmed,
    RecoveryKeyShown,
    ReplaceIdentity,
    Say,
    TakeBackVerified,
    TellServer,
    Tick,
    WatchForDevices,
)
from coterie.client.core.answers import Answers
from coterie.client.core.approvals import Approvals
from coterie.client.core.asked import Asked
from coterie.client.core.envelopes import Envelopes
from coterie.client.core.fanout import Fanout
from coterie.client.core.inbox import Inbox
from coterie.client.core.kept import kept
from coterie.client.core.keyring import Keyring
from coterie.client.core.news import News
from coterie.client.core.outbox import Outbox
from coterie.client.core.owed import Owed
from coterie.client.core.own_account import OwnAccount
from coterie.client.core.own_vault import OwnVault
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.prekeys import Prekeys
from coterie.client.core.presence import PresenceList
from coterie.client.core.profile import Profile
from coterie.client.core.pruning import Pruning
from coterie.client.core.read_marks import ReadTelling
from coterie.client.core.receipts import Receipting
from coterie.client.core.repairs import Repairs
from coterie.client.core.requests import Requests
from coterie.client.core.sealing import Sealing
from coterie.client.core.sending import Sending
from coterie.client.core.sharing import Sharing
from coterie.client.core.standing import Standings
from coterie.client.core.sync import Positions
from coterie.client.core.telling import Telling
from coterie.client.core.trust import Trust
from coterie.client.core.trust_marks import Marks
from coterie.client.core.verification import Verification
from coterie.client.core.views import Views
from coterie.client.events import DrainedBacklog, Event, LinkChanged, LinkState, OwnDeviceQuestion
from coterie.client.outcome import Outcome
from coterie.client.store.records import (
    DropGroupOut,
    DropSetting,
    PutSetting,
    ReadUpTo,
    Record,
    Setting,
)
from coterie.wire.frames import (
    Accepted,
    Accounts,
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    Claimed,
    Leaves,
    LedgerGrew,
    LogEntries,
    MailboxEntries,
    Pong,
    PrekeysLow,
    Presence,
    Ready,
    Refusal,
    Salt,
    ServerFrame,
    VaultGiven,
    VaultOpened,
    Welcome,
)


class Switchboard:
    """The whole core. steps() yields outcomes; each is applied to the store before the next is computed."""

    def __init__(self, reads: Reads, profile: Profile) -> None:
        self.profile = profile
        self.everyone = everyone_id(profile.founding_ledger)
        self.requests = Requests()
        self.people = People(reads, profile.account, profile.device)
        self.views = Views(reads, self.people)
        self.keyring = Keyring(reads)
        self.trust = Trust(reads, profile, self.people, self.requests)
        self._reads = reads
        self._sealing = Sealing(reads, self.keyring, profile, self.people)
        self._sharing = Sharing(reads, self.keyring, profile, self.people)
        self._fanout = Fanout(reads, self._sharing, self.requests)
        self._sending = Sending(
            reads, self._sealing, self._sharing, self._fanout, self.trust, self.people, self.requests
        )
        self._news = News(reads, self.views)
        self._outbox = Outbox(reads, self._sending, self.trust, self.people, self.views)
        self.standings = Standings(reads, self.people, self._news, self.trust.held)
        self.verification = Verification(
            self.keyring, self.people, self._outbox, self._sending, self.standings
        )
        self.positions = Positions(reads)
        self.repairs = Repairs(
            reads,
            profile,
            self.people,
            self.trust,
            self._sharing,
            self._fanout,
            self.positions,
            self._outbox,
        )
        self._telling = Telling(
            ReadTelling(reads, self.people, self._fanout),
            Marks(reads, self.people, self.trust.own, self.standings, self._fanout),
            Receipting(reads, self.people, self._fanout, self.views, self._news),
            self.repairs,
        )
        self._envelopes = Envelopes(reads, self.keyring, profile, self.people, self.everyone)
        self._inbox = Inbox(
            reads,
            self.keyring,
            self.people,
            self._envelopes,
            self._outbox,
            self.views,
            self._news,
            self.trust,
            self.verification,
            self._telling,
        )
        self._owed = Owed(reads, self._sharing, self._fanout, self.trust, self.people, self.requests)
        self._pruning = Pruning(self.keyring)
        self._presence = PresenceList(self.people)
        self._prekeys = Prekeys(reads, self.keyring, profile, self.requests)
        self._own_account = OwnAccount(
            reads, self.people, self.keyring, self.requests, lambda: self.trust.view
        )
        self.own_vault = OwnVault(reads, self.people, self.requests)
        self._approvals = Approvals(self.requests)
        self._answers = Answers(
            reads,
            self.requests,
            self.people,
            self.trust,
            self._presence,
            self._inbox,
            self._outbox,
            self._sending,
            self._fanout,
            self._owed,
            self._prekeys,
            self.positions,
            self._own_account,
            self.own_vault,
            self._telling,
            self._approvals,
        )
        self._asked = Asked(
            self.trust,
            self.standings,
            self.verification,
            self._own_account,
            self._approvals,
            self._outbox,
            self._sending,
            self._owed,
            self._news,
        )
        self._live = False
        self._told_live = False

    def forget(self) -> None:
        """After a failed commit: drop everything live and read it again when needed."""
        self.keyring.forget()
        self.people.forget()
        self.positions.forget()
        self.trust.load()
        self._outbox.forget()
        self._sending.forget()
        self._news.forget()
        self.verification.forget()
        self.repairs.forget()
        self._telling.receipts.forget()

    def started(self, clean: bool) -> Outcome:
        """The program has started; after an unclean stop every sending session ends (rule 15)."""
        return Outcome(save=() if clean else (DropGroupOut(b""),))

    def command(self, command: Command, now_ms: int) -> Iterator[Outcome]:
        """Carry out what a person, the link or the timer asked."""
        match command:
            case Say():
                self.trust.returning.check(command.peer)
                yield self._outbox.say(command, now_ms)
                self._news.of(command.conversation)
                self._sending.later(command.conversation)
                if self._live:
                    self._telling.receipts.later(now_ms)
            case MarkRead(conversation, order):
                yield Outcome(save=(ReadUpTo(conversation, order),))
                self._news.of(conversation)
                if self._live:
                    self._telling.read.later(now_ms)
            case KeepDraft() | RecoveryKeyShown() | TellServer():
                yield Outcome(save=(kept(command),))
            case Connected():
                yield from self._connected(command, now_ms)
            case Disconnected(code, final):
                yield self._disconnected(code, final)
            case Tick():
                yield from self._tick(now_ms)
            case (
                OwnDeviceConfirmed()
                | ChangeAccount()
                | ReplaceIdentity()
                | WatchForDevices()
                | AnswerDevice()
                | LeaveDevice()
            ):
                yield self._asked.own_devices(command, now_ms)
            case (
                MarkVerified()
                | TakeBackVerified()
                | CompareEmoji()
                | EmojiMatch()
                | EndVerification()
                | ContactDeviceConfirmed()
                | AcceptIdentity()
                | MoveQueued()
            ):
                yield from self._asked.verify(command, now_ms, live=self._live)
            case EndAccount():
                yield self._own_account.end(command, now_ms)
            case _:
                assert_never(command)

    def _tick(self, now_ms: int) -> Iterator[Outcome]:
        yield from self._inbox.kept_long_enough(now_ms)
        yield from self.verification.tick(now_ms)
        if self._live:
            yield self._prekeys.tick(now_ms)
            yield self.trust.tick(now_ms)
            yield from self._sending.pump_all(now_ms)
            yield from self._owed.give(now_ms)
            yield from self._telling.tick(now_ms)

    def frame(self, frame: ServerFrame, now_ms: int) -> Iterator[Outcome]:
        """Take what the server sent."""
        match frame:
            case MailboxEntries() | LogEntries():
                yield from self._entries(frame, now_ms)
            case Accepted() | Refusal() | Claimed() | Leaves() | Accounts() | VaultGiven():
                yield from self._answers.came(frame, now_ms)
            case PrekeysLow(left):
                yield self._prekeys.top_up(left, now_ms)
            case LedgerGrew(head):
                yield self.trust.grew(head, now_ms)
            case Presence():
                yield Outcome(show=self._presence.changed(frame))
                came = [AccountId(each.account) for each in frame.people if each.online]
                yield from self._sending.well_again(came, now_ms)
                yield from self._owed.came_online(came, now_ms)
            case ApprovalAsked() | ApprovalRelayed() | ApprovalEnded():
                yield self._approvals.heard(frame)
            case Pong():
                pass
            case Welcome() | Salt() | VaultOpened() | Ready():
                raise RemoteError(Code.UNEXPECTED_FRAME, "a frame of the handshake after it")
            case _:
                assert_never(frame)

    def _entries(self, frame: MailboxEntries | LogEntries, now_ms: int) -> Iterator[Outcome]:
        """The position moves once what all entries brought is saved."""
        stream, fresh = StreamId(frame.stream), self.positions.fresh
        if isinstance(frame, LogEntries):
            messages = fresh(stream, frame.incarnation, frame.entries)
            yield from self._inbox.messages(stream, messages, now_ms, frame.mailbox_end)
            yield Outcome(save=self.positions.moved(stream, messages, now_ms))
        else:
            envelopes = fresh(stream, frame.incarnation, frame.entries)
            yield from self._inbox.envelopes(stream, envelopes, now_ms)
            yield Outcome(save=self.positions.moved(stream, envelopes, now_ms))

    def after_turn(self, now_ms: int) -> Iterator[Outcome]:
        """Before the commit of a turn: move the lines that it touched, tell how conversations stand now,
        acknowledge what it commits, and say once that all is drained."""
        yield from self.verification.tell_lost(now_ms)
        if self._live:
            yield self.trust.resets.due(now_ms, current=self.trust.current)
        if self.standings.moved:
            yield self._telling.trust.said(now_ms)
            yield from self._telling.trust.released(now_ms)
            self.standings.moved = False
            self._telling.trust.later(now_ms)
            for conversation in self._reads.outbox_conversations():
                self._sending.later(conversation)
        yield from self._sending.pump_later(now_ms, live=self._live)
        yield self._news.tell()
        yield self.repairs.after_turn()
        if self._live:
            yield from self._acknowledged(now_ms)
            yield self.trust.after_turn(now_ms)

    def _acknowledged(self, now_ms: int) -> Iterator[Outcome]:
        show: tuple[Event, ...] = ()
        if not self._told_live and self.trust.settled:
            self._told_live = True
            show = (LinkChanged(LinkState.LIVE),)
        drained = self._told_live and self.positions.drained_now()
        save: tuple[Record, ...] = ()
        if drained:
            show = (*show, DrainedBacklog())
            yield self._prekeys.drained(now_ms)
        if self._told_live and self.positions.drained:
            missing, old = self.repairs.awaiting.gaps.tell(now_ms), self._pruning.due(now_ms)
            save, show = (*missing.save, *old.save), (*show, *missing.show)
        yield Outcome(save, self.positions.acknowledge(now_ms, at_once=drained), show)

    @property
    def heir(self) -> AccountId | None:
        """The account in which this device is to go on now: everything is proven, and drained."""
        if not (self._told_live and self.positions.drained):
            return None
        heir = self._own_account.succeeding.heir
        return heir.account if heir is not None else None

    def wake_at_ms(self) -> int | None:
        """When a Tick is due."""
        trust = (self.trust, self.trust.freshness, self.trust.resets, self.trust.returning, self.verification)
        parts = (self.positions, self._sending, self._prekeys, *trust, self._telling)
        times = [part.wake_at_ms for part in parts]
        if self._live:
            times += [self._owed.wake_at_ms, self._pruning.wake_at_ms or None]
        return min((at for at in times if at is not None), default=None)

    def _connected(self, command: Connected, now_ms: int) -> Iterator[Outcome]:
        self._live = True
        self._told_live = False
        self.requests.forget()
        dormant = self._prekeys.dormant(now_ms)
        sync, anew = self.positions.connected(command.ready, command.incarnation, dormant=dormant)
        saved: tuple[Record, ...] = (
            *anew,
            PutSetting(Setting.INCARNATION, command.incarnation),
            PutSetting(Setting.IDENTITY, command.identity),
            DropSetting(Setting.DEVICE_UNCONFIRMED),
        )
        yield from self._prekeys.connected(command.ready.one_time_keys, now_ms)
        yield Outcome(save=saved, send=(sync,), show=(LinkChanged(LinkState.SYNCING),))
        yield Outcome(show=tuple(OwnDeviceQuestion(each) for each in self.trust.own.waiting()))
        yield self.trust.returning.connected(now_ms)
        yield self._own_account.connected(now_ms)
        yield self.own_vault.connected(now_ms)
        yield self.trust.connected(command.ready, now_ms)
        yield from self._inbox.kept_long_enough(now_ms)
        yield from self._telling.connected(now_ms)
        yield from self._sending.connected(now_ms)
        yield from self._owed.give(now_ms)
        yield from self._sending.pump_all(now_ms)

    def _disconnected(self, code: Code | None, final: bool) -> Outcome:
        self._live = False
        self.requests.forget()
        self.trust.disconnected()
        self.positions.disconnected()
        self._prekeys.disconnected()
        self._sending.disconnected()
        self._telling.disconnected()
        state = LinkState.STOPPED if final else LinkState.OFFLINE
        return Outcome(show=(*self._presence.disconnected(), LinkChanged(state, code)))
