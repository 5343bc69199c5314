"""Moving the lines: keys to everybody entitled, then messages, sealed in order and sent (docs/walk.md).

A line stands still while keys are claimed, while the server's view is ahead of ours, or while nobody of the
other side can be reached; pump() moves it on. What was sealed keeps its bytes until the server has it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from coterie.base.codes import Code
from coterie.base.conversations import direct_id, membership_hash
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId
from coterie.client.core.ahead import SHARE_AT_ONCE, Ahead
from coterie.client.core.fanout import Fanout
from coterie.client.core.line import Line, Repair
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.reach import Reach
from coterie.client.core.requests import ClaimAsked, EnvelopesGiven, MessageGiven, Requests
from coterie.client.core.sealing import Sealing
from coterie.client.core.sharing import SessionKeyAt, Sharing
from coterie.client.core.standing import to_seal
from coterie.client.core.trust import Trust
from coterie.client.events import ConversationKind, SendingStuck
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import (
    ConversationRow,
    DropGroupOut,
    GroupOutRow,
    MessageRow,
    OutboxRow,
    OutboxState,
    Record,
)
from coterie.wire.frames import Claimed, Refusal, Send

AGAIN_WINDOWS = 2
"""What is sent again at once, in windows of the line."""
SEAL_AT_ONCE = 64


class Sending:
    """Knows every line; works on one at a time."""

    def __init__(
        self,
        reads: Reads,
        sealing: Sealing,
        sharing: Sharing,
        fanout: Fanout,
        trust: Trust,
        people: People,
        requests: Requests,
    ) -> None:
        self._reads = reads
        self._sealing = sealing
        self._sharing = sharing
        self._fanout = fanout
        self._trust = trust
        self._people = people
        self._requests = requests
        self._reach = Reach(reads, people, sharing)
        self._ahead = Ahead(people, sealing, sharing, fanout, trust, self._reach)
        self._lines: dict[ConversationId, Line] = {}
        self._later: dict[ConversationId, None] = {}

    def line(self, conversation: ConversationId) -> Line:
        return self._lines.setdefault(conversation, Line())

    def connected(self, now_ms: int) -> Iterator[Outcome]:
        """Start every line again: first the envelopes, then what was sealed, then what waits."""
        self._lines.clear()
        yield from self._fanout.give_again(now_ms)
        for conversation in self._reads.outbox_conversations():
            self.line(conversation).resend = True

    def disconnected(self) -> None:
        self._lines.clear()

    def well_again(self, accounts: Iterable[AccountId], now_ms: int) -> Iterator[Outcome]:
        """These people came online, or have new prekeys: lines that were held for them go on."""
        for account in accounts:
            conversation = direct_id(self._people.me, account)
            if conversation in self._lines:
                self._lines[conversation].hopeful()
                yield from self.pump(conversation, now_ms)

    def unblock(self) -> None:
        """Something changed (accounts, keys): lines that were stuck may try again."""
        for line in self._lines.values():
            line.stuck = False

    @property
    def wake_at_ms(self) -> int | None:
        """When a line that was told to wait may go on; None where none was."""
        waits = [line.retry_at_ms for line in self._lines.values() if line.retry_at_ms]
        return min(waits, default=None)

    def later(self, conversation: ConversationId) -> None:
        """Move this line at the end of the turn: once, whatever it was touched by."""
        self._later[conversation] = None

    def pump_later(self, now_ms: int, *, live: bool) -> Iterator[Outcome]:
        """The end of the turn. Without a connection nothing moves: the next one starts every line again."""
        later, self._later = self._later, {}
        for conversation in later if live else ():
            yield from self.pump(conversation, now_ms)

    def forget(self) -> None:
        """The turn has failed."""
        self._later.clear()

    def pump_all(self, now_ms: int) -> Iterator[Outcome]:
        """Move every line that can move."""
        for conversation in self._reads.outbox_conversations():
            yield from self.pump(conversation, now_ms)

    def pump(self, conversation_id: ConversationId, now_ms: int) -> Iterator[Outcome]:
        """Move one line as far as it goes now."""
        conversation = self._reads.conversation(conversation_id)
        line = self.line(conversation_id)
        if conversation is None or line.claiming or now_ms < line.retry_at_ms:
            return
        if self._people.is_deleted(conversation.peer):
            yield self._ended(conversation, line, Code.DELETED)
            return
        if self._people.is_replaced(conversation.peer):
            yield self._ended(conversation, line, Code.IDENTITY_CHANGED)
            return
        if not self._ready(conversation):
            return
        line.retry_at_ms = 0
        if line.repair is not None:
            yield from self._repair(conversation, line, line.repair, now_ms)
            if line.repair is not None:
                return
        yield from self._again(conversation, line, now_ms)
        if line.resend or line.more:
            return
        room = min(SEAL_AT_ONCE, line.room)
        if room <= 0 or line.stuck:
            return
        rows = to_seal(self._reads, self._people, conversation, room)
        while rows:
            session = yield from self._prepare(conversation, line, now_ms)
            if session is None:
                return
            ahead = yield from self._ahead.begin(conversation, session, len(rows), now_ms)
            for each in (session, *ahead):
                most = self._sealing.room(conversation, each)
                conversation = yield from self._seal(conversation, each, rows[:most], line, now_ms)
                rows = rows[most:]

    def _again(self, conversation: ConversationRow, line: Line, now_ms: int) -> Iterator[Outcome]:
        """What is sealed and has to be sent once more, a bounded part of it at a time."""
        if line.resend and self._reach.all_dormant(conversation, now_ms):
            yield from self._nobody_there(conversation, line, now_ms)
        elif line.resend or (line.more and not line.in_flight):
            yield self._send_again(conversation, line, now_ms)

    def claimed(self, asked: ClaimAsked, frame: Claimed, now_ms: int) -> Iterator[Outcome]:
        """One-time keys came: make the sessions, leave out whose keys do not hold, go on."""
        self.line(asked.conversation).claiming = False
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
                yield Outcome(save=self._sharing.begin(device, offered, now_ms))
            except SealBroken as broken:
                reason = Code.NO_PREKEY if broken.code is Code.NO_PREKEY else Code.BAD_PREKEY
                key = self._key_of(conversation, asked.session)
                if key is not None:
                    yield self._fanout.leave_out(conversation, key, device, reason, now_ms)
        yield from self.pump(asked.conversation, now_ms)

    def _key_of(self, conversation: ConversationRow, session: SessionId) -> SessionKeyAt | None:
        """What a device that is left out now is owed of a session."""
        row = self._reads.group_out(conversation.id)
        if row is not None and row.session == session:
            return self._key_for(conversation, row)
        return self._sharing.key_from_start(session)

    def envelopes_refused(
        self, given: EnvelopesGiven, refusal: Refusal, code: Code, now_ms: int
    ) -> Iterator[Outcome]:
        """Some devices could not be served. Where that was all of the other person, the line is held: a
        message that nobody there could open stays queued."""
        held: set[ConversationId] = set()
        yield from self._fanout.refused(given, refusal, code, now_ms)
        for item in given.items:
            if item.share is None:
                continue
            conversation = self._reads.conversation(ConversationId(item.share.conversation))
            if conversation is None or conversation.id in held:
                continue
            sessions = map(SessionId, item.share.sessions)
            if not all(self._reach.peer(conversation, session) for session in sessions):
                held.add(conversation.id)
                yield self._hold(conversation, self.line(conversation.id), code, now_ms)

    def _ended(self, conversation: ConversationRow, line: Line, code: Code) -> Outcome:
        """What waits here stays where it is, and is never sealed for another identity by itself (rule 22);
        said once on a connection."""
        told, line.ended = line.ended, True
        return NOTHING if told else Outcome(show=(SendingStuck(conversation.id, code),))

    def _ready(self, conversation: ConversationRow) -> bool:
        """Whether we know of everybody there what the ledger knows."""
        if conversation.kind is ConversationKind.EVERYONE:
            return self._trust.synced
        if not self._trust.current:
            return False
        peers = (AccountId(conversation.peer), self._people.me)
        return all(account in self._people.rows and not self._trust.lacks(account) for account in peers)

    def _prepare(
        self, conversation: ConversationRow, line: Line, now_ms: int
    ) -> Generator[Outcome, None, GroupOutRow | None]:
        """Make sure that a session stands whose key is with everybody; None where that has to wait. What is
        sealed already goes first: its own repair reaches the other person or holds the line."""
        recipients = self._people.recipients(conversation)
        held = self._trust.held.among(conversation, recipients)
        entitled = tuple(each for each in recipients if each.device not in held)
        session, save = self._sealing.session(conversation, entitled, now_ms)
        if save:
            yield Outcome(save=save)
        has = {share.device for share in self._reads.shares(session.session)}
        missing = tuple(
            device
            for device in recipients
            if device.device not in has and not self._sharing.is_dormant(device, now_ms)
        )
        if missing:
            key = self._key_for(conversation, session)
            yield from self._fanout.leave_out_all(conversation, key, missing, held, now_ms)
            missing = tuple(device for device in missing if device.device not in held)
            unclaimed = yield from self._fanout.share(conversation, (key,), missing[:SHARE_AT_ONCE], now_ms)
            if unclaimed:
                line.claiming = True
                yield self._fanout.claim(conversation, session.session, unclaimed, now_ms)
                return None
            if len(missing) > SHARE_AT_ONCE:
                line.wait(now_ms)
                return None
        if not self._reach.peer(conversation, session.session):
            if self._reads.sealed(conversation.id):
                return None
            yield Outcome(save=(DropGroupOut(conversation.id),))
            yield from self._nobody_there(conversation, line, now_ms)
            return None
        return session

    def _nobody_there(self, conversation: ConversationRow, line: Line, now_ms: int) -> Iterator[Outcome]:
        code = self._trust.held.code(conversation, self._people.recipients(conversation))
        yield self._hold(conversation, line, code, now_ms)
        yield self._trust.renew(AccountId(conversation.peer), now_ms)

    def _hold(self, conversation: ConversationRow, line: Line, code: Code, now_ms: int) -> Outcome:
        returning = code is Code.NO_PREKEY and self._reach.others_return(now_ms)
        first = line.hold(now_ms, quietly=returning)
        return Outcome(show=(SendingStuck(conversation.id, code),) if first else ())

    def _key_for(self, conversation: ConversationRow, session: GroupOutRow) -> SessionKeyAt:
        """The key as it is now; from the start where messages that are sealed still wait to be accepted."""
        if self._reads.sealed(conversation.id):
            start = self._sharing.key_from_start(session.session)
            if start is not None:
                return start
        return self._sharing.key_now(conversation, session)

    def _seal(
        self,
        conversation: ConversationRow,
        session: GroupOutRow,
        rows: list[OutboxRow],
        line: Line,
        now_ms: int,
    ) -> Generator[Outcome, None, ConversationRow]:
        """Seal queued messages one after the other, and send them; the conversation as it stands then."""
        queued = {row.order: row for row in rows}
        messages = [message for message in map(self._reads.message, queued) if message is not None]
        if not messages:
            return conversation
        marks = self._sharing.left_out_marks(session.session)
        run = self._sealing.run(conversation, session, messages, marks)
        save: list[Record] = [run.conversation, run.session]
        goes_out: list[tuple[OutboxRow, MessageRow]] = []
        previous = conversation.out_message
        for sealed in run.messages:
            message = sealed.row
            waiting = queued[message.order]
            row = OutboxRow(
                waiting.order,
                waiting.conversation,
                waiting.message,
                OutboxState.SEALED,
                waiting.since_ms,
                previous,
                sealed.ciphertext,
            )
            previous = message.message
            save += (message, row)
            goes_out.append((row, message))
        yield Outcome(save=tuple(save), send=self._sends(conversation, goes_out, line, now_ms))
        return run.conversation

    def _send_again(self, conversation: ConversationRow, line: Line, now_ms: int) -> Outcome:
        """Send everything that was sealed and not accepted, in order, with the same bytes. What a restored
        server gets again goes session by session: it knows none of their keys, and refuses the first of
        each."""
        line.again()
        most = AGAIN_WINDOWS * line.window.size
        rows = self._reads.outbox(conversation.id, OutboxState.SEALED, most + 1)
        sealed = [(row, message) for row in rows if (message := self._reads.message(row.order)) is not None]
        together = self._reach.together([message for _, message in sealed])[:most]
        line.more = len(sealed) > len(together)
        return Outcome(send=self._sends(conversation, sealed[: len(together)], line, now_ms))

    def _sends(
        self,
        conversation: ConversationRow,
        sealed: list[tuple[OutboxRow, MessageRow]],
        line: Line,
        now_ms: int,
    ) -> tuple[Send, ...]:
        """Sealed messages as they go out, each a request of its own."""
        line.in_flight += len(sealed)
        membership, ledger_size = membership_hash(conversation.id), self._trust.view.size
        return tuple(
            Send(
                request=self._requests.new(MessageGiven(row.order, conversation.id, line.round), now_ms),
                conversation=conversation.id,
                to=conversation.peer,
                session=message.session,
                message=row.message,
                previous=row.previous,
                ciphertext=row.ciphertext,
                commitment=message.commitment,
                membership=membership,
                ledger_size=ledger_size,
            )
            for row, message in sealed
        )

    def _repair(
        self, conversation: ConversationRow, line: Line, repair: Repair, now_ms: int
    ) -> Iterator[Outcome]:
        """Stale view: give the key to the devices named if the ledger proves them, else say why not. The
        leaves that the server named have been asked for; what no signed head covers does not count."""
        message = self._reads.message(repair.order)
        key = self._sharing.key_from_start(SessionId(message.session)) if message else None
        if key is None:
            line.repair, line.resend = None, True
            return
        named = [DeviceId(ref.device) for ref in repair.refusal.devices]
        later = self._reach.came_later(message, named) if message is not None else frozenset()
        owed = self._reach.owed(conversation, key, [each for each in named if each not in later])
        held = self._trust.held.among(conversation, owed)
        yield from self._fanout.leave_out_all(conversation, key, owed, held, now_ms)
        owed = tuple(device for device in owed if device.device not in held)
        unclaimed = yield from self._fanout.share(conversation, (key,), owed, now_ms)
        if unclaimed:
            line.claiming = True
            yield self._fanout.claim(conversation, key.session, unclaimed, now_ms)
            return
        if not self._reach.peer(conversation, key.session):
            yield self._hold(conversation, line, Code.NO_PREKEY, now_ms)
            return
        line.repair, line.resend = None, True
        left = self._reach.left_out(key.session)
        known = {each.device for each in self._people.recipients(conversation)}
        without = tuple(
            (ref, left.get(DeviceId(ref.device), Code.UNPROVEN.value))
            for ref in repair.refusal.devices
            if ref.device in left or ref.device in later or ref.device not in known
        )
        if without:
            yield self._fanout.say_left_out(
                conversation, key.session, without, key.index, now_ms, never=later
            )
