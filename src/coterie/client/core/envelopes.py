"""Opening envelopes: who may have sent one, what opens it, what it carries (encryption rules 9-13)."""

from __future__ import annotations

import logging

import msgspec

from coterie.base import limits
from coterie.base.conversations import direct_id, membership_hash
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId, EnvelopeId, SessionId
from coterie.client.core.fresh_keys import FreshKeys
from coterie.client.core.keyring import Keyring
from coterie.client.core.olm_sessions import received_ms, too_many
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.read_marks import taken
from coterie.client.events import ConversationKind
from coterie.client.store.records import (
    ConversationRow,
    DropPeerFreshKey,
    GroupInRow,
    PeerDevice,
    Record,
    SeenEnvelope,
)
from coterie.content.read_marks import ReadMarks
from coterie.content.receipts import Receipts
from coterie.content.repair import NotForYou, Repair, RepairRequest
from coterie.content.trust_marks import TrustMarks
from coterie.e2ee.group import KeyShare, KeyShares, accept_share
from coterie.e2ee.pairwise import (
    OlmPlaintext,
    Party,
    PlainKind,
    open_envelope_outer,
    open_plaintext,
    peek_prekey_id,
)
from coterie.e2ee.vodo import PRE_KEY, OlmSession, first_session_id
from coterie.wire.frames.messages import MailboxEntry

log = logging.getLogger("coterie.client.envelopes")


class UnknownPeer(SealBroken):
    """An own device gave a key for a conversation with somebody who is not proven here yet."""


class KeyArrived(msgspec.Struct, frozen=True):
    """A session whose messages can be opened from now on."""

    conversation: ConversationId
    device: DeviceId
    session: SessionId


class OpenedEnvelope(msgspec.Struct, frozen=True):
    """read: conversations in which an own device has read; marks: whom the person has verified there;
    receipts: what the sender has; wanted: what it asks for; repair: what it gives; not_mine: what it has not
    sealed for this device."""

    save: tuple[Record, ...]
    arrived: tuple[KeyArrived, ...] = ()
    read: tuple[ConversationId, ...] = ()
    marks: TrustMarks | None = None
    receipts: Receipts | None = None
    wanted: RepairRequest | None = None
    repair: Repair | None = None
    not_mine: NotForYou | None = None


