"""Rows of appended messages, written for a whole batch at once: one statement of each kind, run for each.

Until then they wait here. Whatever else reads or changes these tables in the transaction comes after
write_out(), and so does the commit (sqlite.py); caches.py has what waits already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.server.store.caches import KnownConversation, KnownDevice, LastMessage
from coterie.server.store.records import AppendMessage
from coterie.server.store.statements import Statements, Value

_ENTRY = "INSERT INTO log_entries VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
"""All columns, in the order of the table: apsw goes through the text for each row, so it is short."""
_LOG = "UPDATE conversations SET log_end = ?, last_no = ? WHERE no = ? AND log_end = ?"
_DEVICE = "UPDATE entitled SET last_message = ?, last_no = ? WHERE conversation_no = ? AND device_no = ?"

Rows = list[tuple[Value, ...]]
"""Values for one of the statements above, in its order."""


class Appending:
    """Numbers of entries grow with their seq in each log, and none is given a second time (pruning.py)."""

    def __init__(self, statements: Statements) -> None:
        self._db = statements
        self.forget()

    def forget(self) -> None:
        """Something was rolled back."""
        self._numbers: Iterator[int] = iter(())
        self.next_no: int | None = None
        """Of the next entry; None: draw_numbers() comes before put()."""
        self._entries: list[tuple[Value, ...]] = []
        self._logs: dict[int, tuple[KnownConversation, int]] = {}
        """By number of the conversation, which knows its end now; and its end in the database."""
        self._devices: dict[tuple[int, int], LastMessage] = {}
        """(conversation, device) -> its last message there."""

    async def draw_numbers(self) -> None:
        """Let put() be called."""
        if self.next_no is None:
            self.drawn(await self._db.entry_numbers())

    def drawn(self, numbers: Iterable[int]) -> None:
        """From these put() takes: higher than what the logs have had that it will be called for."""
        self._numbers = iter(numbers)
        self.next_no = next(self._numbers)

    def put(
        self, record: AppendMessage, sender: KnownDevice, conversation: KnownConversation, last: LastMessage
    ) -> LastMessage:
        """The next entry of its log, which moves on. last: the sender's one before, there."""
        no = self.next_no
        assert no is not None, "numbers were drawn"
        self.next_no = next(self._numbers, None)
        seq = conversation.end + 1
        self._entries.append(
            (
                no,
                conversation.no,
                seq,
                sender.no,
                conversation.last_no,
                last.no,
                record.session,
                record.message,
                record.commitment,
                record.mac,
                record.now_ms,
                record.ciphertext,
            )
        )
        if conversation.no not in self._logs:
            self._logs[conversation.no] = (conversation, conversation.end)
        conversation.end, conversation.last_no = seq, no
        newest = self._devices[conversation.no, sender.no] = LastMessage(record.message, no)
        return newest

    async def write_out(self) -> None:
        """Nothing waits any more. Raises LocalError where a log is not what was remembered of it: all has to
        be rolled back then."""
        if not self._entries:
            return
        entries, self._entries = self._entries, []
        logs, self._logs = self._logs, {}
        devices, self._devices = self._devices, {}
        ends: Rows = [(log.end, log.last_no, no, end_before) for no, (log, end_before) in logs.items()]
        moved = await self._write(
            entries, ends, [(last.message, last.no, *key) for key, last in devices.items()]
        )
        if moved != len(logs):
            raise LocalError(Code.USAGE, "what is remembered of a log is not how it stands")

    async def _write(self, entries: Rows, ends: Rows, last_messages: Rows) -> int:
        """How many logs stood where they were thought to."""
        await self._db.run_many(_ENTRY, entries)
        await self._db.run_many(_DEVICE, last_messages)
        return await self._db.run_many(_LOG, ends)
