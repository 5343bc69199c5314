"""Rows at hand: what is asked for by its key again and again is read once, and what is written again and
again in one transaction is written once.

A shelf answers as the transaction under way sees it. Rows of some tables wait on it until a question reads
their table in the database, or until the commit; a rollback forgets everything.
"""

from __future__ import annotations

import re
from typing import Any, Final

import apsw
import msgspec

from coterie.base.ids import ConversationId, DeviceId
from coterie.client.store.at_hand import FreshKept, OlmKept, ReceiptsKept, Shares
from coterie.client.store.by_index import ByIndex, DeliveredKept
from coterie.client.store.let_go import OutboxShelf
from coterie.client.store.message_shelf import MessageShelf
from coterie.client.store.newest_tips import NewestTips
from coterie.client.store.records import (
    ConversationRow,
    GroupOutRow,
    MessageAccepted,
    MessageRow,
    ShareRow,
    ShareState,
    TipRow,
    WaitingRow,
)
from coterie.client.store.shelf import Shelf
from coterie.client.store.tables import (
    CONVERSATION,
    GROUP_IN,
    GROUP_OUT,
    KEPT_KEY,
    MESSAGE,
    OUTBOX,
    PEER_FRESH_KEY,
    PEER_KEYS,
    POSITION,
    RECEIPT,
    SETTING,
    TIP,
    WAITING,
)
from coterie.client.store.words import Orders

LEFT_OUT: Final = "SELECT 1 FROM share WHERE \"state\" = 'left-out' LIMIT 1"
_TABLES_READ: Final = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)')
_ACCEPT_MESSAGE = """UPDATE message SET "seq" = ?, "server_ms" = ?, "state" = ?,
    "mac" = CASE WHEN ?4 = x'' THEN "mac" ELSE ?4 END WHERE "order" = ?5"""


