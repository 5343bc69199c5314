"""People made by hand: they seal with the functions of e2ee and sign with those of ledger, as they please."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from coterie.base.conversations import everyone_id, membership_hash
from coterie.base.ids import (
    NO_HASH,
    ConversationId,
    DeviceId,
    EnvelopeId,
    MessageId,
    SessionId,
    UserName,
)
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.content.body import Body, Text, pack
from coterie.content.padding import padded_size
from coterie.e2ee.group import InnerMessage, KeyShare, Parent, SealedMessage, count_began, seal_message
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import Party, PlainKind, seal_envelope
from coterie.e2ee.vodo import DeviceKeys, GroupOut, OlmSession
from coterie.ledger.manifest import (
    FIRST,
    DeviceEntry,
    Manifest,
    Prekey,
    PrekeyKind,
    SignedManifest,
    sign_manifest,
    sign_prekey,
)
from coterie.ledger.statements import ledger_id
from coterie.wire.frames.accounts import ClaimedKeys

NOW_MS = 1_800_000_000_000
LIFE = b"L" * 16
SERVER_KEYS = IdentityKeys.generate()
SERVER = account_id(SERVER_KEYS.public)
LEDGER = ledger_id(SERVER, bytes(16))
EVERYONE = everyone_id(LEDGER)
LEDGER_KEYS = LedgerKeys.generate()
X_WING_ID = 7


class Peer:
    """An account with one device, whose every step a test takes itself."""

    def __init__(self, identity: IdentityKeys, name: str) -> None:
        self.identity = identity
        self.name = UserName(name)
        self.account = account_id(identity.public)
        self.device = DeviceId(secrets.token_bytes(16))
        self.keys = DeviceKeys.create()
        self.x_wing = XWingKey.generate()
        self.signed = self.sign(self.entry())
        self._prekeys = 0

    @property
    def party(self) -> Party:
        return Party(self.account, self.device, self.keys.ed25519)

    def entry(self) -> DeviceEntry:
        return DeviceEntry(
            self.device, "desk", self.keys.curve25519, self.keys.ed25519, NOW_MS, 0, FIRST, False
        )

    def sign(self, *devices: DeviceEntry, after: SignedManifest | None = None) -> SignedManifest:
        """A manifest with these devices: number 1, or the successor of another."""
        manifest = Manifest(
            account=self.account,
            name=self.name,
            seq=after.manifest.seq + 1 if after else 1,
            previous=after.hash if after else NO_HASH,
            devices=devices,
            vault_hash=bytes(32),
            time_ms=NOW_MS,
            identity=self.identity.public.pack(),
        )
        return sign_manifest(manifest, self.identity, self.device, self.keys)

    def prekey(self, kind: PrekeyKind, key: bytes, id: int = 0) -> bytes:
        """A packed prekey, signed by this device."""
        self._prekeys += 1
        prekey = Prekey(kind, id or 100 + self._prekeys, NOW_MS, self.account, self.device, key)
        return sign_prekey(prekey, self.keys).pack()

    def claimed(self) -> ClaimedKeys:
        """What the server hands out for this device."""
        (one_time,) = self.keys.new_one_time_keys(1)
        return ClaimedKeys(
            self.device,
            self.prekey(PrekeyKind.ONE_TIME, one_time),
            b"",
            self.prekey(PrekeyKind.X_WING, self.x_wing.public, X_WING_ID),
        )

    def share_of(self, out: GroupOut, conversation: ConversationId) -> KeyShare:
        """What an honest sender says of a session as it is now."""
        return KeyShare(
            conversation=conversation,
            membership_hash=membership_hash(conversation),
            session=out.id,
            session_key=out.session_key(),
            index=out.index,
            predecessor=b"",
            last_n=0,
            last_hash=b"",
        )

    def envelope(
        self,
        olm: OlmSession,
        recipient: Peer,
        content: bytes,
        envelope: EnvelopeId | None = None,
        kind: PlainKind = PlainKind.KEY_SHARE,
    ) -> Posted:
        """A key share for one device, or something else."""
        id = envelope or EnvelopeId(secrets.token_bytes(16))
        sealed = seal_envelope(
            olm,
            self.party,
            recipient.party,
            id,
            kind,
            content,
            X_WING_ID,
            recipient.x_wing.public,
        )
        return Posted(self, id, sealed)

    def message(
        self,
        out: GroupOut,
        conversation: ConversationId,
        text: str,
        *,
        n: int = 1,
        message: MessageId | None = None,
        parents: tuple[Parent, ...] = (),
        head: bytes = b"",
        body: Body | None = None,
    ) -> Said:
        """A message, sealed as an honest sender seals it. Of parents, this device's is the one before."""
        begins = n == count_began(n) + 1
        before = next((each.hash for each in parents if each.device == self.device), bytes(32))
        inner = InnerMessage(
            conversation=conversation,
            account=self.account,
            device=self.device,
            membership_hash=membership_hash(conversation),
            message=message or MessageId(secrets.token_bytes(16)),
            n=n,
            previous=b"" if begins else before,
            parents=tuple(each for each in parents if begins or each.device != self.device),
            left_out=(),
            time_ms=NOW_MS,
            head=head,
            body=pack(body or Text(text)),
        )
        return Said(self, conversation, out.id, inner.message, seal_message(out, inner, padded_size))


@dataclass(frozen=True)
class Posted:
    """An envelope on its way. sender: as the server says."""

    sender: Peer
    envelope: EnvelopeId
    sealed: bytes


@dataclass(frozen=True)
class Said:
    """A message on its way. sender, session and message: as the server says."""

    sender: Peer
    conversation: ConversationId
    session: SessionId
    message: MessageId
    sealed: SealedMessage
