"""Writing messages into logs.

Streams draw dense numbers from a counter row in the same transaction (docs/protocol.md, Streams).
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.policy import COUNTED_DEVICES_PER_ACCOUNT, dormant_before_ms, speakers_only
from coterie.server.store.appending import Appending
from coterie.server.store.caches import Caches, KnownConversation, KnownDevice, LastMessage
from coterie.server.store.conversations import Conversations, Undo
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.records import AppendMessage
from coterie.server.store.results import Appended, Denied, Opened, Result
from coterie.server.store.statements import Statements
from coterie.wire.frames.messages import LogEntry

NAMED_DEVICES_MAX = 10_000
"""Named in one refusal, so that it fits into a frame; the next try names the rest."""

STEPS_BACK_MAX = 5000
"""How far back a retry is looked for: many times what a client may have unanswered."""

_BACK = (
    "WITH RECURSIVE back (seq, message, before_no, step) AS ("
    "SELECT seq, message, before_no, 1 FROM log_entries WHERE no = :last"
    " UNION ALL SELECT l.seq, l.message, l.before_no, b.step + 1 FROM back b"
    " JOIN log_entries l ON l.no = b.before_no WHERE b.message <> :message AND b.step < :steps"
    ") SELECT seq FROM back WHERE message = :message"
)
"""SQL: seq of the device's entry with this message id, from its newest one back."""