class Shelves:
    """All shelves of one database."""

    def __init__(self, database: apsw.Connection) -> None:
        self.database = database
        self.settings = Shelf(database, SETTING)
        self.messages = MessageShelf(database)
        self.outbox = OutboxShelf(database)
        self.groups_in = Shelf(database, GROUP_IN)
        self.kept_keys = Shelf(database, KEPT_KEY)
        self.peer_keys = Shelf(database, PEER_KEYS)
        self.peer_fresh_keys = Shelf(database, PEER_FRESH_KEY)
        self.groups_out = Shelf(database, GROUP_OUT, waits=True)
        self.conversations = Shelf(database, CONVERSATION, waits=True)
        self.positions = Shelf(database, POSITION, waits=True)
        self.tips = Shelf(database, TIP, waits=True)
        self.shares = Shares(database)
        self.receipts = ReceiptsKept(database)
        self.olm = OlmKept(database)
        self.fresh = FreshKept(database)
        self.delivered = DeliveredKept(database)
        self.by_index = ByIndex()
        self.orders = Orders(database)
        self.newest_tips = NewestTips()
        self.newest_messages: dict[ConversationId, int] = {}
        """Conversation -> the order of its newest message, where that was asked for."""
        self.highest_index: dict[tuple[bytes, DeviceId], int] = {}
        """(session, device) -> the highest index of its messages, -1 for none, where that was asked for."""
        self.unread: dict[ConversationId, tuple[int, int, int]] = {}
        """Conversation -> how many messages are unread, the order of the first, and their lowest seq."""
        self.nothing: set[str] = set()
        """Questions that are asked again and again, and to which the answer is known to be nothing."""
        self.spoken: set[ConversationId] = set()
        """Conversations in which this account is known to have said something."""
        self._waiting: dict[str, Shelf[Any] | ReceiptsKept | DeliveredKept] = {
            MESSAGE.name: self.messages,
            OUTBOX.name: self.outbox,
            CONVERSATION.name: self.conversations,
            GROUP_OUT.name: self.groups_out,
            TIP.name: self.tips,
            POSITION.name: self.positions,
            RECEIPT.name: self.receipts,
            "delivered": self.delivered,
        }
        keys = (self.kept_keys, self.peer_keys, self.peer_fresh_keys)
        self._others = (
            self.settings,
            self.groups_in,
            *keys,
            self.shares,
            self.olm,
            self.fresh,
            self.orders,
        )
        self._read_by: dict[str, tuple[Shelf[Any] | ReceiptsKept | DeliveredKept, ...]] = {}
        """SQL of a question -> the shelves on which rows of its tables may wait."""

    def put_tip(self, record: TipRow) -> None:
        self.tips.put(record)
        self.newest_tips.saved(record)

    def put_share(self, record: ShareRow) -> None:
        self.shares.put(record)
        if record.state is ShareState.LEFT_OUT:
            self.nothing.discard(LEFT_OUT)

    def put_waiting(self, record: WaitingRow) -> None:
        """Raises what apsw raises."""
        self.database.execute(WAITING.put, msgspec.structs.astuple(record))
        self.nothing.discard(WAITING.name)

    def put_group_out(self, record: GroupOutRow) -> None:
        """A session that begins is put before anything else is known of it: it was made just now."""
        known = self.groups_out.one(record.conversation)
        if record.messages == 0 and (known is None or known.session != record.session):
            self.shares.begun(record.session)
            self.receipts.begun(record.session)
            self.delivered.begun(record.session)
        self.groups_out.put(record)

    def put_conversation(self, record: ConversationRow) -> None:
        known = self.conversations.one(record.id)
        if known is None or (known.read_order, known.read_seq) != (record.read_order, record.read_seq):
            self.unread.clear()
        self.conversations.put(record)

    def put_message(self, record: MessageRow) -> None:
        """What this device says is sealed in the turn that queues it, as a rule, and then written once; what
        comes is written with all that comes in the same turn."""
        before = self.messages.at_hand(record.order)
        if before is None or not before.own or not record.own or _moved(before, record):
            new = record.order > self.orders.used
            self._count(record)
            if record.session or not new:
                self._place(before, record, new=new)
        elif record.session != before.session or record.index != before.index:
            self._place(before, record, new=False)
        self.messages.put(record)

    def _place(self, before: MessageRow | None, record: MessageRow, *, new: bool) -> None:
        """What is known of messages by their index, once this one is there too."""
        session = record.session, record.device
        highest = self.highest_index.get(session)
        if not new and (before is None or before.session):
            if before is not None and (before.session, before.device, before.index) == (
                *session,
                record.index,
            ):
                return
            self.by_index.forget()
        if record.session:
            self.by_index.saved(record, highest)
        if highest is not None and record.index > highest:
            self.highest_index[session] = record.index

    def accepted(self, record: MessageAccepted) -> None:
        """Raises what apsw raises."""
        order, seq, server_ms, mac, state = msgspec.structs.astuple(record)
        self.messages.write_out()
        self.database.execute(_ACCEPT_MESSAGE, (seq, server_ms, state, mac, order))
        row = self.messages.at_hand(order)
        if row is not None:
            mac = mac or row.mac
            row = msgspec.structs.replace(row, seq=seq, server_ms=server_ms, state=state, mac=mac)
            self.messages.changed(row)

    def message(self, order: int) -> MessageRow | None:
        """Raises what apsw raises."""
        row = self.messages.one(order)
        return self.delivered.told(row) if row is not None else None

    def written(self, session: bytes, device: DeviceId, after: int, up_to: int) -> list[MessageRow]:
        """Own messages by index, where all are at hand; else none."""
        orders = self.by_index.orders((session, device), after, up_to)
        rows = self.messages.all_at_hand(zip(orders))
        return self.delivered.all_told(session, rows) if rows else []

    def _count(self, record: MessageRow) -> None:
        """What is counted of messages, once this one is there too."""
        if record.order <= self.orders.used:
            self.unread.clear()
            self.spoken.clear()
        elif record.shown and not record.own:
            self._count_unread(record)
        self.orders.saved(record.order)
        newest = self.newest_messages.get(record.conversation)
        if record.shown and newest is not None and record.order > newest:
            self.newest_messages[record.conversation] = record.order

    def _count_unread(self, record: MessageRow) -> None:
        """A message of somebody else comes behind all others: counting them anew would walk through all that
        are unread."""
        known = self.unread.get(record.conversation)
        if known is None:
            return
        row = self.conversations.one(record.conversation)
        if row is not None and (record.order <= row.read_order or 0 < record.seq <= row.read_seq):
            return
        count, first, lowest_seq = known
        lowest_seq = min(lowest_seq, record.seq) if count else record.seq
        self.unread[record.conversation] = (count + 1, first or record.order, lowest_seq)

    def write_out(self) -> None:
        """Nothing waits any more. Raises what apsw raises."""
        for shelf in self._waiting.values():
            shelf.write_out()

    def write_out_for(self, sql: str) -> None:
        """What waits of the tables that this question reads goes into the database. Raises what apsw
        raises."""
        shelves = self._read_by.get(sql)
        if shelves is None:
            tables = dict.fromkeys(_TABLES_READ.findall(sql))
            shelves = tuple(self._waiting[table] for table in tables if table in self._waiting)
            self._read_by[sql] = shelves
        for shelf in shelves:
            shelf.write_out()

    def forget(self) -> None:
        """What the database holds is all there is: messages were changed past the shelves, or rolled back."""
        self.by_index.forget()
        self.look_again()

    def look_again(self) -> None:
        """The database was changed past the shelves; messages are where they were."""
        for shelf in self._waiting.values():
            shelf.forget()
        for other in self._others:
            other.forget()
        self.newest_tips.forget()
        self.newest_messages.clear()
        self.highest_index.clear()
        self.unread.clear()
        self.spoken.clear()
        self.nothing.clear()


def _moved(before: MessageRow, record: MessageRow) -> bool:
    """Whether a message stands elsewhere now, for whoever looks."""
    return before.conversation != record.conversation or before.shown is not record.shown
