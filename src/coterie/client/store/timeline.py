"""What the core may ask about conversations, messages and the outbox."""

from __future__ import annotations

from coterie.base.ids import ConversationId, DeviceId, MessageId, SessionId
from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.reads import Rows
from coterie.client.store.records import (
    ConversationRow,
    MessageRow,
    OutboxRow,
    OutboxState,
    ReceiptDue,
    ReceiptRow,
    TipRow,
)
from coterie.client.store.tables import CONVERSATION, MESSAGE, OUTBOX, RECEIPT_DUE, TIP
from coterie.client.store.words import words_query

_NEWEST_ORDER = (1 << 63) - 1
_UNREAD = """SELECT count(*), coalesce(min("order"), 0), coalesce(min("seq"), 0) FROM message
    WHERE "conversation" = ?1 AND "own" = 0 AND "shown" = 1
    AND "order" > coalesce((SELECT "read_order" FROM conversation WHERE "id" = ?1), 0)
    AND ("seq" = 0 OR "seq" > coalesce((SELECT "read_seq" FROM conversation WHERE "id" = ?1), 0))"""
_FOUND = """WHERE "order" IN (SELECT rowid FROM message_words WHERE message_words MATCH ? AND rowid < ?
    ORDER BY rowid DESC LIMIT ?) ORDER BY "order" DESC"""
_AT_INDEX = """SELECT 1 FROM message WHERE "session_start" = substr(?1, 1, 8) AND "session" = ?1
    AND "session" <> x'' AND "device" = ?2 AND "index" = ?3"""
_BEFORE_A_GAP = """SELECT min("index") FROM message AS here
    WHERE "session_start" = substr(?1, 1, 8) AND "session" = ?1 AND "session" <> x'' AND "device" = ?2
    AND "index" >= ?3 AND NOT EXISTS (SELECT 1 FROM message AS after
        WHERE after."session_start" = here."session_start" AND after."session" = here."session"
        AND after."session" <> x'' AND after."index" = here."index" + 1 AND after."device" = here."device")"""
_FOUND_IN = """WHERE "conversation" = ? AND "order" IN
    (SELECT rowid FROM message_words WHERE message_words MATCH ? AND rowid < ?)
    ORDER BY "order" DESC LIMIT ?"""


