"""Dropping what nobody needs any more, a little at a time (docs/protocol.md, Retention).

A log entry's ciphertext goes when every entitled device has passed it, or after 30 days; its row, by which a
retry is known, 30 days later. Entries of mailboxes go after 40 days, ids of envelopes after 60.
"""

from __future__ import annotations

from coterie.base import limits
from coterie.server.store.caches import Caches
from coterie.server.store.logs import ENTRIES
from coterie.server.store.statements import Statements

ROWS_PER_STEP = 1000
"""Of each kind: a step holds up whoever talks meanwhile."""
CONVERSATIONS_PER_STEP = 500
KEEP_SESSION_MS = 40 * limits.DAY_MS
"""Longer than any session is in use (limits.ROTATE_LARGE_MS) or may be asked for again."""

_BY_AGE = (
    (
        (
            "SELECT no, time_ms FROM log_entries"
            " WHERE no < (SELECT max(no) FROM log_entries) ORDER BY no LIMIT ?"
        ),
        "DELETE FROM log_entries WHERE no <= ?",
    ),
    ("SELECT no, time_ms FROM envelope_ids ORDER BY no LIMIT ?", "DELETE FROM envelope_ids WHERE no <= ?"),
)
"""The newest entry stays, so that no number of an entry is given twice: others name it."""


class Pruning:
    """Goes round the conversations; everything else in order of age."""

    def __init__(self, statements: Statements, caches: Caches) -> None:
        self._db = statements
        self._caches = caches
        self._after_conversation = 0
        self._expired_no = 0

    async def step(self, now_ms: int) -> int:
        """Drop some; how many rows that were."""
        return (
            await self._empty_passed()
            + await self._empty_expired(now_ms - limits.KEEP_ENTRY_MS)
            + await self._drop_old_rows(now_ms - limits.KEEP_MESSAGE_ID_MS)
            + await self._drop_old_mail(now_ms - limits.KEEP_MAIL_MS)
            + await self._drop_old_sessions(now_ms - KEEP_SESSION_MS)
        )

    async def _empty_passed(self) -> int:
        rows = await self._db.all(
            "SELECT c.no, c.emptied, c.log_end, (SELECT min(acked) FROM entitled e"
            " WHERE e.conversation_no = c.no) FROM conversations c WHERE c.no > ? ORDER BY c.no LIMIT ?",
            (self._after_conversation, CONVERSATIONS_PER_STEP),
        )
        self._after_conversation = rows[-1][0] if len(rows) == CONVERSATIONS_PER_STEP else 0
        dropped, left = 0, ROWS_PER_STEP
        for no, emptied, end, passed in rows:
            upto = min(end if passed is None else passed, emptied + left)
            if upto <= emptied:
                continue
            dropped += await self._empty(no, emptied, upto)
            left -= upto - emptied
            if not left:
                self._after_conversation = no - 1
                break
        return dropped

    async def _empty(self, conversation_no: int, after: int, upto: int) -> int:
        await self._db.run("UPDATE conversations SET emptied = ? WHERE no = ?", (upto, conversation_no))
        return await self._db.run(
            f"UPDATE log_entries SET ciphertext = NULL WHERE no IN {ENTRIES}",  # noqa: S608 - a constant
            {"conversation": conversation_no, "after": after, "upto": upto},
        )

    async def _empty_expired(self, before_ms: int) -> int:
        """Cursors pass what has expired, so that nobody waits for it."""
        rows = await self._db.all(
            "SELECT no, conversation_no, seq, time_ms FROM log_entries WHERE no > ? ORDER BY no LIMIT ?",
            (self._expired_no, ROWS_PER_STEP),
        )
        expired = [row for row in rows if row[3] < before_ms]
        newest = {row[1]: row[2] for row in expired}
        dropped = 0
        for conversation_no, seq in newest.items():
            await self._db.run(
                "UPDATE entitled SET acked = max(acked, ?) WHERE conversation_no = ?", (seq, conversation_no)
            )
            emptied = await self._db.number(
                "SELECT emptied FROM conversations WHERE no = ?", (conversation_no,)
            )
            if seq > emptied:
                dropped += await self._empty(conversation_no, emptied, seq)
        if expired:
            self._expired_no = expired[-1][0]
        return dropped

    async def _drop_old_rows(self, before_ms: int) -> int:
        """Rows of tables whose numbers grow with time."""
        dropped = 0
        for look, delete in _BY_AGE:
            rows = await self._db.all(look, (ROWS_PER_STEP,))
            old = [row[0] for row in rows if row[1] < before_ms]
            dropped += await self._db.run(delete, (old[-1],)) if old else 0
        return dropped

    async def _drop_old_mail(self, before_ms: int) -> int:
        rows = await self._db.all(
            "SELECT no, device_no, seq, time_ms FROM mailbox_entries ORDER BY no LIMIT ?", (ROWS_PER_STEP,)
        )
        old = [row for row in rows if row[3] < before_ms]
        for device_no, seq in {row[1]: row[2] for row in old}.items():
            await self._db.run(
                "UPDATE devices SET mailbox_acked = max(mailbox_acked, ?) WHERE no = ?", (seq, device_no)
            )
            self._caches.recount(device_no)
        return await self._db.run("DELETE FROM mailbox_entries WHERE no <= ?", (old[-1][0],)) if old else 0

    async def _drop_old_sessions(self, before_ms: int) -> int:
        old = await self._db.all(
            "SELECT no FROM sessions WHERE created_ms < ? ORDER BY no LIMIT 10", (before_ms,)
        )
        dropped = 0
        for (no,) in old:
            dropped += await self._db.run("DELETE FROM shares WHERE session_no = ?", (no,))
            dropped += await self._db.run("DELETE FROM sessions WHERE no = ?", (no,))
        if old:
            self._caches.keys_changed()
        return dropped
