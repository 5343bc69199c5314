"""From entries of streams to messages on the screen: open, check, keep, tell (docs/walk.md).

An entry that cannot be opened yet is kept as it came and counts as received, so that it never blocks its
stream; it is tried again when its key or its sender's manifest arrives.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from coterie.base import limits
from coterie.base.conversations import membership_hash
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    MessageId,
    SessionId,
    StreamId,
    conversation_of,
    is_mailbox,
    log_of,
)
from coterie.client.core.envelopes import Envelopes, KeyArrived, OpenedEnvelope, UnknownPeer
from coterie.client.core.gaps import Replayed
from coterie.client.core.keyring import Keyring
from coterie.client.core.news import News
from coterie.client.core.outbox import Outbox
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.repair_rules import mended_row
from coterie.client.core.telling import Telling
from coterie.client.core.trust import Trust
from coterie.client.core.verification import Verification
from coterie.client.core.views import Views, packed_left_out
from coterie.client.events import MessageArrived, MessageState
from coterie.client.outcome import Outcome
from coterie.client.store.records import (
    DropWaiting,
    GroupInRow,
    MessageRow,
    OutboxState,
    PeerDevice,
    PutSetting,
    Record,
    Setting,
    WaitingReason,
    WaitingRow,
)
from coterie.content.body import Body, Text, is_shown, unpack
from coterie.content.repair import Repair
from coterie.e2ee.group import InnerMessage, Opened, check_place, open_message
from coterie.e2ee.vodo import EarlierIndex
from coterie.wire.frames.messages import LogEntry, MailboxEntry

log = logging.getLogger("coterie.client.inbox")

_mailbox_entries = msgspec.msgpack.Decoder(MailboxEntry)
_log_entries = msgspec.msgpack.Decoder(LogEntry)


class Inbox:
    """Takes entries in order; each step sees what the one before it saved."""

    def __init__(
        self,
        reads: Reads,
        keyring: Keyring,
        people: People,
        envelopes: Envelopes,
        outbox: Outbox,
        views: Views,
        news: News,
        trust: Trust,
        verification: Verification,
        telling: Telling,
    ) -> None:
        self._reads = reads
        self._keyring = keyring
        self._people = people
        self._envelopes = envelopes
        self._outbox = outbox
        self._views = views
        self._news = news
        self._trust = trust
        self._verification = verification
        self._telling = telling
        self._awaiting = telling.repairs.awaiting

    def envelopes(self, stream: StreamId, entries: Iterable[MailboxEntry], now_ms: int) -> Iterator[Outcome]:
        """Entries of this device's mailbox."""
        for entry in entries:
            yield from self._envelope(stream, entry, now_ms)

    def _envelope(self, stream: StreamId, entry: MailboxEntry, now_ms: int) -> Iterator[Outcome]:
        if self._envelopes.known(entry):
            return
        device = DeviceId(entry.device)
        sender = self._people.device_of(AccountId(entry.account), device)
        if sender is None:
            yield self._wait(stream, entry, b"", WaitingReason.UNKNOWN_DEVICE, now_ms)
            return
        if not sender.live:
            log.warning("an envelope of a revoked device was dropped")
            return
        if self._telling.repairs.floods(device, now_ms):
            if self._reads.waiting_count(stream, device) < limits.REPAIR_FLOOD_KEPT:
                yield self._wait(stream, entry, b"", WaitingReason.TOO_MANY_FAILURES, now_ms)
            return
        if self._envelopes.failing_too_often(device, now_ms):
            yield self._wait(stream, entry, b"", WaitingReason.TOO_MANY_FAILURES, now_ms)
            return
        try:
            opened = self._envelopes.open(entry, sender, now_ms)
        except UnknownPeer:
            self._keyring.forget()
            yield self._wait(stream, entry, b"", WaitingReason.UNKNOWN_PEER, now_ms)
            return
        except (SealBroken, RemoteError) as broken:
            log.warning("an envelope did not open: %s", broken.note)
            yield Outcome(save=self._envelopes.failed(device, now_ms))
            self._keyring.forget()
            yield self._wait(stream, entry, b"", WaitingReason.BROKEN, now_ms)
            return
        yield Outcome(save=opened.save)
        yield from self._told(opened, sender, now_ms)

    def _told(self, opened: OpenedEnvelope, sender: PeerDevice, now_ms: int) -> Iterator[Outcome]:
        """What a device says in an envelope, to whose job it is."""
        for conversation in opened.read:
            self._news.of(conversation)
        if opened.marks is not None:
            yield from self._telling.trust.came(opened.marks, sender.device, now_ms)
        if opened.receipts is not None:
            yield from self._telling.receipts.heard(sender, opened.receipts)
        if opened.wanted is not None:
            yield from self._telling.repairs.answering.heard(sender, opened.wanted, now_ms)
        if opened.repair is not None:
            yield from self._repaired(sender, opened.repair, now_ms)
        if opened.not_mine is not None:
            yield self._telling.repairs.not_mine(opened.not_mine, sender)
        for key in opened.arrived:
            yield from self._key_arrived(key, now_ms)

    def messages(
        self, stream: StreamId, entries: Sequence[LogEntry], now_ms: int, mailbox_end: int = 0
    ) -> Iterator[Outcome]:
        """Entries of a conversation's log. mailbox_end: where their keys stand at the latest."""
        conversation = conversation_of(stream)
        self._reads.expect_messages([MessageId(entry.message) for entry in entries])
        for entry in entries:
            yield from self._message(stream, conversation, entry, now_ms, mailbox_end)

    def _message(
        self,
        stream: StreamId,
        conversation: ConversationId,
        entry: LogEntry,
        now_ms: int,
        mailbox_end: int,
    ) -> Iterator[Outcome]:
        device = DeviceId(entry.device)
        if device == self._people.device:
            yield from self._own(conversation, entry, now_ms)
            return
        session = SessionId(entry.session)
        row = self._reads.group_in(conversation, AccountId(entry.account), device, session)
        order = self._reads.message_order(conversation, device, MessageId(entry.message))
        if order is not None:
            yield Outcome(save=self._came_again(row, entry, order, now_ms) if row is not None else ())
            return
        try:
            opened = self._opened(row, entry) if row is not None and row.pickle else None
        except EarlierIndex:
            opened = None
        except (SealBroken, RemoteError) as broken:
            log.warning("a message did not open: %s", broken.note)
            yield self._wait(stream, entry, session, WaitingReason.BROKEN, now_ms)
            if not isinstance(broken, Replayed):
                yield Outcome(save=self._awaiting.entry(conversation, entry, mailbox_end, now_ms))
            return
        if row is None or opened is None:
            yield self._wait(stream, entry, session, WaitingReason.NO_KEY, now_ms)
            yield Outcome(save=self._awaiting.entry(conversation, entry, mailbox_end, now_ms))
            return
        read, body = opened
        self._trust.heard(read.inner.head)
        yield from self._take(row, entry, read, body, now_ms)

    def account_proven(self, account: AccountId, now_ms: int) -> Iterator[Outcome]:
        """Try again what waited for this account: what it sent, and what own devices said to it."""
        for waiting in self._reads.waiting_for_account(account):
            sender = self._people.device_of(account, waiting.device)
            if sender is not None:
                yield from self._again(waiting, now_ms)
        for waiting in self._reads.waiting():
            if waiting.reason is WaitingReason.UNKNOWN_PEER:
                yield from self._again(waiting, now_ms)

    def kept_long_enough(self, now_ms: int) -> Iterator[Outcome]:
        """Try again what was kept unopened for an hour because its device had failed too often (rule 10)."""
        for waiting in self._reads.waiting():
            over = now_ms - waiting.since_ms >= limits.HOUR_MS
            if over and waiting.reason is WaitingReason.TOO_MANY_FAILURES:
                yield from self._again(waiting, now_ms)

    def _key_arrived(self, arrived: KeyArrived, now_ms: int) -> Iterator[Outcome]:
        stream = log_of(arrived.conversation)
        for waiting in self._reads.waiting_for_session(stream, arrived.device, arrived.session):
            yield from self._again(waiting, now_ms)

    def _again(self, waiting: WaitingRow, now_ms: int) -> Iterator[Outcome]:
        yield Outcome(save=(DropWaiting(waiting.stream, waiting.seq),))
        if is_mailbox(waiting.stream):
            mail = msgspec.structs.replace(_mailbox_entries.decode(waiting.entry), seq=waiting.seq)
            yield from self._envelope(waiting.stream, mail, now_ms)
        else:
            entry = msgspec.structs.replace(_log_entries.decode(waiting.entry), seq=waiting.seq)
            yield from self.messages(waiting.stream, (entry,), now_ms)

    def _wait(
        self,
        stream: StreamId,
        entry: MailboxEntry | LogEntry,
        session: bytes,
        reason: WaitingReason,
        now_ms: int,
    ) -> Outcome:
        row = WaitingRow(
            stream=stream,
            seq=entry.seq,
            account=AccountId(entry.account),
            device=DeviceId(entry.device),
            session=session,
            entry=msgspec.msgpack.encode(entry),
            reason=reason,
            since_ms=now_ms,
        )
        if reason is not WaitingReason.BROKEN:
            return Outcome(save=(row,))
        before = int.from_bytes(self._reads.setting(Setting.BROKEN_COUNT) or b"", "big")
        return Outcome(save=(row, PutSetting(Setting.BROKEN_COUNT, (before + 1).to_bytes(8, "big"))))

    def _own(self, conversation: ConversationId, entry: LogEntry, now_ms: int) -> Iterator[Outcome]:
        """An own message came back in the log: it is sent, also where the answer to it was lost."""
        device = DeviceId(entry.device)
        order = self._reads.message_order(conversation, device, MessageId(entry.message))
        row = self._reads.outbox_row(order) if order is not None else None
        if row is None or row.state is OutboxState.WAITING:
            return
        outcome = self._outbox.mark_sent(row, entry.seq, entry.server_time_ms, entry.mac, now_ms)
        if row.state is OutboxState.SEALED:
            yield outcome
        else:
            yield Outcome(save=outcome.save)

    def _opened(self, row: GroupInRow, entry: LogEntry) -> tuple[Opened, Body]:
        """A message and what it says. Raises SealBroken, and RemoteError for a body that is none."""
        opened = open_message(self._keyring.group_in(row), entry.ciphertext, entry.commitment)
        inner = opened.inner
        check_place(inner, row.conversation, row.account, row.device, MessageId(entry.message))
        if inner.membership_hash != membership_hash(row.conversation):
            raise SealBroken("a message for another membership")
        if self._reads.index_used(row.device, row.session, opened.index):
            raise Replayed("a message index used before")
        self._awaiting.gaps.check(inner)
        return opened, unpack(inner.body)

    def _take(
        self, row: GroupInRow, entry: LogEntry, opened: Opened, body: Body, now_ms: int
    ) -> Iterator[Outcome]:
        """A message that opened: keep it, and say so."""
        kept = list(self._awaiting.skipped(opened.inner, entry.seq, now_ms))
        message = self._row(self._awaiting.place(opened.inner), row, entry, opened, body)
        kept += self._keep(message, opened.inner, entry.seq, now_ms)
        if not row.begun_seq:
            begun_seq = max(1, entry.seq)
            kept.append(msgspec.structs.replace(row, begun_seq=begun_seq, begun_ms=now_ms))
        kept.extend(self._telling.receipts.came(row, now_ms))
        yield from self._shown(message, now_ms, tuple(kept))

    def _came_again(self, row: GroupInRow, entry: LogEntry, order: int, now_ms: int) -> tuple[Record, ...]:
        """What is here already. Sealed a second time, by a home that is a copy, it counts under its number
        too."""
        told = self._telling.receipts.came(row, now_ms)
        known = self._reads.message(order)
        if known is None or known.commitment == entry.commitment or not row.pickle:
            return told
        try:
            opened, _ = self._opened(row, entry)
        except (SealBroken, RemoteError):
            return told
        return (*told, *self._said_twice(known, opened.inner, opened.hash, entry.seq, now_ms))

    def _said_twice(
        self, known: MessageRow, inner: InnerMessage, hash: bytes, seq: int, now_ms: int
    ) -> Iterator[Record]:
        """The same words, under another number: nothing is missing there."""
        if known.body == inner.body:
            yield from self._awaiting.came(inner, now_ms)
            yield from self._awaiting.gaps.take(inner, hash, known.order, seq)

    def _keep(self, message: MessageRow, inner: InnerMessage, seq: int, now_ms: int) -> Iterator[Record]:
        """A message, its device's count, and what is awaited without it."""
        yield from self._awaiting.came(inner, now_ms)
        yield message
        yield from self._awaiting.gaps.take(inner, message.hash, message.order, seq)

    def _shown(self, message: MessageRow, now_ms: int, save: tuple[Record, ...] = ()) -> Iterator[Outcome]:
        """Screens are told of a message as it is kept, in a conversation that stands in the store."""
        if not message.shown:
            yield Outcome(save=save)
            yield from self._verification.came(message, now_ms)
            return
        self._news.of(message.conversation)
        yield Outcome(save=save, show=(MessageArrived(self._views.message(message)),))

    def _repaired(self, sender: PeerDevice, repair: Repair, now_ms: int) -> Iterator[Outcome]:
        """Somebody gives a message that was asked for: it is kept where it is what was awaited."""
        try:
            mended = self._telling.repairs.mended(sender, repair)
            if mended is None:
                return
            where = self._envelopes.conversation(mended.inner.conversation, mended.inner.account)
            self._awaiting.gaps.check(mended.inner)
            unpack(mended.inner.body)
        except (SealBroken, RemoteError) as broken:
            log.warning("a repair is not what was asked for: %s", broken.note)
            yield self._telling.repairs.lied(repair, now_ms)
            return
        self._trust.heard(mended.inner.head)
        inner, entry = mended.inner, mended.entry
        seq = entry.seq if entry is not None else self._awaiting.gaps.seq_of_lost(inner)
        known = self._reads.conversation(inner.conversation) is not None
        kept: list[Record] = [] if known else [where]
        if seq:
            kept += self._awaiting.skipped(inner, seq, now_ms)
        order = self._reads.message_order(inner.conversation, inner.device, MessageId(inner.message))
        twice = self._reads.message(order) if order is not None else None
        if twice is not None:
            kept += self._said_twice(twice, inner, mended.hash, seq, now_ms)
            yield Outcome(save=tuple(kept))
            return
        message = mended_row(self._awaiting.place(inner), mended, own=inner.account == self._people.me)
        kept += self._keep(message, inner, seq, now_ms)
        if message.session:
            kept.extend(self._telling.receipts.given(message, now_ms))
        yield Outcome(save=tuple(kept))
        yield from self._shown(message, now_ms)

    def _row(self, order: int, row: GroupInRow, entry: LogEntry, opened: Opened, body: Body) -> MessageRow:
        inner = opened.inner
        return MessageRow(
            order=order,
            conversation=row.conversation,
            message=MessageId(inner.message),
            account=row.account,
            device=row.device,
            own=row.account == self._people.me,
            state=MessageState.RECEIVED,
            body=inner.body,
            text=body.text if isinstance(body, Text) else "",
            readable=isinstance(body, Text),
            sent_ms=inner.time_ms,
            seq=max(0, entry.seq),
            server_ms=entry.server_time_ms,
            n=inner.n,
            hash=opened.hash,
            inner=opened.packed,
            franking_key=opened.franking_key,
            commitment=entry.commitment,
            mac=entry.mac,
            session=row.session,
            index=opened.index,
            not_for=packed_left_out(inner),
            shown=is_shown(body),
        )