class TimelineReads(Rows):
    """Conversations, tips, messages, full-text search, outbox."""

    def conversation(self, conversation: ConversationId) -> ConversationRow | None:
        return self._shelves.conversations.one(conversation)

    def conversations(self) -> list[ConversationRow]:
        """In the order in which they began."""
        return self._all(CONVERSATION, "ORDER BY rowid")

    def tip(self, conversation: ConversationId, device: DeviceId) -> TipRow | None:
        return self._shelves.tips.one(conversation, device)

    def tips(self, conversation: ConversationId, limit: int) -> list[TipRow]:
        """Newest by order first."""
        known = self._shelves.newest_tips.of(conversation, limit)
        if known is None:
            where = 'WHERE "conversation" = ? ORDER BY "order" DESC LIMIT ?'
            known = self._all(TIP, where, conversation, max(limit, 0))
            self._shelves.newest_tips.read(conversation, limit, known)
        return known

    def gaps(self) -> list[TipRow]:
        """Tips of which more or fewer messages are missing than was told."""
        missing = 'max("n", "named_n") - "first_n" + 1 - "held"'
        return self._all(TIP, f'WHERE "first_n" > 0 AND {missing} <> "told" ORDER BY rowid')

    def n_used(self, conversation: ConversationId, device: DeviceId, n: int) -> bool:
        """Whether a message of this device with this n is in the store."""
        sql = 'SELECT 1 FROM message WHERE "conversation" = ? AND "device" = ? AND "n" = ? AND "n" > 0'
        return bool(self._rows(sql, conversation, device, n))

    def message(self, order: int) -> MessageRow | None:
        try:
            return self._shelves.message(order)
        except DatabaseError as error:
            raise database_fault(error) from error

    def message_order(self, conversation: ConversationId, device: DeviceId, message: MessageId) -> int | None:
        try:
            return self._shelves.messages.order((message, device, conversation))
        except DatabaseError as error:
            raise database_fault(error) from error

    def expect_messages(self, messages: list[MessageId]) -> None:
        """message_order is about to be asked for these: nothing else of it changes."""
        if len(messages) < 2:
            return
        try:
            self._shelves.messages.expect(messages)
        except DatabaseError as error:
            raise database_fault(error) from error

    def last_order(self) -> int:
        """The highest order ever used; 0 in an empty store."""
        try:
            return self._shelves.orders.used
        except DatabaseError as error:
            raise database_fault(error) from error

    def last_message(self, conversation: ConversationId) -> MessageRow | None:
        """The newest that is shown, as in all that a person sees of a conversation."""
        newest = self._shelves.newest_messages
        row = self.message(newest[conversation]) if conversation in newest else None
        if row is None or row.conversation != conversation or not row.shown:
            where = 'WHERE "conversation" = ? AND "shown" = 1 ORDER BY "order" DESC LIMIT 1'
            row = self._one(MESSAGE, where, conversation)
        if row is not None:
            newest[conversation] = row.order
        return row

    def history(self, conversation: ConversationId, limit: int, before: int | None) -> list[MessageRow]:
        """The newest `limit` messages below order `before`, oldest first."""
        where = 'WHERE "conversation" = ? AND "shown" = 1 AND "order" < ? ORDER BY "order" DESC LIMIT ?'
        below = _NEWEST_ORDER if before is None else before
        return self._all(MESSAGE, where, conversation, below, max(limit, 0))[::-1]

    def unread(self, conversation: ConversationId) -> tuple[int, int]:
        """How many messages of others nobody has read, here or elsewhere, and the first's order (0: none)."""
        count, first, _ = self._unread(conversation)
        return count, first

    def first_unread_seq(self, conversation: ConversationId) -> int:
        """The lowest seq of a message of others that is not read; 0 where there is none."""
        return self._unread(conversation)[2]

    def _unread(self, conversation: ConversationId) -> tuple[int, int, int]:
        known = self._shelves.unread
        if conversation not in known:
            known[conversation] = self._rows(_UNREAD, conversation)[0]
        return known[conversation]

    def later(self, conversation: ConversationId, limit: int, after: int) -> list[MessageRow]:
        """The oldest `limit` messages above order `after`, oldest first."""
        where = 'WHERE "conversation" = ? AND "shown" = 1 AND "order" > ? ORDER BY "order" LIMIT ?'
        return self._all(MESSAGE, where, conversation, after, max(limit, 0))

    def search(
        self, words: str, limit: int, conversation: ConversationId | None = None, before: int | None = None
    ) -> list[MessageRow]:
        """Messages that hold all words (prefix of the last one), newest first; never raises on odd input.

        conversation: only its messages; before: only those below this order.
        """
        query = words_query(words)
        if not query:
            return []
        self._index_texts()
        below = _NEWEST_ORDER if before is None else before
        if conversation is None:
            return self._all(MESSAGE, _FOUND, query, below, max(limit, 0))
        return self._all(MESSAGE, _FOUND_IN, conversation, query, below, max(limit, 0))

    def _index_texts(self) -> None:
        """All texts enter the index, in a transaction of their own where none is open."""
        try:
            self._shelves.write_out()
            if self._shelves.orders.outside:
                with self._database:
                    self._shelves.orders.index()
        except DatabaseError as error:
            self._shelves.orders.forget()
            raise database_fault(error) from error

    def outbox(self, conversation: ConversationId, state: OutboxState, limit: int) -> list[OutboxRow]:
        """In order. state: one that is not SENT."""
        shelf = self._shelves.outbox
        waiting = [row for row in shelf.waiting if row.conversation == conversation]
        if (conversation, state) in shelf.nothing:
            return [row for row in waiting if row.state is state][: max(limit, 0)]
        where = """WHERE "conversation" = ? AND "state" <> 'sent' AND "state" = ? ORDER BY "order" LIMIT ?"""
        most = max(limit, 0)
        found = self._all_beside(OUTBOX, where, conversation, state, most + len(waiting))
        if not found and most:
            shelf.nothing.add((conversation, state))
        if not waiting:
            return found
        rows = {row.order: row for row in (*found, *waiting)}
        return sorted((row for row in rows.values() if row.state is state), key=lambda row: row.order)[:most]

    def sealed_sessions(self) -> list[SessionId]:
        """Sessions of which a message is sealed and not yet accepted, the one waiting longest first."""
        sql = (
            'SELECT message."session" FROM outbox JOIN message USING ("order")'
            ' WHERE outbox."state" = \'sealed\' GROUP BY message."session" ORDER BY min(outbox."order")'
        )
        return [SessionId(row[0]) for row in self._rows(sql)]

    def sealed(self, conversation: ConversationId) -> bool:
        """Whether a message there is sealed and not accepted yet."""
        waiting = self._shelves.outbox.waiting
        if any(row.state is OutboxState.SEALED and row.conversation == conversation for row in waiting):
            return True
        return bool(self.outbox(conversation, OutboxState.SEALED, 1))

    def receipts(self, session: SessionId) -> list[ReceiptRow]:
        """What devices have of an own sending session."""
        try:
            return list(self._shelves.receipts.of(session).values())
        except DatabaseError as error:
            raise database_fault(error) from error

    def receipt(self, session: SessionId, device: DeviceId) -> ReceiptRow | None:
        """What one device has of it."""
        try:
            return self._shelves.receipts.of(session).get(device)
        except DatabaseError as error:
            raise database_fault(error) from error

    def receipts_due(self) -> list[ReceiptDue]:
        """Whom this device has to tell what it has, by session."""
        return self._all_beside(RECEIPT_DUE, 'ORDER BY "session", "device"')

    def opened_up_to(self, session: SessionId, device: DeviceId, first_index: int) -> int | None:
        """Up to which index every message of another device's session is here, from first_index on; None
        where that one is missing itself."""
        known = self._shelves.by_index.opened_up_to((session, device), first_index)
        if known is not None:
            return known
        if not self._rows(_AT_INDEX, session, device, first_index):
            return None
        rows = self._rows(_BEFORE_A_GAP, session, device, first_index)
        return int(rows[0][0])

    def written(self, session: SessionId, device: DeviceId, after: int, up_to: int) -> list[MessageRow]:
        """Own messages of a session of this device, by index: those above one and up to another."""
        try:
            rows = self._shelves.written(session, device, after, up_to)
        except DatabaseError as error:
            raise database_fault(error) from error
        where = """WHERE "session_start" = substr(?1, 1, 8) AND "session" = ?1 AND "session" <> x''
            AND "own" = 1 AND "device" = ?2 AND "index" > ?3 AND "index" <= ?4 ORDER BY "index" """
        return rows or self._all(MESSAGE, where, session, device, after, up_to)

    def has_spoken(self, conversation: ConversationId) -> bool:
        """Whether this account has said something there, on whatever device."""
        spoken = self._shelves.spoken
        if conversation not in spoken:
            sql = 'SELECT 1 FROM message WHERE "conversation" = ? AND "own" = 1 LIMIT 1'
            if not self._rows(sql, conversation):
                return False
            spoken.add(conversation)
        return True

    def outbox_row(self, order: int) -> OutboxRow | None:
        try:
            return self._shelves.outbox.one(order)
        except DatabaseError as error:
            raise database_fault(error) from error

    def outbox_conversations(self) -> list[ConversationId]:
        """Those with rows not yet accepted; the one waiting longest first."""
        shelf = self._shelves.outbox
        if shelf.all_sent and not shelf.waiting:
            return []
        sql = (
            'SELECT "conversation" FROM outbox WHERE "state" <> \'sent\' GROUP BY "conversation"'
            ' ORDER BY min("order")'
        )
        rows = self._rows(sql)
        shelf.all_sent = not rows
        return [ConversationId(row[0]) for row in rows]
