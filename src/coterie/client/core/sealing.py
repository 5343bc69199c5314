"""Sending sessions: when one ends, and how a message is sealed (encryption rules 13-15)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coterie.base import limits
from coterie.base.conversations import membership_hash
from coterie.base.quiet import Quiet
from coterie.client.core.keyring import Keyring
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.views import LeftOutMark, pack_marks
from coterie.client.events import ConversationKind
from coterie.client.store.records import (
    ConversationRow,
    GroupOutRow,
    KeptKey,
    MessageRow,
    PeerDevice,
    Record,
    Setting,
    ShareState,
)
from coterie.content.padding import padded_size
from coterie.e2ee.group import InnerMessage, LeftOut, Parent, franking_keys, seal_message
from coterie.e2ee.vodo import GroupOut
from coterie.ledger.heads import SignedHead


class SealedMessage(Quiet, frozen=True, gc=False):
    """A message as it stands once it is sealed, and what goes out of it."""

    row: MessageRow
    ciphertext: bytes


class SealedRun(Quiet, frozen=True):
    """Messages sealed one after the other, and conversation and session as they stand after the last."""

    conversation: ConversationRow
    session: GroupOutRow
    messages: tuple[SealedMessage, ...]


class _Place(Quiet, frozen=True):
    """What all messages of a run say alike: where they belong, who was left out, what others said, the
    ledger's head."""

    membership_hash: bytes
    left_out: tuple[LeftOut, ...]
    not_for: bytes
    head: bytes
    parents: tuple[Parent, ...]


