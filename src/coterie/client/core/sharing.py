"""Giving a session's key to devices: Olm sessions, envelopes, who is left out (encryption rules 9-13)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import membership_hash
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import ConversationId, EnvelopeId, SessionId
from coterie.base.quiet import Quiet
from coterie.client.core.fresh_keys import FreshKeys
from coterie.client.core.keyring import Keyring
from coterie.client.core.olm_sessions import received_ms, to_seal_on, too_many
from coterie.client.core.peer_prekeys import first_key, is_dormant, peer_keys
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.views import LeftOutMark
from coterie.client.events import ConversationKind
from coterie.client.store.records import (
    ConversationRow,
    DropPeerFreshKey,
    EnvelopeOut,
    GroupOutRow,
    KeptKey,
    OlmRow,
    PeerDevice,
    PeerKeys,
    Record,
    ShareRow,
    ShareState,
)
from coterie.e2ee.group import KeyShare, KeyShares
from coterie.e2ee.pairwise import FreshKey, Party, PlainKind, seal_envelope
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

    @classmethod
    def of(cls, kept: KeptKey) -> SessionKeyAt:
        """As it was kept."""
        return cls(kept.session, kept.index, kept.key, kept.predecessor, kept.last_n, kept.last_hash)

    def kept(self, conversation: ConversationId, now_ms: int) -> KeptKey:
        """What the store keeps of it, for devices that get it later."""
        return KeptKey(
            session=self.session,
            index=self.index,
            key=self.key,
            predecessor=self.predecessor,
            last_n=self.last_n,
            last_hash=self.last_hash,
            since_ms=now_ms,
            conversation=conversation,
        )


class Shared(msgspec.Struct, frozen=True):
    """What giving a session's key to devices came to."""

    save: tuple[Record, ...]
    envelopes: tuple[EnvelopeItem, ...]
    left_out: tuple[LeftOutDevice, ...]
    unclaimed: tuple[PeerDevice, ...]
    """Devices to which no Olm session stands that could be sealed on."""


