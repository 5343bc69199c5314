"""From what a person said to frames on their way: queue, seal in order, send, send again (docs/walk.md).

Per conversation one line of messages. It stands still while keys are claimed or the server's view is ahead of
ours, and moves on by pump(). What was sealed keeps its bytes until the server has accepted it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId
from coterie.client.commands import Say
from coterie.client.core.fanout import Fanout
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import ClaimAsked, MessageGiven, Requests
from coterie.client.core.sealing import Sealing, SessionKeyAt
from coterie.client.core.trust import Trust
from coterie.client.core.views import Views
from coterie.client.events import (
    ConversationKind,
    MessageQueued,
    MessageSent,
    MessageState,
    SendingStuck,
)
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import (
    ConversationRow,
    DropGroupOut,
    GroupOutRow,
    MessageAccepted,
    MessageRow,
    OutboxRow,
    OutboxState,
    PeerDevice,
    ShareState,
)
from coterie.content.body import Text, pack
from coterie.wire.frames import Claimed, Refusal, Send

IN_FLIGHT = 200
"""Messages of one conversation sent and not yet answered."""
SEAL_AT_ONCE = 64
RETRY_MS = 1000

_sends = msgspec.msgpack.Decoder(Send)


class _Repair(msgspec.Struct, frozen=True):
    """A message that the server refused for a stale view."""

    order: int
    refusal: Refusal


class _Line:
    """What the outbox remembers about one conversation while the program runs."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.round = 0
        self.claiming = False
        self.repair: _Repair | None = None
        self.stuck = False
        self.resend = False
        self.retry_at_ms = 0


