"""How far each device has come in its streams, written for a whole batch at once, as messages are."""

from __future__ import annotations

from coterie.base.ids import conversation_of, is_mailbox
from coterie.server.store.caches import Caches
from coterie.server.store.records import MoveCursor
from coterie.server.store.results import DONE, Result
from coterie.server.store.statements import Statements

_FETCHED = "DELETE FROM mailbox_entries WHERE device_no = ? AND seq <= ?"
_MAILBOX = "UPDATE devices SET mailbox_acked = max(mailbox_acked, min(?, mailbox_end)) WHERE no = ?"
_LOG = "UPDATE entitled SET acked = max(acked, ?) WHERE conversation_no = ? AND device_no = ?"


class Cursors:
    """Nothing else of a batch sees what waits here: it is written out first (writing.py)."""

    def __init__(self, statements: Statements, caches: Caches) -> None:
        self._db = statements
        self._caches = caches
        self.forget()

    def forget(self) -> None:
        """Something was rolled back."""
        self._mailboxes: dict[int, int] = {}
        self._logs: dict[tuple[int, int], int] = {}

    async def move(self, record: MoveCursor) -> Result:
        device = await self._caches.device(record.device)
        if device is None:
            return DONE
        if is_mailbox(record.stream):
            self._mailboxes[device.no] = max(record.seq, self._mailboxes.get(device.no, 0))
            return DONE
        conversation = await self._caches.conversation(conversation_of(record.stream))
        if conversation is not None:
            place = (conversation.no, device.no)
            seq = min(record.seq, conversation.end)
            self._logs[place] = max(seq, self._logs.get(place, 0))
        return DONE

    async def write_out(self) -> None:
        """Nothing waits any more."""
        mailboxes, self._mailboxes = self._mailboxes, {}
        logs, self._logs = self._logs, {}
        if mailboxes:
            await self._db.run_many(_FETCHED, list(mailboxes.items()))
            await self._db.run_many(_MAILBOX, [(seq, device) for device, seq in mailboxes.items()])
            for device in mailboxes:
                self._caches.recount(device)
        if logs:
            await self._db.run_many(_LOG, [(seq, *place) for place, seq in logs.items()])
