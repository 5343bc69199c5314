"""Conversations as rows: how a direct one begins, and whose session keys are known to whom."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId, log_of
from coterie.server.store.caches import Caches, KnownConversation, KnownDevice
from coterie.server.store.results import Denied, Opened
from coterie.server.store.statements import Statements


class Undo(Exception):
    """A record was denied after something had been written for it."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.code.value)
        self.denied = denied


class Conversations:
    """Shared by messages and envelopes."""

    def __init__(self, statements: Statements, caches: Caches) -> None:
        self._db = statements
        self._caches = caches

    async def begin(
        self, sender: KnownDevice, conversation: ConversationId, peer: bytes
    ) -> tuple[KnownConversation, tuple[Opened, ...]]:
        """A direct conversation begins: every live device of both accounts is entitled from its start.

        Raises Undo: not-a-member (not the conversation of sender and peer), unknown-person, deleted.
        """
        if not peer or direct_id(sender.account, AccountId(peer)) != conversation:
            raise Undo(Denied(Code.NOT_A_MEMBER))
        row = await self._db.one("SELECT no, name FROM accounts WHERE account = ?", (peer,))
        if row is None:
            raise Undo(Denied(Code.UNKNOWN_PERSON))
        if row[1] is None:
            raise Undo(Denied(Code.DELETED))
        pair = (sender.account_no, int(row[0]))
        conversation_no = await self._db.insert(
            "INSERT INTO conversations (conversation, one_no, other_no) VALUES (?, ?, ?)",
            (conversation, *pair),
        )
        await self._db.run(
            "INSERT INTO entitled (conversation_no, device_no, from_seq, acked)"
            " SELECT CAST(? AS BIGINT), no, 0, 0 FROM devices WHERE revoked = 0 AND account_no IN (?, ?)",
            (conversation_no, *pair),
        )
        devices = await self._db.all(
            "SELECT d.device FROM entitled e JOIN devices d ON d.no = e.device_no"
            " WHERE e.conversation_no = ?",
            (conversation_no,),
        )
        known = await self._caches.conversation(conversation)
        assert known is not None, "just inserted"
        stream = log_of(conversation)
        return known, tuple(Opened(DeviceId(row[0]), stream, 0) for row in devices)

    async def session(self, conversation_no: int, sender_no: int, session: SessionId, now_ms: int) -> int:
        """The number of a session, which is written down where it is new."""
        known = await self.session_no(conversation_no, sender_no, session)
        if known >= 0:
            return known
        return await self._db.insert(
            "INSERT INTO sessions (conversation_no, sender_no, session, created_ms) VALUES (?, ?, ?, ?)",
            (conversation_no, sender_no, session, now_ms),
        )

    async def session_no(self, conversation_no: int, sender_no: int, session: SessionId) -> int:
        """-1 for an unknown one."""
        row = await self._db.one(
            "SELECT no FROM sessions WHERE conversation_no = ? AND sender_no = ? AND session = ?",
            (conversation_no, sender_no, session),
        )
        return int(row[0]) if row else -1
