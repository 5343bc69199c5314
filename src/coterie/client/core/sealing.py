"""Sending sessions: when one ends, who gets its key, how a message is sealed (encryption rules 9-15, 24)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import membership_hash
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import EnvelopeId, SessionId
from coterie.base.quiet import Quiet
from coterie.client.core.keyring import Keyring
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.trust import peer_keys
from coterie.client.core.views import LeftOutMark, pack_marks
from coterie.client.events import ConversationKind
from coterie.client.store.records import (
    ConversationRow,
    EnvelopeOut,
    GroupOutRow,
    KeptKey,
    MessageRow,
    OlmRow,
    PeerDevice,
    PeerKeys,
    Record,
    Setting,
    ShareRow,
    ShareState,
)
from coterie.content.padding import padded_size
from coterie.e2ee.group import InnerMessage, KeyShare, LeftOut, Parent, seal_message
from coterie.e2ee.pairwise import Party, PlainKind, seal_envelope
from coterie.e2ee.vodo import GroupOut
from coterie.ledger.checks import check_prekey
from coterie.ledger.heads import SignedHead
from coterie.ledger.manifest import PrekeyKind, SignedPrekey
from coterie.wire.frames.accounts import ClaimedKeys
from coterie.wire.frames.messages import EnvelopeItem, LeftOutDevice, Share

LEFT_OUT_NAMED = 2000
"""The most devices that one message names as left out."""


class SessionKeyAt(Quiet, frozen=True):
    """A session's key as it is given to devices: at an index, with what came before it."""

    session: SessionId
    index: int
    key: bytes
    predecessor: bytes
    last_n: int
    last_hash: bytes


class Shared(msgspec.Struct, frozen=True):
    """What giving a session's key to devices came to."""

    save: tuple[Record, ...]
    envelopes: tuple[EnvelopeItem, ...]
    left_out: tuple[LeftOutDevice, ...]
    unclaimed: tuple[PeerDevice, ...]
    """Devices to which no Olm session stands yet."""


