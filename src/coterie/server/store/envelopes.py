"""Writing envelopes into mailboxes, and whose session keys went where."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import ConversationId, DeviceId, SessionId
from coterie.server.policy import MailShare, Usage, has_room
from coterie.server.store.caches import Caches, KnownConversation, KnownDevice, Mailbox
from coterie.server.store.conversations import Conversations, Undo
from coterie.server.store.records import LeftOut, NewEnvelope, PostEnvelopes
from coterie.server.store.results import Denied, Opened, Posted, Result
from coterie.server.store.statements import Statements, Value
from coterie.wire.frames.messages import MailboxEntry

_ID = "INSERT INTO envelope_ids (sender_no, envelope, time_ms) VALUES (?, ?, ?)"
_ENTRY = (
    "INSERT INTO mailbox_entries (device_no, seq, sender_no, envelope, share, bytes, time_ms, sealed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_END = "UPDATE devices SET mailbox_end = ? WHERE no = ?"
_SHARE = "INSERT INTO shares VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

Places = list[tuple[NewEnvelope, KnownDevice, MailShare]]


class EnvelopeWrites:
    """Checks all conditions of a record before it writes, or raises Undo."""

    def __init__(self, statements: Statements, caches: Caches, conversations: Conversations) -> None:
        self._db = statements
        self._caches = caches
        self._conversations = conversations

    async def post(self, record: PostEnvelopes) -> Result:
        sender = await self._caches.device(record.device)
        if sender is None or not sender.live:
            return Denied(Code.REVOKED)
        wanted = {item.conversation for item in record.items if item.conversation is not None}
        wanted.update(left.conversation for left in record.left_out)
        conversations: dict[ConversationId, KnownConversation] = {}
        opened: list[Opened] = []
        for conversation_id in wanted:
            known = await self._caches.conversation(conversation_id)
            if known is None:
                known, fresh = await self._conversations.begin(sender, conversation_id, record.peer)
                opened += fresh
            elif await self._caches.last_message(known, sender.no) is None:
                raise Undo(Denied(Code.NOT_A_MEMBER))
            conversations[conversation_id] = known
        places = await self._places(record, sender, conversations)
        if isinstance(places, Denied):
            raise Undo(places)
        entries = await self._put(record, sender, places)
        await self._put_shares(record, sender, conversations)
        return Posted(entries, tuple(opened))

    async def _places(
        self,
        record: PostEnvelopes,
        sender: KnownDevice,
        conversations: dict[ConversationId, KnownConversation],
    ) -> Places | Denied:
        """Where each envelope that is new goes; denied where one of them cannot."""
        unknown, full = [], []
        places: Places = []
        ahead: dict[tuple[int, MailShare], tuple[Usage, Usage]] = {}
        seen = await self._db.known_envelopes(sender.no, [item.envelope for item in record.items])
        for item in record.items:
            to = await self._caches.device(item.device)
            if to is None or not to.live or to.account != item.account:
                unknown.append((item.account, item.device))
                continue
            if item.envelope in seen:
                continue
            seen.add(item.envelope)
            conversation = conversations.get(item.conversation) if item.conversation is not None else None
            share = await self._share(sender, to, conversation)
            mailbox = await self._caches.mailbox(to.no)
            whole, one = ahead.get((to.no, share)) or _usage(mailbox, share, sender.account_no)
            size = len(item.sealed)
            ahead[to.no, share] = whole, one = whole.plus(size), one.plus(size)
            if not has_room(share, whole, one):
                full.append((item.account, item.device))
            places.append((item, to, share))
        if unknown:
            return Denied(Code.UNKNOWN_DEVICE, devices=tuple(unknown))
        if full:
            return Denied(Code.MAILBOX_FULL, devices=tuple(full))
        return places

    async def _share(
        self, sender: KnownDevice, to: KnownDevice, conversation: KnownConversation | None
    ) -> MailShare:
        if conversation is not None and conversation.is_everyone:
            return MailShare.EVERYONE
        if sender.account_no == to.account_no:
            return MailShare.ACCEPTED
        pair = (to.account_no, sender.account_no)
        if pair not in self._caches.accepted:
            accepts = "SELECT 1 FROM accepts WHERE account_no = ? AND other_no = ?"
            if await self._db.one(accepts, pair) is None:
                return MailShare.STRANGER
            self._caches.accepted.add(pair)
        return MailShare.ACCEPTED

    async def _put(
        self, record: PostEnvelopes, sender: KnownDevice, places: Places
    ) -> tuple[tuple[DeviceId, MailboxEntry], ...]:
        entries: list[tuple[DeviceId, MailboxEntry]] = []
        rows: list[tuple[Value, ...]] = []
        ends: dict[int, int] = {}
        for item, to, share in places:
            mailbox = await self._caches.mailbox(to.no)
            whole, one = _usage(mailbox, share, sender.account_no)
            size = len(item.sealed)
            ends[to.no] = mailbox.end = seq = mailbox.end + 1
            mailbox.by_share[share] = whole.plus(size)
            mailbox.by_sender[share, sender.account_no] = one.plus(size)
            rows.append((to.no, seq, sender.no, item.envelope, int(share), size, record.now_ms, item.sealed))
            entry = MailboxEntry(
                seq, sender.account, sender.device, item.envelope, item.sealed, record.now_ms
            )
            entries.append((to.device, entry))
        await self._db.run_many(_ID, [(sender.no, item.envelope, record.now_ms) for item, _, _ in places])
        await self._db.run_many(_ENTRY, rows)
        await self._db.run_many(_END, [(end, no) for no, end in ends.items()])
        return tuple(entries)

    async def _put_shares(
        self,
        record: PostEnvelopes,
        sender: KnownDevice,
        conversations: dict[ConversationId, KnownConversation],
    ) -> None:
        """Rows are set once: the first word about a session and a device stands."""
        rows: list[LeftOut] = [
            LeftOut(item.conversation, session, item.device, "")
            for item in record.items
            if item.conversation is not None
            for session in item.sessions
        ]
        numbers: dict[tuple[ConversationId, SessionId], int] = {}
        shares: list[tuple[Value, ...]] = []
        for row in (*rows, *record.left_out):
            key = (row.conversation, row.session)
            conversation_no = conversations[row.conversation].no
            device = await self._caches.device(row.device)
            if key not in numbers:
                numbers[key] = await self._conversations.session(
                    conversation_no, sender.no, row.session, record.now_ms
                )
            if device is not None:
                shares.append((numbers[key], device.no, row.reason))
        await self._db.run_many(_SHARE, shares)


def _usage(mailbox: Mailbox, share: MailShare, account_no: int) -> tuple[Usage, Usage]:
    """Of the whole share, and what the sender has in it."""
    return mailbox.by_share.get(share, Usage()), mailbox.by_sender.get((share, account_no), Usage())
