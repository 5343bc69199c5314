"""What the SQLite store remembers between statements, so that the way of a message reads nothing.

Always what the transaction under way sees; forgotten as a whole whenever a part of one is rolled back.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId, StreamId, log_of
from coterie.server.policy import MailShare, Usage
from coterie.server.store.statements import Row, Statements

ROWS_MAX = 200_000
"""Of each kind; then that kind is forgotten and read again as needed."""
NEVER_MS = 1 << 62
LAST_NO_OF_COPY = "last-no-of-copy"
"""Fact: number of the newest log entry in the copy that this life of the data began from, big endian."""

DEVICE = (
    "SELECT d.no, d.device, d.account_no, a.account, d.revoked"
    " FROM devices d JOIN accounts a ON a.no = d.account_no "
)
CONVERSATION = (
    "SELECT no, conversation, one_no, other_no, log_end, last_no, EXISTS (SELECT 1 FROM deletions"
    " WHERE account_no IN (one_no, other_no)) OR EXISTS (SELECT 1 FROM resets WHERE state = 2"
    " AND old_no IN (one_no, other_no)) OR EXISTS (SELECT 1 FROM successions"
    " WHERE old_no IN (one_no, other_no)) FROM conversations "
)
USAGE = (
    "SELECT m.device_no, m.share, d.account_no, count(*), CAST(sum(m.bytes) AS BIGINT)"
    " FROM mailbox_entries m JOIN devices d ON d.no = m.sender_no "
)
"""SQL: what is remembered of each device, conversation and part of a mailbox; of which, comes behind."""


class KnownDevice(msgspec.Struct, frozen=True, gc=False):
    """A device and its account by number."""

    no: int
    device: DeviceId
    account_no: int
    account: AccountId
    live: bool


class LastMessage(msgspec.Struct, frozen=True, gc=False):
    """The newest entry of a device in a log: message id and number; b"" and 0 for none yet."""

    message: bytes
    no: int


class KnownConversation(msgspec.Struct, gc=False):
    """end: the log's last seq; last_no: the number of that entry. Both are kept up to date."""

    no: int
    conversation: ConversationId
    stream: StreamId
    one_no: int | None
    other_no: int | None
    end: int
    last_no: int
    ended: bool = False
    """One of both accounts was deleted, or goes on under another identity, or its name stands for another."""

    last: dict[int, LastMessage] = msgspec.field(default_factory=dict)
    """By device: what it said last, as far as it was asked for; entitled devices only."""

    @property
    def is_everyone(self) -> bool:
        return self.one_no is None


class Mailbox(msgspec.Struct):
    """end: last seq. by_share and by_sender (share, account number): what lies there."""

    end: int
    by_share: dict[MailShare, Usage]
    by_sender: dict[tuple[MailShare, int], Usage]

    def count(self, row: Row) -> None:
        """row: as USAGE gives it."""
        _, share_no, account_no, entries, size = row
        share = MailShare(share_no)
        whole = self.by_share.get(share, Usage())
        self.by_share[share] = Usage(whole.entries + entries, whole.bytes + size)
        self.by_sender[share, account_no] = Usage(entries, size)