class Sealing:
    """Works on one conversation at a time; every method returns what to save."""

    def __init__(self, reads: Reads, keyring: Keyring, profile: Profile, people: People) -> None:
        self._reads = reads
        self._keyring = keyring
        self._profile = profile
        self._people = people
        self._head = (b"", b"")

    def session(
        self, conversation: ConversationRow, recipients: tuple[PeerDevice, ...], now_ms: int
    ) -> tuple[GroupOutRow, tuple[Record, ...]]:
        """The sending session to use now, a new one where the rules end the old one."""
        row = self._reads.group_out(conversation.id)
        if row is not None and not self._ended(conversation, row, recipients, now_ms):
            return row, ()
        new, kept = self.begin(conversation, row.session if row else b"", now_ms)
        return new, (new, kept)

    def begin(
        self, conversation: ConversationRow, predecessor: bytes, now_ms: int
    ) -> tuple[GroupOutRow, KeptKey]:
        """A session that follows another one, and its key."""
        out = GroupOut.create()
        self._keyring.hold_group_out(out)
        new = GroupOutRow(
            conversation=conversation.id,
            session=out.id,
            pickle=self._keyring.group_out_pickle(out),
            predecessor=predecessor,
            messages=0,
            created_ms=now_ms,
            since_order=self._reads.last_order(),
        )
        kept = KeptKey(
            session=out.id,
            index=0,
            key=out.session_key(),
            predecessor=predecessor,
            last_n=conversation.out_n,
            last_hash=conversation.out_hash,
            since_ms=now_ms,
            conversation=conversation.id,
        )
        return new, kept

    def _ended(
        self,
        conversation: ConversationRow,
        row: GroupOutRow,
        recipients: tuple[PeerDevice, ...],
        now_ms: int,
    ) -> bool:
        """Rule 15: by count, by age, at a change of speaker, and always when somebody who has the key is no
        longer entitled."""
        most, oldest_ms = self._rotation(conversation)
        age_ms = now_ms - row.created_ms
        if row.messages >= most or not 0 <= age_ms <= oldest_ms:
            return True
        if age_ms > limits.ROTATE_SPEAKER_MS and self._another_spoke(conversation, row):
            return True
        entitled = {each.device for each in recipients}
        return any(
            share.device not in entitled and share.state is not ShareState.LEFT_OUT
            for share in self._reads.shares(row.session)
        )

    def _another_spoke(self, conversation: ConversationRow, row: GroupOutRow) -> bool:
        """Whether a message of another device, of whomever, came to a direct conversation since the session
        began (docs/decisions/0014)."""
        if conversation.kind is not ConversationKind.DIRECT:
            return False
        newest = self._reads.tips(conversation.id, 1)
        return bool(newest) and newest[0].order > row.since_order

    def room(self, conversation: ConversationRow, session: GroupOutRow) -> int:
        """How many more messages a session of this conversation seals, at least one."""
        return max(1, self._rotation(conversation)[0] - session.messages)

    def _rotation(self, conversation: ConversationRow) -> tuple[int, int]:
        """(messages, milliseconds) after which a session ends."""
        if conversation.kind is ConversationKind.DIRECT:
            return limits.ROTATE_DIRECT_MESSAGES, limits.ROTATE_DIRECT_MS
        if len(self._people.recipients(conversation)) <= limits.ROTATE_SMALL_DEVICES:
            return limits.ROTATE_SMALL_MESSAGES, limits.ROTATE_SMALL_MS
        return limits.ROTATE_LARGE_MESSAGES, limits.ROTATE_LARGE_MS

    def run(
        self,
        conversation: ConversationRow,
        session: GroupOutRow,
        rows: Sequence[MessageRow],
        marks: tuple[LeftOutMark, ...],
    ) -> SealedRun:
        """Seal messages one after the other. The ratchet steps with each, and is pickled once."""
        out = self._keyring.group_out(session)
        sealed: list[SealedMessage] = []
        n, hash, last = conversation.out_n, conversation.out_hash, conversation.out_message
        place = _Place(
            membership_hash=membership_hash(conversation.id),
            left_out=tuple(LeftOut(mark.account, mark.device, mark.reason) for mark in marks),
            not_for=pack_marks(marks),
            head=self._brief_head(),
            parents=self._others(conversation),
        )
        first = place
        if n < self._counted_from():
            first = self._at_start(place, conversation)
            n, hash = self._counted_from(), b""
        for row, franking_key in zip(rows, franking_keys(len(rows)), strict=True):
            message = self._sealed(out, row, n + 1, hash, place if sealed else first, franking_key)
            sealed.append(message)
            n, hash, last = message.row.n, message.row.hash, row.message
        return SealedRun(
            msgspec.structs.replace(conversation, out_n=n, out_hash=hash, out_message=last),
            msgspec.structs.replace(
                session,
                pickle=self._keyring.group_out_pickle(out),
                messages=session.messages + len(sealed),
            ),
            tuple(sealed),
        )

    def _sealed(
        self, out: GroupOut, row: MessageRow, n: int, previous: bytes, place: _Place, franking_key: bytes
    ) -> SealedMessage:
        inner = InnerMessage(
            conversation=row.conversation,
            account=self._profile.account,
            device=self._profile.device,
            membership_hash=place.membership_hash,
            message=row.message,
            n=n,
            previous=previous,
            parents=place.parents,
            left_out=place.left_out,
            time_ms=row.sent_ms,
            head=place.head,
            body=row.body,
        )
        sealed = seal_message(out, inner, padded_size, franking_key)
        written = msgspec.structs.replace(
            row,
            n=n,
            hash=sealed.hash,
            inner=sealed.inner,
            franking_key=sealed.franking_key,
            commitment=sealed.commitment,
            session=out.id,
            index=sealed.index,
            not_for=place.not_for,
        )
        return SealedMessage(written, sealed.ciphertext)

    def _counted_from(self) -> int:
        """Behind which number this device counts since the server began its life of now."""
        return int.from_bytes(self._reads.setting(Setting.COUNTED_FROM) or b"", "big")

    def _at_start(self, place: _Place, conversation: ConversationRow) -> _Place:
        """The place of the first message of a count: it names the newest of the count before."""
        if not conversation.out_n:
            return place
        before = Parent(conversation.out_hash, self._profile.device, conversation.out_n)
        parents = (before, *place.parents[: limits.OTHER_PARENTS - 1])
        return msgspec.structs.replace(place, parents=parents)

    def _others(self, conversation: ConversationRow) -> tuple[Parent, ...]:
        """The newest messages of other devices."""
        tips = self._reads.tips(conversation.id, limits.OTHER_PARENTS)
        return tuple(Parent(tip.hash, tip.device, tip.n) for tip in tips)

    def _brief_head(self) -> bytes:
        """The newest verified head, without its post-quantum signature."""
        packed = self._reads.setting(Setting.HEAD) or b""
        if packed != self._head[0]:
            self._head = (packed, SignedHead.unpack(packed).brief.pack() if packed else b"")
        return self._head[1]