class MessageWrites:
    """Checks all conditions of a record before it writes, or raises Undo."""

    def __init__(
        self,
        statements: Statements,
        caches: Caches,
        ledger: LedgerWrites,
        conversations: Conversations,
        appending: Appending,
    ) -> None:
        self._db = statements
        self._caches = caches
        self._ledger = ledger
        self._conversations = conversations
        self._appending = appending

    def append_at_once(self, record: AppendMessage) -> Result | None:
        """Nearly every message: everything that its conditions ask for is at hand, and all of them hold. None
        where that is not so, and append() has to look."""
        known = self._caches.at_hand(record.device, record.conversation)
        if known is None:
            return None
        sender, conversation, last = known
        if (
            last.message != record.previous
            or last.message == record.message
            or (sender.no, record.session) not in self._caches.free.get(conversation.no, ())
            or self._appending.next_no is None
        ):
            return None
        return self._put(record, sender, conversation, last, ())

    async def append(self, record: AppendMessage) -> Result:
        sender = await self._caches.device(record.device)
        if sender is None or not sender.live:
            return Denied(Code.REVOKED)
        conversation = await self._caches.conversation(record.conversation)
        if conversation is not None:
            return await self._append(record, sender, conversation, ())
        if not record.peer:
            return Denied(Code.NOT_A_MEMBER)
        conversation, opened = await self._conversations.begin(sender, record.conversation, record.peer)
        result = await self._append(record, sender, conversation, opened)
        if isinstance(result, Denied):
            raise Undo(result)
        return result

    async def _append(
        self,
        record: AppendMessage,
        sender: KnownDevice,
        conversation: KnownConversation,
        opened: tuple[Opened, ...],
    ) -> Result:
        last = await self._caches.last_message(conversation, sender.no)
        if last is None:
            return Denied(Code.NOT_A_MEMBER)
        if last.message != record.previous or last.message == record.message:
            seq = await self._seq_of(record.message, last.no)
            if seq is not None:
                return Appended(seq, conversation.stream, None)
            if not await self._goes_on(record.previous, last.no):
                return Denied(Code.OUT_OF_ORDER)
        if conversation.ended:
            return Denied(Code.DELETED)
        denied = await self._view_denied(record, sender, conversation)
        if denied is not None:
            return denied
        if conversation.is_everyone and not await self._may_speak(sender):
            return Denied(Code.SPEAKERS_ONLY)
        await self._accept_partner(sender, conversation)
        self._remember_free(record, sender, conversation)
        await self._appending.draw_numbers()
        return self._put(record, sender, conversation, last, opened)

    def _put(
        self,
        record: AppendMessage,
        sender: KnownDevice,
        conversation: KnownConversation,
        last: LastMessage,
        opened: tuple[Opened, ...],
    ) -> Appended:
        """All conditions hold."""
        newest = self._appending.put(record, sender, conversation, last)
        conversation.last[sender.no] = newest
        seq = conversation.end
        entry = LogEntry(
            seq,
            record.account,
            record.device,
            record.session,
            record.message,
            record.ciphertext,
            record.commitment,
            record.now_ms,
            record.mac,
        )
        return Appended(seq, conversation.stream, entry, opened)

    def _remember_free(
        self, record: AppendMessage, sender: KnownDevice, conversation: KnownConversation
    ) -> None:
        """The next message of this session goes by append_at_once(), unless each has to ask who may speak."""
        devices = self._caches.everyone_devices
        if conversation.is_everyone and (devices is None or speakers_only(devices)):
            return
        voice = (sender.no, record.session)
        if voice in self._caches.complete.get(conversation.no, ()):
            self._caches.free.setdefault(conversation.no, set()).add(voice)

    async def _goes_on(self, previous: bytes, last_no: int) -> bool:
        """Whether a message may stand behind another than the device's newest one: it is sent again to a copy
        in which the device has said nothing yet, and between both every device had what was said."""
        if last_no > await self._caches.last_no_of_copy():
            return False
        return not previous or await self._seq_of(previous, last_no) is not None

    async def _seq_of(self, message: bytes, last_no: int) -> int | None:
        """Where a message sent before stands, found by going back from the device's newest one.

        A message is only ever appended behind the newest one, so what is not found is not doubled either.
        """
        await self._appending.write_out()
        row = await self._db.one(_BACK, {"last": last_no, "message": message, "steps": STEPS_BACK_MAX})
        return int(row[0]) if row else None

    async def _view_denied(
        self, record: AppendMessage, sender: KnownDevice, conversation: KnownConversation
    ) -> Denied | None:
        """stale-view, where an entitled device has no row for the session."""
        complete = self._caches.complete.get(conversation.no)
        if complete is None:
            complete = self._caches.complete[conversation.no] = set()
        elif (sender.no, record.session) in complete:
            return None
        session_no = await self._conversations.session_no(conversation.no, sender.no, record.session)
        spared = record.spared_from >= 0
        rows = await self._db.all(
            "SELECT d.no FROM entitled e JOIN devices d ON d.no = e.device_no"
            " WHERE e.conversation_no = ? AND d.no <> ? AND d.x_wing_ms > ? AND (? OR d.leaf < ?)"
            " AND NOT EXISTS (SELECT 1 FROM shares s WHERE s.session_no = ? AND s.device_no = d.no)"
            " LIMIT ?",
            (
                conversation.no,
                sender.no,
                dormant_before_ms(record.now_ms),
                not spared,
                record.spared_from,
                session_no,
                NAMED_DEVICES_MAX,
            ),
        )
        if not rows:
            if not spared:
                complete.add((sender.no, record.session))
            return None
        missing = [known for row in rows if (known := await self._caches.device_no(row[0])) is not None]
        named = tuple((known.account, known.device) for known in missing)
        return Denied(Code.STALE_VIEW, devices=named, ledger_size=await self._ledger.size())

    async def _may_speak(self, sender: KnownDevice) -> bool:
        if self._caches.everyone_devices is None:
            self._caches.everyone_devices = await self._db.number(
                "SELECT sum(min(devices, ?)) FROM"
                " (SELECT count(*) AS devices FROM devices WHERE revoked = 0 GROUP BY account_no)",
                (COUNTED_DEVICES_PER_ACCOUNT,),
            )
        if not speakers_only(self._caches.everyone_devices):
            return True
        speaker = "SELECT 1 FROM speakers WHERE account_no = ?"
        return await self._db.one(speaker, (sender.account_no,)) is not None

    async def _accept_partner(self, sender: KnownDevice, conversation: KnownConversation) -> None:
        """Who posts to somebody wants answers."""
        if conversation.is_everyone:
            return
        mine, one_no, other_no = sender.account_no, conversation.one_no, conversation.other_no
        assert one_no is not None
        assert other_no is not None
        pair = (mine, other_no if one_no == mine else one_no)
        if pair not in self._caches.accepted:
            await self._db.run("INSERT INTO accepts VALUES (?, ?) ON CONFLICT DO NOTHING", pair)
            self._caches.accepted.add(pair)