class Sharing:
    """Gives keys of sessions to devices; every method returns what to save."""

    def __init__(self, reads: Reads, keyring: Keyring, profile: Profile, people: People) -> None:
        self._reads = reads
        self._keyring = keyring
        self._profile = profile
        self._people = people
        self._fresh_keys = FreshKeys(reads, keyring)

    def is_dormant(self, device: PeerDevice, now_ms: int) -> bool:
        """Whether its newest prekey known here is so old that it is not entitled to anything new (rule 3)."""
        return is_dormant(self._reads.peer_keys(device.device), now_ms)

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

    def reaches(self, devices: Iterable[PeerDevice], now_ms: int) -> bool:
        """Whether an Olm session stands to each of these, so that none of them has to be claimed."""
        return all(to_seal_on(self._reads.olm_sessions(each.device), now_ms) for each in devices)

    def key_from_start(self, session: SessionId) -> SessionKeyAt | None:
        """The key as it was first, for devices that sealed, not yet accepted messages are owed to."""
        kept = self._reads.kept_key(session)
        return SessionKeyAt.of(kept) if kept is not None else None

    def share(
        self,
        conversation: ConversationRow,
        keys: tuple[SessionKeyAt, ...],
        devices: Iterable[PeerDevice],
        now_ms: int,
    ) -> Shared:
        """Seal the keys of sessions to devices, an envelope for each. One whose signed keys are no keys is
        left out of all."""
        content = _content(conversation, keys)
        save: list[Record] = []
        items: list[EnvelopeItem] = []
        left_out: list[LeftOutDevice] = []
        unclaimed: list[PeerDevice] = []
        fresh_id = self._fresh_keys.next_id() if self._small(conversation) else 0
        for device in devices:
            olm = to_seal_on(self._reads.olm_sessions(device.device), now_ms)
            prekeys = self._reads.peer_keys(device.device)
            if olm is None:
                unclaimed.append(device)
                continue
            try:
                if prekeys is None or not prekeys.x_wing_key:
                    raise SealBroken("a device without an X-Wing key", Code.NO_PREKEY)
                made = self._fresh_keys.make(device.device, fresh_id, now_ms) if fresh_id else None
                fresh, own = made or (None, None)
                seal_to = self._fresh_keys.seal_to(prekeys, now_ms)
                item, records = self._envelope(
                    conversation, keys, device, seal_to, olm, content, fresh, now_ms
                )
            except SealBroken as broken:
                reason = Code.NO_PREKEY if broken.code is Code.NO_PREKEY else Code.BAD_PREKEY
                for key in keys:
                    marked = self.leave_out(conversation, key, device, reason, now_ms)
                    save.extend(marked.save)
                    left_out.extend(marked.left_out)
            else:
                items.append(item)
                save.extend(records)
                if own is not None:
                    save.append(own)
                    fresh_id += 1
        return Shared(tuple(save), tuple(items), tuple(left_out), tuple(unclaimed))

    def _small(self, conversation: ConversationRow) -> bool:
        """Whether envelopes carry fresh keys here (rule 12): to more devices they would weigh too much."""
        if conversation.kind is ConversationKind.DIRECT:
            return True
        return len(self._people.recipients(conversation)) <= limits.ROTATE_SMALL_DEVICES

    def _envelope(
        self,
        conversation: ConversationRow,
        keys: tuple[SessionKeyAt, ...],
        device: PeerDevice,
        seal_to: tuple[int, bytes],
        olm: OlmRow,
        content: tuple[PlainKind, bytes],
        fresh: FreshKey | None,
        now_ms: int,
    ) -> tuple[EnvelopeItem, list[Record]]:
        first, *more = (key.session for key in keys)
        share = Share(conversation.id, first, tuple(more))
        item, stepped = self._sealed(device, seal_to, olm, *content, fresh, share)
        packed = msgspec.msgpack.encode(item)
        out = EnvelopeOut(EnvelopeId(item.envelope), first, device.device, packed, conversation.peer, now_ms)
        pending = (
            ShareRow(key.session, device.device, device.account, ShareState.PENDING, "", key.index)
            for key in keys
        )
        return item, [stepped, out, *pending]

    def _sealed(
        self,
        device: PeerDevice,
        seal_to: tuple[int, bytes],
        olm: OlmRow,
        kind: PlainKind,
        content: bytes,
        fresh: FreshKey | None = None,
        share: Share | None = None,
    ) -> tuple[EnvelopeItem, OlmRow]:
        """One envelope, and the session that it went through as it stands afterwards."""
        live = self._keyring.olm(olm)
        envelope = EnvelopeId(secrets.token_bytes(16))
        sealed = seal_envelope(
            live,
            Party(self._profile.account, self._profile.device, self._keyring.device.ed25519),
            Party(device.account, device.device, device.ed25519),
            envelope,
            kind,
            content,
            *seal_to,
            fresh_key=fresh,
        )
        item = EnvelopeItem(device.account, device.device, envelope, sealed, share)
        return item, self._keyring.olm_record(
            live, device.account, device.device, olm.received_ms, olm.unanswered_ms
        )

    def tell(self, devices: Iterable[PeerDevice], kind: PlainKind, content: bytes, now_ms: int) -> Shared:
        """Seal something else than a key, to those devices that have an Olm session and usable keys."""
        save: list[Record] = []
        items: list[EnvelopeItem] = []
        for device in devices:
            told = self.tell_once(device, kind, content, now_ms)
            if told is None:
                continue
            item, stepped = told
            items.append(item)
            packed = msgspec.msgpack.encode(item)
            save += (stepped, EnvelopeOut(EnvelopeId(item.envelope), b"", device.device, packed, b"", now_ms))
        return Shared(tuple(save), tuple(items), (), ())

    def tell_once(
        self, device: PeerDevice, kind: PlainKind, content: bytes, now_ms: int
    ) -> tuple[EnvelopeItem, OlmRow] | None:
        """The same to one device, and the session as it stands afterwards: the envelope itself is not kept,
        so it is not given again. None where the device has no session or no usable keys."""
        olm = to_seal_on(self._reads.olm_sessions(device.device), now_ms)
        keys = self._reads.peer_keys(device.device)
        if olm is None or keys is None or not keys.x_wing_key:
            return None
        try:
            return self._sealed(device, self._fresh_keys.seal_to(keys, now_ms), olm, kind, content)
        except SealBroken:
            return None

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
                key.kept(conversation.id, now_ms),
            ),
            envelopes=(),
            left_out=(LeftOutDevice(conversation.id, key.session, device.device, reason.value),),
            unclaimed=(),
        )

    def start(self, device: PeerDevice, keys: ClaimedKeys, now_ms: int) -> tuple[Record, ...]:
        """Make an Olm session with claimed keys, whatever stands. Raises SealBroken where no key of the
        device holds."""
        live = self._keyring.device.start(device.curve25519, first_key(device, keys, now_ms))
        self._keyring.hold_olm(live)
        rows = self._reads.olm_sessions(device.device)
        at_ms = received_ms(rows, now_ms)
        save: tuple[Record, ...] = (
            self._keyring.olm_record(live, device.account, device.device, at_ms, now_ms),
            DropPeerFreshKey(device.device),
            *too_many(rows, self._keyring),
        )
        return (*save, *self.take_keys(device, keys, now_ms))

    def begin(self, device: PeerDevice, keys: ClaimedKeys, now_ms: int) -> tuple[Record, ...]:
        """Take what was claimed for a device without a session: make one, unless one stands by now, by the
        answer to another claim or because the device began one itself. Several at once would push those out
        on which the device seals (rule 11). Raises SealBroken where no key of the device holds."""
        if to_seal_on(self._reads.olm_sessions(device.device), now_ms) is not None:
            return self.take_keys(device, keys, now_ms)
        return self.start(device, keys, now_ms)

    def take_keys(self, device: PeerDevice, keys: ClaimedKeys, now_ms: int) -> tuple[Record, ...]:
        """Keep the reusable prekeys that came with a claim, where they are others than those known."""
        known = self._reads.peer_keys(device.device)
        if known is not None and _are(known, keys, now_ms):
            return ()
        return (peer_keys(device, keys.fallback, keys.x_wing, known, now_ms),)

    def left_out_marks(self, session: SessionId) -> tuple[LeftOutMark, ...]:
        """Who does not have this session's key, and why; as many as a message may name."""
        marks = tuple(
            LeftOutMark(share.account, share.device, share.reason)
            for share in self._reads.shares(session)
            if share.state is ShareState.LEFT_OUT
        )
        return marks[:LEFT_OUT_NAMED]