class SealedSend(Quiet, frozen=True):
    """A sealed message, and every row as it stands afterwards."""

    conversation: ConversationRow
    session: GroupOutRow
    message: MessageRow
    ciphertext: bytes
    commitment: bytes
    membership_hash: bytes


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
        out = GroupOut.create()
        self._keyring.hold_group_out(out)
        predecessor = row.session if row else b""
        new = GroupOutRow(
            conversation=conversation.id,
            session=out.id,
            pickle=self._keyring.group_out_pickle(out),
            predecessor=predecessor,
            messages=0,
            created_ms=now_ms,
        )
        kept = KeptKey(
            session=out.id,
            index=0,
            key=out.session_key(),
            predecessor=predecessor,
            last_n=conversation.out_n,
            last_hash=conversation.out_hash,
            since_ms=now_ms,
        )
        return new, (new, kept)

    def _ended(
        self,
        conversation: ConversationRow,
        row: GroupOutRow,
        recipients: tuple[PeerDevice, ...],
        now_ms: int,
    ) -> bool:
        """Rule 15: by count, by age, and always when somebody who has the key is no longer entitled."""
        most, oldest_ms = self._rotation(conversation)
        if row.messages >= most or not 0 <= now_ms - row.created_ms <= oldest_ms:
            return True
        entitled = {each.device for each in recipients}
        return any(
            share.device not in entitled and share.state is not ShareState.LEFT_OUT
            for share in self._reads.shares(row.session)
        )

    def most_messages(self, conversation: ConversationRow) -> int:
        """How many messages one session of this conversation seals at most."""
        return self._rotation(conversation)[0]

    def _rotation(self, conversation: ConversationRow) -> tuple[int, int]:
        """(messages, milliseconds) after which a session ends."""
        if conversation.kind is ConversationKind.DIRECT:
            return limits.ROTATE_DIRECT_MESSAGES, limits.ROTATE_DIRECT_MS
        if len(self._people.recipients(conversation)) <= limits.ROTATE_SMALL_DEVICES:
            return limits.ROTATE_SMALL_MESSAGES, limits.ROTATE_SMALL_MS
        return limits.ROTATE_LARGE_MESSAGES, limits.ROTATE_LARGE_MS

    def key_now(self, conversation: ConversationRow, session: GroupOutRow) -> SessionKeyAt:
        """The key as it is now: whoever gets it opens what is sealed from here on."""
        out = self._keyring.group_out(session)
        return SessionKeyAt(
            session=session.session,
            index=out.index,
            key=out.session_key(),
            predecessor=session.predecessor,
            last_n=conversation.out_n,
            last_hash=conversation.out_hash,
        )

    def key_from_start(self, session: SessionId) -> SessionKeyAt | None:
        """The key as it was first, for devices that sealed, not yet accepted messages are owed to."""
        kept = self._reads.kept_key(session)
        if kept is None:
            return None
        return SessionKeyAt(session, kept.index, kept.key, kept.predecessor, kept.last_n, kept.last_hash)

    def share(
        self, conversation: ConversationRow, key: SessionKeyAt, devices: Iterable[PeerDevice], now_ms: int
    ) -> Shared:
        """Seal a session's key to devices."""
        content = KeyShare(
            conversation=conversation.id,
            membership_hash=membership_hash(conversation.id),
            session=key.session,
            session_key=key.key,
            index=key.index,
            predecessor=key.predecessor,
            last_n=key.last_n,
            last_hash=key.last_hash,
        ).pack()
        save: list[Record] = []
        items: list[EnvelopeItem] = []
        left_out: list[LeftOutDevice] = []
        unclaimed: list[PeerDevice] = []
        for device in devices:
            sessions = self._reads.olm_sessions(device.device)
            keys = self._reads.peer_keys(device.device)
            if not sessions:
                unclaimed.append(device)
            elif keys is None or not keys.x_wing_key:
                marked = self.leave_out(conversation, key, device, Code.NO_PREKEY, now_ms)
                save.extend(marked.save)
                left_out.extend(marked.left_out)
            else:
                item, records = self._envelope(conversation, key, device, keys, sessions[0], content)
                items.append(item)
                save.extend(records)
        return Shared(tuple(save), tuple(items), tuple(left_out), tuple(unclaimed))

    def _envelope(
        self,
        conversation: ConversationRow,
        key: SessionKeyAt,
        device: PeerDevice,
        keys: PeerKeys,
        olm: OlmRow,
        content: bytes,
    ) -> tuple[EnvelopeItem, list[Record]]:
        live = self._keyring.olm(olm)
        envelope = EnvelopeId(secrets.token_bytes(16))
        sealed = seal_envelope(
            live,
            Party(self._profile.account, self._profile.device, self._keyring.device.ed25519),
            Party(device.account, device.device, device.ed25519),
            envelope,
            PlainKind.KEY_SHARE,
            content,
            keys.x_wing_id,
            keys.x_wing_key,
        )
        share = Share(conversation.id, key.session)
        item = EnvelopeItem(device.account, device.device, envelope, sealed, share)
        return item, [
            self._keyring.olm_record(live, device.account, device.device, olm.received_ms),
            EnvelopeOut(
                envelope, key.session, device.device, msgspec.msgpack.encode(item), conversation.peer
            ),
            ShareRow(key.session, device.device, device.account, ShareState.PENDING, "", key.index),
        ]

    def leave_out(
        self,
        conversation: ConversationRow,
        key: SessionKeyAt,
        device: PeerDevice,
        reason: Code,
        now_ms: int,
    ) -> Shared:
        """Note that a device does not get this session's key now, and keep the key it is owed."""
        return Shared(
            save=(
                ShareRow(
                    key.session, device.device, device.account, ShareState.LEFT_OUT, reason.value, key.index
                ),
                KeptKey(key.session, key.index, key.key, key.predecessor, key.last_n, key.last_hash, now_ms),
            ),
            envelopes=(),
            left_out=(LeftOutDevice(conversation.id, key.session, device.device, reason.value),),
            unclaimed=(),
        )

    def start(self, device: PeerDevice, keys: ClaimedKeys, now_ms: int) -> tuple[Record, ...]:
        """Make an Olm session with claimed keys. Raises SealBroken where no key of the device holds."""
        claimed = keys.one_time or keys.fallback
        if not claimed:
            raise SealBroken("a device without prekeys", Code.NO_PREKEY)
        try:
            prekey = check_prekey(
                SignedPrekey.unpack(claimed),
                device.account,
                device.device,
                device.ed25519,
                now_ms,
                max_age_ms=None if keys.one_time else limits.PREKEY_MAX_AGE_MS,
            )
        except (RemoteError, SealBroken):
            raise SealBroken("a prekey that its device did not sign", Code.BAD_PREKEY) from None
        if prekey.kind is not (PrekeyKind.ONE_TIME if keys.one_time else PrekeyKind.FALLBACK):
            raise SealBroken("a prekey of another kind", Code.BAD_PREKEY)
        live = self._keyring.device.start(device.curve25519, prekey.key)
        self._keyring.hold_olm(live)
        return (
            self._keyring.olm_record(live, device.account, device.device, now_ms),
            peer_keys(device, keys.fallback, keys.x_wing, now_ms),
        )

    def left_out_marks(self, session: SessionId) -> tuple[LeftOutMark, ...]:
        """Who does not have this session's key, and why; as many as a message may name."""
        marks = tuple(
            LeftOutMark(share.account, share.device, share.reason)
            for share in self._reads.shares(session)
            if share.state is ShareState.LEFT_OUT
        )
        return marks[:LEFT_OUT_NAMED]

    def message(
        self,
        conversation: ConversationRow,
        session: GroupOutRow,
        row: MessageRow,
        marks: tuple[LeftOutMark, ...],
    ) -> SealedSend:
        """Seal one message; the ratchet, the conversation and the message as they stand afterwards."""
        out = self._keyring.group_out(session)
        inner = InnerMessage(
            conversation=conversation.id,
            account=self._profile.account,
            device=self._profile.device,
            membership_hash=membership_hash(conversation.id),
            message=row.message,
            n=conversation.out_n + 1,
            parents=self._parents(conversation),
            left_out=tuple(LeftOut(mark.account, mark.device, mark.reason) for mark in marks),
            time_ms=row.sent_ms,
            head=self._light_head(),
            body=row.body,
        )
        sealed = seal_message(out, inner, padded_size)
        stepped = msgspec.structs.replace(
            session, pickle=self._keyring.group_out_pickle(out), messages=session.messages + 1
        )
        moved = msgspec.structs.replace(
            conversation, out_n=inner.n, out_hash=sealed.hash, out_message=row.message
        )
        written = msgspec.structs.replace(
            row,
            n=inner.n,
            hash=sealed.hash,
            inner=sealed.inner,
            franking_key=sealed.franking_key,
            commitment=sealed.commitment,
            session=session.session,
            index=sealed.index,
            not_for=pack_marks(marks),
        )
        return SealedSend(
            moved, stepped, written, sealed.ciphertext, sealed.commitment, inner.membership_hash
        )

    def _parents(self, conversation: ConversationRow) -> tuple[Parent, ...]:
        """Own previous message first, then the newest of other devices."""
        own: tuple[Parent, ...] = ()
        if conversation.out_n:
            own = (Parent(conversation.out_hash, self._profile.device, conversation.out_n),)
        tips = self._reads.tips(conversation.id, limits.OTHER_PARENTS)
        return own + tuple(Parent(tip.hash, tip.device, tip.n) for tip in tips)

    def _light_head(self) -> bytes:
        """The newest verified head, without its post-quantum signature."""
        packed = self._reads.setting(Setting.HEAD) or b""
        if packed != self._head[0]:
            self._head = (packed, SignedHead.unpack(packed).light.pack() if packed else b"")
        return self._head[1]