class Envelopes:
    """Opens one envelope at a time. Raises SealBroken, of it UnknownPeer where it may open later; the session
    that could not open it stays as it was."""

    def __init__(
        self, reads: Reads, keyring: Keyring, profile: Profile, people: People, everyone: ConversationId
    ) -> None:
        self._reads = reads
        self._keyring = keyring
        self._profile = profile
        self._people = people
        self._everyone = everyone
        self._fresh_keys = FreshKeys(reads, keyring)
        self._failures: dict[DeviceId, list[int]] = {}

    def known(self, entry: MailboxEntry) -> bool:
        """Whether this envelope was opened before: asked before opening (rule 10)."""
        return self._reads.envelope_seen(DeviceId(entry.device), EnvelopeId(entry.envelope))

    def failing_too_often(self, device: DeviceId, now_ms: int) -> bool:
        """After 20 failures in an hour further envelopes of that device are kept unopened for the hour."""
        recent = [at for at in self._failures.get(device, ()) if now_ms - at < limits.HOUR_MS]
        self._failures[device] = recent
        return len(recent) >= limits.OLM_FAILURES_PER_HOUR

    def failed(self, device: DeviceId, now_ms: int) -> tuple[Record, ...]:
        """Count it. What is sealed for that device goes to its signed prekey again (rule 12)."""
        self._failures.setdefault(device, []).append(now_ms)
        return (DropPeerFreshKey(device),)

    def open(self, entry: MailboxEntry, sender: PeerDevice, now_ms: int) -> OpenedEnvelope:
        """Open an envelope of a proven device."""
        envelope = EnvelopeId(entry.envelope)
        kind, message = open_envelope_outer(
            entry.sealed,
            sender.account,
            sender.device,
            self._profile.account,
            self._profile.device,
            envelope,
            lambda id: self._fresh_keys.private_for(sender.device, id),
        )
        session, plaintext, created = self._open_olm(sender, kind, message)
        opened = open_plaintext(
            plaintext,
            Party(sender.account, sender.device, sender.ed25519),
            Party(self._profile.account, self._profile.device, self._keyring.device.ed25519),
            envelope,
        )
        self._keyring.hold_olm(session)
        rows = self._reads.olm_sessions(sender.device)
        at_ms = received_ms(rows, now_ms)
        former = any(row.former for row in rows if row.session == session.id)
        save: list[Record] = [
            self._keyring.olm_record(session, sender.account, sender.device, at_ms, former=former),
            SeenEnvelope(sender.device, envelope),
            *self._fresh_keys.opened(
                sender.device, peek_prekey_id(entry.sealed), opened.fresh_key, now_ms, begun=created
            ),
        ]
        if created:
            save.append(self._keyring.device_record())
            save.extend(too_many(rows, self._keyring))
        took = self._take(opened, sender)
        return msgspec.structs.replace(took, save=(*save, *took.save))

    def _open_olm(self, sender: PeerDevice, kind: int, message: bytes) -> tuple[OlmSession, bytes, bool]:
        """The session, the plaintext, and whether the session is new."""
        rows = self._reads.olm_sessions(sender.device)
        if kind == PRE_KEY:
            for row in rows:
                session = self._keyring.olm(row)
                if session.matches(kind, message):
                    return session, session.open(kind, message), False
            if self._reads.olm_known(first_session_id(message)):
                raise SealBroken("a first message seen before")
            session, plaintext = self._keyring.device.open_first(sender.curve25519, message)
            return session, plaintext, True
        for row in rows:
            session = self._keyring.olm(row)
            try:
                return session, session.open(kind, message), False
            except SealBroken:
                continue
        raise SealBroken("no session opens this")

    def _take(self, opened: OlmPlaintext, sender: PeerDevice) -> OpenedEnvelope:
        """Raises SealBroken, and RemoteError for content that is none."""
        match opened.kind:
            case PlainKind.KEY_SHARE:
                return self._take_keys((KeyShare.unpack(opened.content),), sender)
            case PlainKind.KEY_SHARES:
                return self._take_keys(KeyShares.unpack(opened.content).shares, sender)
            case PlainKind.RECEIPT:
                return OpenedEnvelope((), receipts=Receipts.unpack(opened.content))
            case PlainKind.REPAIR_REQUEST:
                return OpenedEnvelope((), wanted=RepairRequest.unpack(opened.content))
            case PlainKind.REPAIR:
                return OpenedEnvelope((), repair=Repair.unpack(opened.content))
            case PlainKind.NOT_FOR_YOU:
                return OpenedEnvelope((), not_mine=NotForYou.unpack(opened.content))
            case PlainKind.READ_MARKS:
                if sender.account != self._profile.account:
                    raise SealBroken("read marks of somebody else's device")
                save, read = taken(ReadMarks.unpack(opened.content), self._reads)
                return OpenedEnvelope(save, read=read)
            case PlainKind.TRUST_MARKS:
                if sender.account != self._people.me:
                    raise SealBroken("trust marks of somebody else's device")
                return OpenedEnvelope((), marks=TrustMarks.unpack(opened.content))
            case _:
                log.warning("an envelope of a kind that needs a newer version")
                return OpenedEnvelope(())

    def _take_keys(self, shares: tuple[KeyShare, ...], sender: PeerDevice) -> OpenedEnvelope:
        """Keep session keys, all of them or none."""
        taken = [self._take_key(share, sender) for share in shares]
        save = tuple(record for records, _ in taken for record in records)
        return OpenedEnvelope(save, arrived=tuple(key for _, key in taken if key is not None))

    def _take_key(self, share: KeyShare, sender: PeerDevice) -> tuple[tuple[Record, ...], KeyArrived | None]:
        """Keep a session key, unless one stands already: a session is never replaced (rule 13)."""
        conversation = ConversationId(share.conversation)
        session_id = SessionId(share.session)
        row = self.conversation(conversation, sender.account)
        if share.membership_hash != membership_hash(conversation):
            raise SealBroken("a key for another membership")
        if self._reads.group_in(conversation, sender.account, sender.device, session_id) is not None:
            return (), None
        live = accept_share(share)
        kept = GroupInRow(
            conversation=conversation,
            account=sender.account,
            device=sender.device,
            session=session_id,
            pickle=self._keyring.group_in_pickle(conversation, sender.device, live),
            first_index=share.index,
            predecessor=share.predecessor,
            last_n=share.last_n,
            last_hash=share.last_hash,
        )
        save = (kept,) if self._reads.conversation(conversation) else (row, kept)
        return save, KeyArrived(conversation, sender.device, session_id)

    def conversation(self, conversation: ConversationId, sender: AccountId) -> ConversationRow:
        """The row of a conversation that this sender can be in with me."""
        known = self._reads.conversation(conversation)
        if conversation == self._everyone:
            return known or ConversationRow(conversation, ConversationKind.EVERYONE, b"")
        if known is not None and known.kind is ConversationKind.DIRECT:
            if sender in (known.peer, self._profile.account):
                return known
        elif conversation == direct_id(self._profile.account, sender):
            return ConversationRow(conversation, ConversationKind.DIRECT, sender)
        elif sender == self._profile.account:
            for row in self._people.rows.values():
                if direct_id(sender, row.account) == conversation:
                    return ConversationRow(conversation, ConversationKind.DIRECT, row.account)
            raise UnknownPeer("a key for a conversation with somebody unknown")
        raise SealBroken("a key for a conversation that the sender is not in")
