"""Rows of the store as the plain objects that screens and bots see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.client.core.people import People, target_of
from coterie.client.core.ports import Reads
from coterie.client.events import Conversation, ConversationKind, Message, MessageState, NotFor
from coterie.client.store.records import ConversationRow, MessageRow
from coterie.e2ee.group import InnerMessage


class LeftOutMark(msgspec.Struct, frozen=True, array_like=True):
    """One element of MessageRow.not_for."""

    account: AccountId
    device: DeviceId
    reason: str


REASONS = frozenset(
    {Code.NO_PREKEY, Code.BAD_PREKEY, Code.MAILBOX_FULL, Code.UNPROVEN, Code.UNCONFIRMED, Code.UNKNOWN_DEVICE}
)
"""Why a device may be left out of a message."""

_marks = msgspec.msgpack.Decoder(tuple[LeftOutMark, ...])


def pack_marks(marks: tuple[LeftOutMark, ...]) -> bytes:
    """b"" for none."""
    return msgspec.msgpack.encode(marks) if marks else b""


def marks_of(packed: bytes) -> tuple[LeftOutMark, ...]:
    """As pack_marks packed them."""
    return _marks.decode(packed) if packed else ()


def packed_left_out(inner: InnerMessage) -> bytes:
    """Who was left out of a message, as its sender says."""
    if not inner.left_out:
        return b""
    return pack_marks(
        tuple(
            LeftOutMark(AccountId(left.account), DeviceId(left.device), left.reason)
            for left in inner.left_out
        )
    )


class Views:
    """Needs the store for counts and the people for names."""

    def __init__(self, reads: Reads, people: People) -> None:
        self._reads = reads
        self._people = people

    def message(self, row: MessageRow, conversation: ConversationRow | None = None) -> Message:
        where = conversation or self._reads.conversation(row.conversation)
        target = target_of(where, self._people) if where else ""
        return self._message(row, target, self._people.name_of(row.account), row.state)

    def delivered(self, rows: Sequence[MessageRow], conversation: ConversationRow | None) -> list[Message]:
        """Own messages of one conversation, as they stand once they are delivered."""
        if not rows:
            return []
        target = target_of(conversation, self._people) if conversation else ""
        name, state, message = self._people.name_of(self._people.me), MessageState.DELIVERED, self._message
        return [message(row, target, name, state) for row in rows]

    def _message(self, row: MessageRow, target: str, sender: UserName, state: MessageState) -> Message:
        return Message(
            row.order,
            row.message,
            row.conversation,
            target,
            sender,
            row.account,
            row.device,
            row.own,
            row.text,
            row.readable,
            row.sent_ms,
            row.seq,
            state,
            tuple(map(self._not_for, marks_of(row.not_for))) if row.not_for else (),
        )

    def messages(self, orders: Iterable[int]) -> tuple[Message, ...]:
        """Those that are in the store and are shown, as they stand now."""
        rows = [row for row in map(self._reads.message, orders) if row is not None and row.shown]
        return tuple(self.message(row) for row in rows)

    def conversation(self, row: ConversationRow) -> Conversation:
        last = self._reads.last_message(row.id)
        unread, first = self._reads.unread(row.id)
        direct = row.kind is ConversationKind.DIRECT
        return Conversation(
            id=row.id,
            kind=row.kind,
            target=target_of(row, self._people),
            peer=self._people.person(AccountId(row.peer)) if direct else None,
            last=self.message(last, row) if last else None,
            unread=unread,
            first_unread_order=first,
        )

    def conversation_by_id(self, conversation: ConversationId) -> Conversation | None:
        row = self._reads.conversation(conversation)
        return self.conversation(row) if row else None

    def _not_for(self, mark: LeftOutMark) -> NotFor:
        device = self._people.device_of(mark.account, mark.device)
        return NotFor(
            name=self._people.name_of(mark.account),
            device_name=device.name if device else "",
            reason=_reason(mark.reason),
        )


def _reason(word: str) -> Code:
    """The sender's word for why: whatever is none of ours means no more than that nothing is proven."""
    return Code(word) if word in REASONS else Code.UNPROVEN