class Outbox:
    """Everything this device has to say."""

    def __init__(
        self,
        reads: Reads,
        sealing: Sealing,
        fanout: Fanout,
        trust: Trust,
        people: People,
        requests: Requests,
        views: Views,
    ) -> None:
        self._reads = reads
        self._sealing = sealing
        self._fanout = fanout
        self._trust = trust
        self._people = people
        self._requests = requests
        self._views = views
        self._lines: dict[ConversationId, _Line] = {}
        self._next_order = reads.last_order() + 1

    def forget(self) -> None:
        """After a failed commit: count orders from the store again."""
        self._next_order = self._reads.last_order() + 1

    def take_order(self) -> int:
        """A fresh order for a message, own or received."""
        order = self._next_order
        self._next_order += 1
        return order

    def say(self, command: Say, now_ms: int) -> Outcome:
        """Queue a message."""
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
        )
        queued = OutboxRow(order, conversation.id, command.message, OutboxState.WAITING, b"", now_ms)
        save = (row, queued) if known else (conversation, row, queued)
        return Outcome(save=save, show=(MessageQueued(self._views.message(row, conversation)),))

    def connected(self, now_ms: int) -> Iterator[Outcome]:
        """Start every line again: first the envelopes, then what was sealed, then what waits."""
        self._lines.clear()
        yield from self._fanout.give_again(now_ms)
        for conversation in self._reads.outbox_conversations():
            self._line(conversation).resend = True

    def disconnected(self) -> None:
        self._lines.clear()

    def pump_all(self, now_ms: int) -> Iterator[Outcome]:
        """Move every line that can move."""
        for conversation in self._reads.outbox_conversations():
            yield from self.pump(conversation, now_ms)

    def pump(self, conversation_id: ConversationId, now_ms: int) -> Iterator[Outcome]:
        """Move one line as far as it goes now."""
        conversation = self._reads.conversation(conversation_id)
        line = self._line(conversation_id)
        if (
            conversation is None
            or not self._ready(conversation)
            or line.claiming
            or now_ms < line.retry_at_ms
        ):
            return
        if line.repair is not None:
            yield from self._repair(conversation, line, now_ms)
            if line.repair is not None:
                return
        if line.resend:
            yield self._send_again(conversation, line, now_ms)
        room = min(SEAL_AT_ONCE, IN_FLIGHT - line.in_flight)
        if room <= 0 or line.stuck:
            return
        for row in self._reads.outbox(conversation_id, OutboxState.WAITING, room):
            session = yield from self._prepare(conversation_id, line, now_ms)
            if session is None:
                return
            yield self._seal(session, row, line, now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        """When a line that was told to wait may go on; None where none was."""
        waits = [line.retry_at_ms for line in self._lines.values() if line.retry_at_ms]
        return min(waits, default=None)

    def unblock(self) -> None:
        """Something changed (accounts, keys): lines that were stuck may try again."""
        for line in self._lines.values():
            line.stuck = False

    def accepted(self, given: MessageGiven, seq: int, now_ms: int) -> Iterator[Outcome]:
        """The server has a message on disk."""
        line = self._line(given.conversation)
        line.in_flight = max(0, line.in_flight - 1)
        row = self._reads.outbox_row(given.order)
        if row is not None and row.state is OutboxState.SEALED:
            yield self.mark_sent(row, seq, 0, b"", now_ms)
        if line.in_flight <= IN_FLIGHT // 2:
            yield from self.pump(given.conversation, now_ms)

    def mark_sent(self, row: OutboxRow, seq: int, server_ms: int, mac: bytes, now_ms: int) -> Outcome:
        """Change a message to sent, by the server's answer or by its entry in the log."""
        message = self._reads.message(row.order)
        if message is None:
            return NOTHING
        sent = msgspec.structs.replace(message, state=MessageState.SENT, seq=seq)
        conversation = self._reads.conversation(row.conversation)
        kept = msgspec.structs.replace(row, state=OutboxState.SENT, since_ms=now_ms)
        return Outcome(
            save=(MessageAccepted(row.order, seq, server_ms, mac), kept),
            show=(MessageSent(self._views.message(sent, conversation)),),
        )

    def refused(self, given: MessageGiven, refusal: Refusal, code: Code, now_ms: int) -> Iterator[Outcome]:
        """The server did not take a message: repair the reason, wait, or say that it is stuck."""
        line = self._line(given.conversation)
        line.in_flight = max(0, line.in_flight - 1)
        if given.round != line.round:
            return
        match code:
            case Code.STALE_VIEW:
                line.repair = _Repair(given.order, refusal)
                yield self._trust.want_size(refusal.ledger_size, now_ms)
            case Code.OUT_OF_ORDER:
                line.resend = True
                line.retry_at_ms = 0 if line.repair else now_ms + RETRY_MS
            case Code.BUSY | Code.TOO_MANY_TRIES:
                line.resend = True
                line.retry_at_ms = now_ms + max(RETRY_MS, refusal.retry_after_ms)
            case _:
                line.stuck = True
                yield Outcome(show=(SendingStuck(given.conversation, code),))
                return
        yield from self.pump(given.conversation, now_ms)

    def claimed(self, asked: ClaimAsked, frame: Claimed, now_ms: int) -> Iterator[Outcome]:
        """One-time keys came: make the sessions, leave out whose keys do not hold, go on."""
        self._line(asked.conversation).claiming = False
        keys = {DeviceId(each.device): each for each in frame.keys}
        conversation = self._reads.conversation(asked.conversation)
        if conversation is None:
            return
        for ref in asked.devices:
            device = self._people.device_of(AccountId(ref.account), DeviceId(ref.device))
            if device is None or not device.live:
                continue
            offered = keys.get(device.device)
            try:
                if offered is None:
                    raise SealBroken("the server knows no such device", Code.NO_PREKEY)
                yield Outcome(save=self._sealing.start(device, offered, now_ms))
            except SealBroken as broken:
                reason = Code.NO_PREKEY if broken.code is Code.NO_PREKEY else Code.BAD_PREKEY
                yield self._fanout.leave_out(conversation, asked.session, device, reason, now_ms)
        yield from self.pump(asked.conversation, now_ms)

    def _ready(self, conversation: ConversationRow) -> bool:
        """Whether we know of everybody there what the ledger knows."""
        if conversation.kind is ConversationKind.EVERYONE:
            return self._trust.synced
        if not self._trust.current:
            return False
        peers = (AccountId(conversation.peer), self._people.me)
        return all(account in self._people.rows and not self._trust.lacks(account) for account in peers)

    def _line(self, conversation: ConversationId) -> _Line:
        return self._lines.setdefault(conversation, _Line())

    def _prepare(
        self, conversation_id: ConversationId, line: _Line, now_ms: int
    ) -> Generator[Outcome, None, GroupOutRow | None]:
        """Make sure that a session stands whose key is with everybody; None where that has to wait."""
        conversation = self._reads.conversation(conversation_id)
        if conversation is None:
            return None
        recipients = self._people.recipients(conversation)
        session, save = self._sealing.session(conversation, recipients, now_ms)
        if save:
            yield Outcome(save=save)
        has = {share.device for share in self._reads.shares(session.session)}
        missing = tuple(device for device in recipients if device.device not in has)
        if missing:
            unclaimed = yield from self._fanout.share(
                conversation, self._key_for(conversation, session), missing, now_ms
            )
            if unclaimed:
                line.claiming = True
                yield self._fanout.claim(conversation, session.session, unclaimed, now_ms)
                return None
        if not self._reaches_peer(conversation, session, recipients):
            line.stuck = True
            drop = DropGroupOut(conversation.id)
            yield Outcome(save=(drop,), show=(SendingStuck(conversation.id, Code.NO_PREKEY),))
            return None
        return session

    def _key_for(self, conversation: ConversationRow, session: GroupOutRow) -> SessionKeyAt:
        """The key as it is now; from the start where messages that are sealed still wait to be accepted."""
        if self._reads.outbox(conversation.id, OutboxState.SEALED, 1):
            start = self._sealing.key_from_start(session.session)
            if start is not None:
                return start
        return self._sealing.key_now(conversation, session)

    def _reaches_peer(
        self, conversation: ConversationRow, session: GroupOutRow, recipients: tuple[PeerDevice, ...]
    ) -> bool:
        """A direct message that no device of the other person could open stays queued."""
        if conversation.kind is ConversationKind.EVERYONE or conversation.peer == self._people.me:
            return True
        theirs = {each.device for each in recipients if each.account == conversation.peer}
        return any(
            share.device in theirs and share.state is not ShareState.LEFT_OUT
            for share in self._reads.shares(session.session)
        )

    def _seal(self, session: GroupOutRow, row: OutboxRow, line: _Line, now_ms: int) -> Outcome:
        """Seal one queued message and send it."""
        conversation = self._reads.conversation(row.conversation)
        message = self._reads.message(row.order)
        current = self._reads.group_out(session.conversation)
        if conversation is None or message is None or current is None:
            return NOTHING
        sealed = self._sealing.message(conversation, current, message)
        send = Send(
            request=0,
            conversation=conversation.id,
            to=conversation.peer,
            session=current.session,
            message=row.message,
            previous=conversation.out_message,
            ciphertext=sealed.ciphertext,
            commitment=sealed.commitment,
            membership=sealed.membership_hash,
            ledger_size=self._trust.view.size,
        )
        kept = msgspec.structs.replace(row, state=OutboxState.SEALED, frame=msgspec.msgpack.encode(send))
        return Outcome(save=(*sealed.save, kept), send=(self._numbered(send, row, line, now_ms),))

    def _send_again(self, conversation: ConversationRow, line: _Line, now_ms: int) -> Outcome:
        """Send everything that was sealed and not accepted, in order, with the same bytes."""
        line.resend = False
        line.retry_at_ms = 0
        line.round += 1
        line.in_flight = 0
        rows = self._reads.outbox(conversation.id, OutboxState.SEALED, IN_FLIGHT * 2)
        return Outcome(
            send=tuple(self._numbered(_sends.decode(row.frame), row, line, now_ms) for row in rows)
        )

    def _numbered(self, send: Send, row: OutboxRow, line: _Line, now_ms: int) -> Send:
        line.in_flight += 1
        request = self._requests.new(MessageGiven(row.order, row.conversation, line.round), now_ms)
        return msgspec.structs.replace(send, request=request)

    def _repair(self, conversation: ConversationRow, line: _Line, now_ms: int) -> Iterator[Outcome]:
        """Stale view: give the key to the devices named if the ledger proves them, else say "unproven"."""
        repair = line.repair
        if repair is None or self._trust.view.size < repair.refusal.ledger_size:
            return
        line.repair = None
        line.resend = True
        message = self._reads.message(repair.order)
        key = self._sealing.key_from_start(SessionId(message.session)) if message else None
        if key is None:
            return
        proven = {each.device: each for each in self._people.recipients(conversation)}
        left = {
            share.device: share.reason
            for share in self._reads.shares(key.session)
            if share.state is ShareState.LEFT_OUT
        }
        named = [DeviceId(ref.device) for ref in repair.refusal.devices]
        owed = tuple(proven[device] for device in named if device in proven and device not in left)
        unclaimed = yield from self._fanout.share(conversation, key, owed, now_ms)
        if unclaimed:
            line.claiming = True
            line.repair = repair
            yield self._fanout.claim(conversation, key.session, unclaimed, now_ms)
            return
        without = tuple(
            (device, left.get(device, Code.UNPROVEN.value))
            for device in named
            if device in left or device not in proven
        )
        if without:
            yield self._fanout.say_left_out(conversation, key.session, without, now_ms)