class Caches:
    """Fills itself from the database."""

    def __init__(self, statements: Statements) -> None:
        self._db = statements
        self.forget()

    def forget(self) -> None:
        """Something was rolled back."""
        self._version = -1
        self._devices: dict[DeviceId, KnownDevice] = {}
        self._devices_by_no: dict[int, KnownDevice] = {}
        self._conversations: dict[ConversationId, KnownConversation] = {}
        self._before: dict[ConversationId, KnownConversation] = {}
        """As they stood at the end of an earlier transaction: others may have written there since."""
        self._mailboxes: dict[int, Mailbox] = {}
        self.complete: dict[int, set[tuple[int, SessionId]]] = {}
        """conversation -> (sender, session) whose key every entitled device has a row for."""
        self.free: dict[int, set[tuple[int, SessionId]]] = {}
        """conversation -> (sender, session) of whom nothing else has to be asked before the next message: the
        device is live, the conversation not ended, both by their rows; it may speak there and its account has
        accepted the partner. Whatever changes one of these forgets all of them."""
        self.accepted: set[tuple[int, int]] = set()
        self.everyone_devices: int | None = None
        """Live devices of the server, as the speakers rule counts them."""
        self._next_reset_ms: int | None = None
        self._last_no_of_copy: int | None = None

    def set_aside(self) -> None:
        """A transaction begins, and others may have written since the last one: what any message moves is
        looked up again."""
        self._before |= self._conversations
        self._conversations.clear()
        self._mailboxes.clear()

    def at_version(self, version: int, next_version: int) -> None:
        """Whatever changes it makes this version go up: if it is not the one that is known, nothing is.
        next_version: after the transaction."""
        if version != self._version:
            self.forget()
        self._version = next_version

    def trim(self) -> None:
        """Keep memory bounded; between transactions."""
        for cache in (self._devices, self._conversations, self._before, self._mailboxes):
            if len(cache) > ROWS_MAX:
                self.forget()
                return

    async def next_reset_ms(self) -> int:
        """When the first reset that waits takes effect; NEVER_MS where none does."""
        if self._next_reset_ms is None:
            row = await self._db.one("SELECT min(from_ms) FROM resets WHERE state = 0")
            self._next_reset_ms = NEVER_MS if row is None or row[0] is None else int(row[0])
        return self._next_reset_ms

    async def last_no_of_copy(self) -> int:
        """Number of the newest entry that was in the copy from which this life of the data began; 0 in the
        first one. A device that has said nothing since names no message as its last one."""
        if self._last_no_of_copy is None:
            row = await self._db.one("SELECT value FROM facts WHERE name = ?", (LAST_NO_OF_COPY,))
            self._last_no_of_copy = int.from_bytes(row[0], "big") if row else 0
        return self._last_no_of_copy

    def resets_changed(self) -> None:
        """Something is saved that may begin, cancel or complete one."""
        self._next_reset_ms = None

    def knows_device(self, device: DeviceId) -> bool:
        return device in self._devices

    def at_hand(
        self, device: DeviceId, conversation: ConversationId
    ) -> tuple[KnownDevice, KnownConversation, LastMessage] | None:
        """A device, a conversation, and what the device said there last; None where any of it has to be asked
        for."""
        known, log = self._devices.get(device), self._conversations.get(conversation)
        if known is None or log is None:
            return None
        last = log.last.get(known.no)
        return None if last is None else (known, log, last)

    def knows_conversation(self, conversation: ConversationId) -> bool:
        return conversation in self._conversations

    async def device(self, device: DeviceId) -> KnownDevice | None:
        known = self._devices.get(device)
        if known is None:
            row = await self._db.one(DEVICE + "WHERE d.device = ?", (device,))
            known = self.remember_device(row) if row else None
        return known

    def device_at_hand(self, no: int) -> KnownDevice | None:
        """None: it has to be asked for."""
        return self._devices_by_no.get(no)

    async def device_no(self, no: int) -> KnownDevice | None:
        known = self._devices_by_no.get(no)
        if known is None:
            row = await self._db.one(DEVICE + "WHERE d.no = ?", (no,))
            known = self.remember_device(row) if row else None
        return known

    async def conversation(self, conversation: ConversationId) -> KnownConversation | None:
        known = self._conversations.get(conversation)
        if known is None:
            row = await self._db.one(CONVERSATION + "WHERE conversation = ?", (conversation,))
            known = self.remember_conversation(row) if row else None
        return known

    def remember_conversation(self, row: Row) -> KnownConversation:
        """row: as CONVERSATION gives it."""
        no, conversation, one_no, other_no, end, last_no, ended = row
        known = KnownConversation(
            no,
            ConversationId(conversation),
            log_of(conversation),
            one_no,
            other_no,
            end,
            last_no,
            bool(ended),
        )
        self._conversations[known.conversation] = known
        return known

    def set_aside_numbers(self, conversations: Collection[ConversationId]) -> list[int] | None:
        """Their numbers, where all of them are known from before."""
        before = self._before
        if not all(map(before.__contains__, conversations)):
            return None
        return [before[each].no for each in conversations]

    def stands(self, conversation: ConversationId, end: int, last_no: int) -> None:
        """One that is known from before, as it stands now. Where others have written there, nobody's last
        message is known."""
        known = self._before.pop(conversation)
        if (known.end, known.last_no) != (end, last_no):
            known.end, known.last_no = end, last_no
            known.last.clear()
        self._conversations[conversation] = known

    async def last_message(self, conversation: KnownConversation, device_no: int) -> LastMessage | None:
        """None: the device is not entitled there."""
        known = conversation.last.get(device_no)
        if known is None:
            row = await self._db.one(
                "SELECT last_message, last_no FROM entitled WHERE conversation_no = ? AND device_no = ?",
                (conversation.no, device_no),
            )
            if row is None:
                return None
            known = conversation.last[device_no] = LastMessage(row[0], row[1])
        return known

    async def mailbox(self, device_no: int) -> Mailbox:
        known = self._mailboxes.get(device_no)
        if known is None:
            end = await self._db.number("SELECT mailbox_end FROM devices WHERE no = ?", (device_no,))
            known = self.remember_mailbox(device_no, end)
            for row in await self._db.all(f"{USAGE}WHERE m.device_no = ? GROUP BY 1, 2, 3", (device_no,)):
                known.count(row)
        return known

    def remember_mailbox(self, device_no: int, end: int) -> Mailbox:
        """One in which nothing is counted yet."""
        known = self._mailboxes[device_no] = Mailbox(end, {}, {})
        return known

    def recount(self, device_no: int) -> None:
        """Entries of a mailbox were dropped: count again when the next one comes."""
        self._mailboxes.pop(device_no, None)

    def devices_changed(self) -> None:
        """Devices were added or revoked, or came back: who is entitled has to be looked up again."""
        self._devices.clear()
        self._devices_by_no.clear()
        self._mailboxes.clear()
        self._conversations.clear()
        self._before.clear()
        self.keys_changed()
        self.everyone_devices = None

    def keys_changed(self) -> None:
        """Who has the key of a session has to be looked up again."""
        self.complete.clear()
        self.free.clear()

    def account_ended(self) -> None:
        """Nobody writes to it any more, and what it had is gone."""
        self.devices_changed()
        self.accepted.clear()

    def remember_device(self, row: Row) -> KnownDevice:
        """row: as DEVICE gives it."""
        known = KnownDevice(row[0], DeviceId(row[1]), row[2], AccountId(row[3]), not row[4])
        self._devices[known.device] = self._devices_by_no[known.no] = known
        return known