def _content(conversation: ConversationRow, keys: tuple[SessionKeyAt, ...]) -> tuple[PlainKind, bytes]:
    """What an envelope with these keys holds."""
    shares = tuple(
        KeyShare(
            conversation=conversation.id,
            membership_hash=membership_hash(conversation.id),
            session=key.session,
            session_key=key.key,
            index=key.index,
            predecessor=key.predecessor,
            last_n=key.last_n,
            last_hash=key.last_hash,
        )
        for key in keys
    )
    if len(shares) == 1:
        return PlainKind.KEY_SHARE, shares[0].pack()
    return PlainKind.KEY_SHARES, KeyShares(shares).pack()


def _are(known: PeerKeys, keys: ClaimedKeys, now_ms: int) -> bool:
    """Whether the reusable prekeys that were claimed are those that were proven before, and none too old: two
    signatures of a thousand devices take a quarter of a second to check."""
    try:
        x_wing, fallback = (SignedPrekey.unpack(packed).prekey for packed in (keys.x_wing, keys.fallback))
    except RemoteError:
        return False
    return (
        (x_wing.kind, x_wing.id, x_wing.key, x_wing.created_ms)
        == (PrekeyKind.X_WING, known.x_wing_id, known.x_wing_key, known.x_wing_created_ms)
        and (fallback.kind, fallback.id, fallback.key)
        == (PrekeyKind.FALLBACK, known.fallback_id, known.fallback_key)
        and now_ms - x_wing.created_ms <= limits.PREKEY_MAX_AGE_MS
        and now_ms - fallback.created_ms <= limits.FALLBACK_MAX_AGE_MS
    )
