"""What a person said, from the moment it is queued to the server's answer (docs/walk.md)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, SessionId
from coterie.client.commands import Say
from coterie.client.core.line import RETRY_MS, Repair
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.receipts import state_once_sent
from coterie.client.core.received import had_by_all
from coterie.client.core.requests import MessageGiven
from coterie.client.core.sending import Sending
from coterie.client.core.standing import may_say
from coterie.client.core.trust import Trust
from coterie.client.core.views import Views
from coterie.client.events import (
    ConversationChanged,
    ConversationKind,
    Event,
    MessageQueued,
    MessageSent,
    MessageState,
    SendingStuck,
)
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import (
    ConversationRow,
    DropReceived,
    MessageAccepted,
    MessageRow,
    OutboxRow,
    OutboxState,
    Record,
)
from coterie.content.body import Text, is_shown, pack
from coterie.wire.frames import Accepted, Refusal


class Outbox:
    """Everything this device has to say; Sending moves it."""

    def __init__(self, reads: Reads, sending: Sending, trust: Trust, people: People, views: Views) -> None:
        self._reads = reads
        self._sending = sending
        self._trust = trust
        self._people = people
        self._views = views
        self._next_order = _next_order(reads)

    def forget(self) -> None:
        """After a failed commit: count orders from the store again."""
        self._next_order = _next_order(self._reads)

    def take_order(self, count: int = 1) -> int:
        """A fresh order for a message, own or received; the first of so many in a row."""
        order = self._next_order
        self._next_order += count
        return order

    def say(self, command: Say, now_ms: int) -> Outcome:
        """Queue a message. Raises PersonChanged where the other has another identity than before."""
        may_say(self._people, command)
        kind = ConversationKind.DIRECT if command.peer else ConversationKind.EVERYONE
        known = self._reads.conversation(command.conversation)
        conversation = known or ConversationRow(command.conversation, kind, command.peer)
        body = pack(command.body)
        order = self.take_order()
        row = MessageRow(
            order=order,
            conversation=conversation.id,
            message=command.message,
            account=self._people.me,
            device=self._people.device,
            own=True,
            state=MessageState.QUEUED,
            body=body,
            text=command.body.text if isinstance(command.body, Text) else "",
            readable=True,
            sent_ms=now_ms,
            shown=is_shown(command.body),
        )
        queued = OutboxRow(order, conversation.id, command.message, OutboxState.WAITING, now_ms)
        save = (row, queued) if known else (conversation, row, queued)
        show = (MessageQueued(self._views.message(row, conversation)),) if row.shown else ()
        return Outcome(save=save, show=show)

    def accepted(self, given: MessageGiven, answer: Accepted, now_ms: int) -> Iterator[Outcome]:
        """The server has a message on disk."""
        line = self._sending.line(given.conversation)
        line.moved()
        row = self._reads.outbox_row(given.order)
        if row is not None and row.state is OutboxState.SEALED:
            yield self.mark_sent(row, answer.seq, answer.server_time_ms, answer.mac, now_ms)
        if line.in_flight <= line.window.size // 2:
            self._sending.later(given.conversation)

    def mark_sent(self, row: OutboxRow, seq: int, server_ms: int, mac: bytes, now_ms: int) -> Outcome:
        """Change a message to sent, by the server's answer or by its entry in the log. Of one that is not
        shown is told only that something is settled there; of what a restored server got again, nothing."""
        message = self._reads.message(row.order)
        if message is None:
            return NOTHING
        state = state_once_sent(self._reads, message, self._people.me)
        sent = msgspec.structs.replace(message, state=state, seq=seq)
        conversation = self._reads.conversation(row.conversation)
        again = message.state in (MessageState.SENT, MessageState.DELIVERED)
        since_ms = row.since_ms if again else now_ms
        kept = msgspec.structs.replace(row, state=OutboxState.SENT, since_ms=since_ms)
        save: tuple[Record, ...] = (MessageAccepted(row.order, seq, server_ms, mac, state), kept)
        if had_by_all(self._reads, self._people, SessionId(message.session)) >= message.index:
            save = (*save, DropReceived(row.order, row.order))
        if again:
            return Outcome(save=save)
        event: Event
        if sent.shown or conversation is None:
            event = MessageSent(self._views.message(sent, conversation))
        else:
            event = ConversationChanged(self._views.conversation(conversation))
        return Outcome(save=save, show=(event,))

    def refused(self, given: MessageGiven, refusal: Refusal, code: Code, now_ms: int) -> Iterator[Outcome]:
        """The server did not take a message: repair the reason, wait, or say that it is stuck."""
        line = self._sending.line(given.conversation)
        line.in_flight = max(0, line.in_flight - 1)
        if given.round != line.round:
            return
        match code:
            case Code.STALE_VIEW:
                if line.repair is None and line.disputed(now_ms):
                    yield Outcome(show=(SendingStuck(given.conversation, code),))
                line.repair = Repair(given.order, refusal)
                named = (AccountId(ref.account) for ref in refusal.devices)
                yield self._trust.want(refusal.ledger_size, named, now_ms)
            case Code.OUT_OF_ORDER:
                if line.repair is None:
                    line.resend = True
                    line.wait(now_ms + RETRY_MS)
            case Code.BUSY | Code.DISK | Code.TOO_MANY_TRIES:
                line.busy(now_ms + max(RETRY_MS, refusal.retry_after_ms))
            case _:
                line.stuck = True
                yield Outcome(show=(SendingStuck(given.conversation, code),))
                return
        yield from self._sending.pump(given.conversation, now_ms)


def _next_order(reads: Reads) -> int:
    """Above every message, and above what is kept for those that are not here yet."""
    return max(reads.last_order(), reads.last_kept_order()) + 1
