"""Decrypted is delivered: each device tells those that wrote to it what it has opened and stored (rule 18).

By envelope to the sending device alone, in direct conversations in which this account has spoken itself, a
few seconds after a message came; cumulative for each session, so that the next makes good one that was lost.
What is to be told stands in the store until the server has it. Its envelope does not: where no answer comes,
it is told anew, in another one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from coterie.base.ids import ConversationId, DeviceId, SessionId
from coterie.client.core.fanout import Fanout
from coterie.client.core.news import News
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.received import Received
from coterie.client.core.requests import ReceiptsGiven
from coterie.client.core.views import Views
from coterie.client.events import (
    ConversationKind,
    Delivery,
    DeliveryState,
    MessageDelivered,
    MessageState,
)
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import (
    Delivered,
    DropPeerFreshKey,
    DropReceiptDue,
    GroupInRow,
    MessageRow,
    PeerDevice,
    ReceiptDue,
    ReceiptRow,
    Record,
    ShareRow,
    ShareState,
)
from coterie.content.receipts import RECEIPTS_MOST, Receipt, Receipts

PAUSE_MS = 1000
JITTER_MS = 4000
RETRY_MS = 60_000
"""Where there is no session to a device yet, or no key of it; a busy server is not waited for any longer."""
_SENT: Final = MessageState.SENT
_jitter = secrets.SystemRandom()


class Receipting:
    """Tells, and takes what others tell."""

    def __init__(self, reads: Reads, people: People, fanout: Fanout, views: Views, news: News) -> None:
        self._reads = reads
        self._people = people
        self._fanout = fanout
        self._views = views
        self._news = news
        self._received = Received(reads, people)
        self._noted: set[tuple[SessionId, DeviceId]] = set()
        """Sessions of which the store says already that a receipt is due."""
        self._under_way: dict[tuple[SessionId, DeviceId], int] = {}
        """Up to where was told what the server has not answered yet."""
        self.wake_at_ms: int | None = None

    def later(self, now_ms: int) -> None:
        """Something is to be told, or may be told now."""
        if self.wake_at_ms is None or self.wake_at_ms > now_ms + PAUSE_MS + JITTER_MS:
            self.wake_at_ms = now_ms + PAUSE_MS + _jitter.randrange(JITTER_MS)

    def connected(self, now_ms: int) -> None:
        """What was told and not answered is told once more."""
        self._under_way.clear()
        self.later(now_ms)

    def disconnected(self) -> None:
        self.wake_at_ms = None

    def forget(self) -> None:
        """After a failed commit: what was noted in it is not."""
        self._noted.clear()
        self._under_way.clear()
        self._received.forget()

    def came(self, row: GroupInRow, now_ms: int) -> tuple[Record, ...]:
        """A message of this session was opened, and is stored with what is returned."""
        if (row.session, row.device) in self._noted:
            self.later(now_ms)
            return ()
        return self._due(
            ReceiptDue(row.session, row.device, row.account, row.conversation, row.first_index), now_ms
        )

    def given(self, message: MessageRow, now_ms: int) -> tuple[Record, ...]:
        """A message was given again, by the device that wrote it. Where the key of its session is not here,
        nobody knows from where on that was for this device: then all have to be here from the first on."""
        session = SessionId(message.session)
        row = self._reads.group_in(message.conversation, message.account, message.device, session)
        if row is not None:
            return self.came(row, now_ms)
        return self._due(
            ReceiptDue(session, message.device, message.account, message.conversation, 0), now_ms
        )

    def _due(self, due: ReceiptDue, now_ms: int) -> tuple[Record, ...]:
        conversation = self._reads.conversation(due.conversation)
        if conversation is None or conversation.kind is not ConversationKind.DIRECT:
            return ()
        self.later(now_ms)
        if (due.session, due.device) in self._noted:
            return ()
        self._noted.add((due.session, due.device))
        return (due,)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        """Tell what is due, one envelope to each device; what cannot be told yet waits for the next time."""
        if self.wake_at_ms is None or now_ms < self.wake_at_ms:
            return
        self.wake_at_ms = None
        due: dict[DeviceId, list[ReceiptDue]] = {}
        for each in self._reads.receipts_due():
            if self._reads.has_spoken(each.conversation):
                due.setdefault(each.device, []).append(each)
        for device, sessions in due.items():
            writer = self._people.device_of(sessions[0].account, device)
            if writer is None or not writer.live:
                yield Outcome(save=self._settled(device, (each.session for each in sessions)))
            else:
                yield self._tell(writer, sessions, now_ms)

    def _tell(self, writer: PeerDevice, sessions: list[ReceiptDue], now_ms: int) -> Outcome:
        """What was told already waits for its answer, unless more has come since."""
        receipts: list[Receipt] = []
        told: list[tuple[SessionId, int, int]] = []
        for each in sessions:
            up_to = self._reads.opened_up_to(each.session, each.device, each.first_index)
            if up_to is None or self._under_way.get((each.session, each.device)) == up_to:
                continue
            if len(receipts) == RECEIPTS_MOST:
                self.later(now_ms)
                break
            receipts.append(Receipt(each.conversation, each.session, up_to))
            told.append((each.session, each.first_index, up_to))
        if not receipts:
            return NOTHING
        given = ReceiptsGiven(writer.device, tuple(told))
        outcome = self._fanout.tell_receipts(writer, Receipts(tuple(receipts)), given, now_ms)
        if self._people.is_replaced(writer.account):
            settled = self._settled(writer.device, (session for session, _, _ in told))
            return Outcome(save=(*settled, *outcome.save), send=outcome.send)
        if outcome.send:
            self._under_way.update(((session, writer.device), up_to) for session, _, up_to in told)
        elif self.wake_at_ms is None:
            self.wake_at_ms = now_ms + RETRY_MS
        return outcome

    def accepted(self, given: ReceiptsGiven) -> Outcome:
        """The server has what was told: that is due no more, unless more has come since."""
        settled: list[SessionId] = []
        for session, first_index, up_to in given.told:
            if self._under_way.get((session, given.device)) == up_to:
                del self._under_way[session, given.device]
            if self._reads.opened_up_to(session, given.device, first_index) == up_to:
                settled.append(session)
        return Outcome(save=self._settled(given.device, settled))

    def put_off(self, given: ReceiptsGiven, wait_ms: int, now_ms: int) -> None:
        """The server has no room for it now: it is told anew, in another envelope, when that time is over."""
        for session, _, up_to in given.told:
            if self._under_way.get((session, given.device)) == up_to:
                del self._under_way[session, given.device]
        self.later(now_ms + min(wait_ms, RETRY_MS))

    def refused(self, given: ReceiptsGiven) -> Outcome:
        """The device cannot be told now: the next message of a session makes good what this one said. What is
        sealed for it goes to its signed prekey again (rule 12)."""
        settled = self._settled(given.device, (session for session, _, _ in given.told))
        return Outcome(save=(*settled, DropPeerFreshKey(given.device)))

    def _settled(self, device: DeviceId, sessions: Iterable[SessionId]) -> tuple[Record, ...]:
        """From now on the next message makes a receipt due again."""
        dropped: list[Record] = []
        for session in sessions:
            self._noted.discard((session, device))
            self._under_way.pop((session, device), None)
            dropped.append(DropReceiptDue(session, device))
        return tuple(dropped)

    def heard(self, sender: PeerDevice, receipts: Receipts) -> Iterator[Outcome]:
        """A device tells what it has. Counts only for sessions whose key was given to it, and no further than
        this device has written."""
        for receipt in receipts.receipts:
            yield self._one(sender, receipt)

    def _one(self, sender: PeerDevice, receipt: Receipt) -> Outcome:
        session = SessionId(receipt.session)
        share = self._reads.share_of(session, sender.device)
        if share is None or share.account != sender.account or share.state is ShareState.LEFT_OUT:
            return NOTHING
        known = self._reads.receipt(session, sender.device)
        after = known.up_to if known else -1
        rows = self._reads.written(session, self._people.device, after, receipt.up_to)
        if not rows or rows[-1].conversation != receipt.conversation:
            return NOTHING
        up_to = rows[-1].index
        told = ReceiptRow(session, sender.device, up_to)
        save: list[Record] = [told, *self._received.more(session, told, rows)]
        # Somebody else has a message by the first of their devices that was given its key.
        arrived: list[MessageRow] = []
        if sender.account != self._people.me:
            first = share.index
            arrived = [row for row in rows if row.shown and row.state is _SENT and row.index >= first]
            save.append(Delivered(session, share.index, up_to))
        self._news.of(ConversationId(receipt.conversation))
        conversation = self._reads.conversation(ConversationId(receipt.conversation))
        show = map(MessageDelivered, self._views.delivered(arrived, conversation))
        return Outcome(save=tuple(save), show=tuple(show))


def state_once_sent(reads: Reads, row: MessageRow, me: bytes) -> MessageState:
    """What an own message is once the server has it: a receipt may have come before the server's answer."""
    if row.state is MessageState.DELIVERED:
        return row.state
    for receipt in reads.receipts(SessionId(row.session)):
        share = reads.share_of(receipt.session, receipt.device)
        if share is not None and share.index <= row.index <= receipt.up_to and share.account != me:
            return MessageState.DELIVERED
    return MessageState.SENT


def deliveries(reads: Reads, people: People, row: MessageRow) -> tuple[Delivery, ...]:
    """What became of an own sealed message on the devices that it was for."""
    session = SessionId(row.session)
    found = []
    for share in reads.shares(session):
        known = people.device_of(share.account, share.device)
        state = _state(share, reads.receipt(session, share.device), row.index)
        name = known.name if known is not None else ""
        found.append(Delivery(people.name_of(share.account), share.device, name, state))
    return tuple(found)


def _state(share: ShareRow, receipt: ReceiptRow | None, index: int) -> DeliveryState:
    if receipt is not None and receipt.up_to >= index:
        return DeliveryState.RECEIVED
    if share.state is ShareState.LEFT_OUT or share.index > index:
        return DeliveryState.LEFT_OUT
    return DeliveryState.UNDERWAY
