"""What a transaction does first: lock the counters that its batch moves, in one order for all writers, and
read in bulk what the rules will ask for.

Writers of messages stand side by side: each counter (of a log, of a mailbox) is a row that its mover locks.
Whoever changes people, devices or who may what is alone (writer.py), and makes the version of the structure
go up, which tells all others to forget what they remember of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from coterie.base.ids import ConversationId, DeviceId, conversation_of, is_mailbox
from coterie.server.store.blob_records import BeginBlob, EndBlob, ForgetBlob, KeepBlob
from coterie.server.store.caches import CONVERSATION, DEVICE, USAGE, Caches, KnownConversation, LastMessage
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.statements import numbers_of
from coterie.server.store.records import (
    AppendMessage,
    ClaimKeys,
    MoveCursor,
    PostEnvelopes,
    PutAccept,
    PutRun,
    Record,
)

BESIDE = (
    AppendMessage,
    PostEnvelopes,
    MoveCursor,
    ClaimKeys,
    PutRun,
    PutAccept,
    BeginBlob,
    KeepBlob,
    EndBlob,
    ForgetBlob,
)
"""Records that other writers may save at the same moment."""

_IN_CONVERSATIONS = (AppendMessage, PostEnvelopes)

_MOVED = (
    "WITH moved AS MATERIALIZED (SELECT conversation, log_end, last_no FROM conversations"
    " WHERE no = ANY($1::bigint[]) ORDER BY no FOR UPDATE)"
    " SELECT conversation, log_end, last_no, (SELECT version FROM structure),"
    " (SELECT nextval('entry_blocks') FROM (SELECT count(*) FROM moved) AS locked) FROM moved"
)
"""SQL: it counts what it has locked before it draws the block of numbers (PgStatements.entry_numbers)."""
_LAST_MESSAGES = (
    "SELECT e.conversation_no, e.device_no, e.last_message, e.last_no FROM entitled e"
    " JOIN unnest($1::bigint[], $2::bigint[]) AS n (conversation_no, device_no)"
    " ON e.conversation_no = n.conversation_no AND e.device_no = n.device_no"
)


class Begins(Exception):
    """A conversation begins, which changes who may what: all has to be done again, alone."""


class Locks:
    """Fills the caches of the writing half."""

    def __init__(
        self,
        connection: Callable[[], Awaitable[Connection]],
        caches: Caches,
        drawn: Callable[[Iterable[int]], None],
    ) -> None:
        """drawn: takes the numbers of this transaction's entries, where they are drawn with the locks."""
        self._connection = connection
        self._caches = caches
        self._drawn = drawn

    async def take(self, batch: Sequence[Record], *, alone: bool) -> None:
        """Raises Begins where that needs to be done alone."""
        connection = await self._connection()
        moved = {record.conversation for record in batch if isinstance(record, AppendMessage)}
        if not await self._moved_from_before(connection, moved, alone=alone):
            await self.structure(connection, alone=alone)
            await self._conversations(connection, moved, locked=True)
        await self._conversations(connection, _conversations_of(batch) - moved, locked=False)
        await self._devices(connection, _devices_of(batch))
        if not alone:
            await self._require_known(batch)
        await self._mailboxes(connection, batch)
        await self._last_messages(connection, batch)

    async def structure(self, connection: Connection, *, alone: bool) -> None:
        """Forget what others have changed."""
        self._caches.set_aside()
        if alone:
            version = await connection.fetchval(
                "UPDATE structure SET version = version + 1 RETURNING version"
            )
            self._caches.at_version(version - 1, version)
        else:
            version = await connection.fetchval("SELECT version FROM structure")
            self._caches.at_version(version, version)

    async def _moved_from_before(
        self, connection: Connection, moved: set[ConversationId], *, alone: bool
    ) -> bool:
        """Nearly always each of them was written to by this server before, and all that others may have
        changed of it is its end: then one statement locks them, says the version and draws numbers."""
        self._caches.set_aside()
        numbers = None if alone else self._caches.set_aside_numbers(moved)
        if not numbers:
            return False
        rows = await connection.fetch(_MOVED, numbers)
        self._caches.at_version(rows[0][3], rows[0][3])
        if self._caches.set_aside_numbers(moved) is None:
            return False
        for conversation, end, last_no, _, _ in rows:
            self._caches.stands(ConversationId(conversation), end, last_no)
        self._drawn(numbers_of(rows[0][4]))
        return True

    async def _devices(self, connection: Connection, devices: Iterable[DeviceId]) -> None:
        unknown = [device for device in devices if not self._caches.knows_device(device)]
        if unknown:
            for row in await connection.fetch(DEVICE + "WHERE d.device = ANY($1::bytea[])", unknown):
                self._caches.remember_device(tuple(row))

    async def _conversations(
        self, connection: Connection, conversations: set[ConversationId], *, locked: bool
    ) -> None:
        if not conversations:
            return
        lock = " ORDER BY no FOR UPDATE" if locked else ""
        sql = f"{CONVERSATION}WHERE conversation = ANY($1::bytea[]){lock}"
        for row in await connection.fetch(sql, list(conversations)):
            self._caches.remember_conversation(tuple(row))

    async def _require_known(self, batch: Sequence[Record]) -> None:
        for record in batch:
            if isinstance(record, _IN_CONVERSATIONS) and record.peer:
                for conversation in _conversations_of((record,)):
                    if not self._caches.knows_conversation(conversation):
                        raise Begins

    async def _mailboxes(self, connection: Connection, batch: Sequence[Record]) -> None:
        filled = await self._numbers(
            {item.device for record in batch if isinstance(record, PostEnvelopes) for item in record.items}
        )
        emptied = await self._numbers(
            {each.device for each in batch if isinstance(each, MoveCursor) and is_mailbox(each.stream)}
        )
        if not filled and not emptied:
            return
        locked = "SELECT no, mailbox_end FROM devices WHERE no = ANY($1::bigint[]) ORDER BY no FOR UPDATE"
        ends = {row[0]: row[1] for row in await connection.fetch(locked, [*filled, *emptied])}
        if filled:
            boxes = {no: self._caches.remember_mailbox(no, ends[no]) for no in filled}
            usage = f"{USAGE}WHERE m.device_no = ANY($1::bigint[]) GROUP BY 1, 2, 3"
            for row in await connection.fetch(usage, filled):
                boxes[row[0]].count(tuple(row))

    async def _numbers(self, devices: set[DeviceId]) -> list[int]:
        found = [await self._caches.device(device) for device in devices]
        return [known.no for known in found if known is not None]

    async def _last_messages(self, connection: Connection, batch: Sequence[Record]) -> None:
        asked: dict[tuple[int, int], KnownConversation] = {}
        for record in batch:
            if not isinstance(record, _IN_CONVERSATIONS):
                continue
            if isinstance(record, AppendMessage) and self._caches.at_hand(record.device, record.conversation):
                continue
            sender = await self._caches.device(record.device)
            for conversation in _conversations_of((record,)):
                if sender is not None and self._caches.knows_conversation(conversation):
                    known = await self._caches.conversation(conversation)
                    assert known is not None, "looked at before"
                    if sender.no not in known.last:
                        asked[known.no, sender.no] = known
        if asked:
            conversation_nos, device_nos = zip(*asked, strict=True)
            for row in await connection.fetch(_LAST_MESSAGES, list(conversation_nos), list(device_nos)):
                asked[row[0], row[1]].last[row[1]] = LastMessage(row[2], row[3])


def _devices_of(batch: Sequence[Record]) -> set[DeviceId]:
    found: set[DeviceId] = set()
    for record in batch:
        match record:
            case AppendMessage() | MoveCursor() | PutRun() | BeginBlob() | KeepBlob():
                found.add(record.device)
            case PostEnvelopes():
                found.add(record.device)
                found.update(item.device for item in record.items)
                found.update(left.device for left in record.left_out)
            case ClaimKeys(devices):
                found.update(device for _, device in devices)
            case _:
                pass
    return found


def _conversations_of(batch: Sequence[Record]) -> set[ConversationId]:
    found: set[ConversationId] = set()
    for record in batch:
        match record:
            case AppendMessage():
                found.add(record.conversation)
            case PostEnvelopes():
                found.update(item.conversation for item in record.items if item.conversation is not None)
                found.update(left.conversation for left in record.left_out)
            case MoveCursor():
                if not is_mailbox(record.stream):
                    found.add(conversation_of(record.stream))
            case _:
                pass
    return found
