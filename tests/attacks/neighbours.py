"""People with several devices each, who can open what is sealed for them, and a server that hands out what it
likes of them. What really is of them stands in `genuine`, whatever anybody is told."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, EnvelopeId
from coterie.base.signing import IdentityKeys
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import OlmPlaintext, Party, open_envelope_outer, open_plaintext
from coterie.e2ee.vodo import DeviceKeys, OlmSession
from coterie.ledger.deletion import SignedDeletion, sign_deletion
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import (
    RECOVERY,
    DeviceEntry,
    Manifest,
    Prekey,
    PrekeyKind,
    SignedManifest,
    sign_manifest,
    sign_prekey,
)
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Claim,
    Claimed,
    ClientFrame,
    FetchAccounts,
    Refusal,
    Send,
    ServerFrame,
)
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from coterie.wire.frames.accounts import DeviceKeys as StandingKeys
from coterie.wire.frames.messages import EnvelopeItem
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.lying import grown, somebody
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Ledger, Server

PRE_KEY = 0


@dataclass
class Installed:
    """One device, and everything it takes to open what is sealed for it."""

    id: DeviceId
    keys: DeviceKeys
    x_wings: dict[int, XWingKey]
    sessions: list[OlmSession] = field(default_factory=list)

    def prekey(self, owner: AccountId, kind: PrekeyKind, id: int, key: bytes, at_ms: int) -> bytes:
        return sign_prekey(Prekey(kind, id, at_ms, owner, self.id, key), self.keys).pack()


class Neighbour(Peer):
    """The first device is the one that Peer has, and is never removed: it signs."""

    def __init__(self, name: str, before: Neighbour | None = None) -> None:
        """before: whose name this one begins anew."""
        super().__init__(IdentityKeys.generate(), name)
        self.before = before
        self.heir: Neighbour | None = None
        """Who begins this one's name anew."""
        self.deletion = b""
        """As its owner signed it; b"" while there is none."""
        if before is not None:
            before.heir = self
            self.signed = self._by_first(follows(self.signed.manifest, before.signed))
        self.devices = [Installed(self.device, self.keys, {1: self.x_wing})]
        self.first_seq = self.signed.manifest.seq
        self.genuine = {self.signed.hash: self.signed}
        self.entries: list[DeviceEntry] = list(self.signed.manifest.devices)
        self.said = 0
        self.false: SignedManifest | None = None
        """The ledger has a false leaf of this name: nothing true can follow it."""
        self.ruined = False
        """It has one of an end that nobody signed."""
        self.void = False
        """The one before has said no."""

    @property
    def is_over(self) -> bool:
        """Nothing true follows the newest leaf of this account, unless it cancels a reset."""
        return bool(self.false or self.ruined or self.deletion or self.heir or self.void)

    def changes(self, entries: list[DeviceEntry], by: Installed | None = None) -> SignedManifest:
        """by: the device that co-signs, the first one where none is named."""
        manifest = self.sign(*entries, after=self.signed).manifest
        signer = by or self.devices[0]
        self.entries = entries
        return self._is_now(sign_manifest(manifest, self.identity, signer.id, signer.keys))

    def add_device(self, *, by_recovery: bool = False, by: int = 0) -> SignedManifest:
        """by: index among the live devices of the one that approves it, and whose mark it carries on."""
        device = Installed(DeviceId(secrets.token_bytes(16)), DeviceKeys.create(), {1: XWingKey.generate()})
        live = [each for each in self.devices if self.entry_now(each).live]
        approver = self.devices[0] if by_recovery else live[by]
        self.devices.append(device)
        marked = by_recovery or self.entry_now(approver).marked
        new = entry_of(device, RECOVERY if by_recovery else approver.id, marked=marked)
        return self.changes([*self.entries, new], approver)

    def entry_now(self, device: Installed) -> DeviceEntry:
        return next(each for each in self.entries if each.id == device.id)

    def says_no(self) -> SignedManifest:
        """This one still has everything: the manifest that cancels the newest reset of its name."""
        assert self.heir is not None
        self.heir.void, self.heir = True, None
        manifest = self.sign(*self.entries, after=self.signed).manifest
        return self._is_now(self._by_first(msgspec.structs.replace(manifest, seq=manifest.seq + 1)))

    def deletes_itself(self) -> SignedDeletion:
        signed = sign_deletion(self.signed, self.identity, self.device, self.keys, NOW_MS)
        self.deletion = signed.pack()
        return signed

    def _by_first(self, manifest: Manifest) -> SignedManifest:
        return sign_manifest(manifest, self.identity, self.device, self.keys)

    def _is_now(self, signed: SignedManifest) -> SignedManifest:
        self.signed = signed
        self.genuine[signed.hash] = signed
        return signed

    def remove_device(self) -> SignedManifest:
        """The newest that is live."""
        at = max(number for number, entry in enumerate(self.entries) if entry.live)
        return self.changes(
            [each.revoked(NOW_MS) if number == at else each for number, each in enumerate(self.entries)]
        )

    def opens(self, item: EnvelopeItem, sender: Party) -> OlmPlaintext:
        """Whoever has this device's own keys can read it: so it was sealed to them."""
        (device,) = (each for each in self.devices if each.id == item.device)

        def private_of(id: int) -> bytes | None:
            key = device.x_wings.get(id)
            return key.private if key else None

        kind, message = open_envelope_outer(
            item.sealed,
            sender.account,
            sender.device,
            self.account,
            device.id,
            EnvelopeId(item.envelope),
            private_of,
        )
        plaintext = self._olm(device, kind, message, sender)
        me = Party(self.account, device.id, device.keys.ed25519)
        return open_plaintext(plaintext, sender, me, EnvelopeId(item.envelope))

    def _olm(self, device: Installed, kind: int, message: bytes, sender: Party) -> bytes:
        for session in device.sessions:
            if kind != PRE_KEY or session.matches(kind, message):
                with suppress(SealBroken):
                    return session.open(kind, message)
        session, plaintext = device.keys.open_first(self.curve_of(sender), message)
        device.sessions.insert(0, session)
        return plaintext

    def curve_of(self, sender: Party) -> bytes:
        """The victim's Curve25519 key, by its Ed25519 one."""
        return self.known_curves[sender.ed25519]

    known_curves: dict[bytes, bytes] = {}  # noqa: RUF012 - one victim for all


def entry_of(device: Installed, approved_by: bytes, *, marked: bool = False) -> DeviceEntry:
    return DeviceEntry(
        device.id, "more", device.keys.curve25519, device.keys.ed25519, NOW_MS, 0, approved_by, marked
    )


def follows(manifest: Manifest, before: SignedManifest) -> Manifest:
    """As the first one of another identity, which begins the name of `before` anew."""
    return msgspec.structs.replace(manifest, seq=before.manifest.seq + 1, previous=before.hash)


class Lie(StrEnum):
    GHOST = "a ghost in a manifest that nobody signed"
    OLD_MANIFEST = "the first manifest instead of the newest"
    FALSE_KEYS = "prekeys that another device signed"
    OLD_KEYS = "prekeys of a year ago"
    STALE_VIEW = "a ghost that lacks the key"
    NOTHING = "nothing, whatever is asked"
    FROZEN = "no leaf after those that there are"
    FORKED = "another ledger from here on"
    RUINED = "a leaf of a manifest that nobody signed"
    ENDED = "a leaf of an end that nobody signed"


GHOST = Installed(DeviceId(b"g" * 16), DeviceKeys.create(), {1: XWingKey.generate()})


@dataclass
class Town(Server):
    """ledger: what is shown. true: what everybody else sees."""

    true: Ledger = field(default_factory=Ledger)
    lies: set[Lie] = field(default_factory=set)
    now_ms: int = NOW_MS

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if Lie.NOTHING in self.lies and isinstance(frame, FetchAccounts | Claim):
            return (
                Accounts(frame.request, ())
                if isinstance(frame, FetchAccounts)
                else Claimed(frame.request, ())
            )
        if isinstance(frame, Claim):
            wanted = [(self.peers.get(AccountId(ref.account)), ref.device) for ref in frame.devices]
            return Claimed(
                frame.request,
                tuple(self.keys_of(peer, device) for peer, device in wanted if isinstance(peer, Neighbour)),
            )
        return super().answer(frame)

    def record(self, peer: Peer) -> AccountRecord:
        if not isinstance(peer, Neighbour):
            return super().record(peer)
        if peer.deletion and Lie.OLD_MANIFEST not in self.lies:
            return AccountRecord(peer.account, (), (), peer.deletion)
        manifests = [each for each in peer.genuine.values() if not self._is_hidden(peer, each)]
        keys = [self._standing(peer, device) for device in peer.devices]
        if Lie.GHOST in self.lies:
            manifests[-1] = with_ghost(peer, instead=True)
        if peer.false is not None:
            manifests.append(peer.false)
        keys.append(self._standing(peer, GHOST))
        return AccountRecord(peer.account, tuple(each.pack() for each in manifests), tuple(keys))

    def keys_of(self, peer: Neighbour, device: bytes) -> ClaimedKeys:
        found = next((each for each in (*peer.devices, GHOST) if each.id == device), GHOST)
        signer = GHOST if Lie.FALSE_KEYS in self.lies else found
        (key,) = signer.keys.new_one_time_keys(1)
        one_time = Prekey(PrekeyKind.ONE_TIME, 900, self.now_ms, peer.account, found.id, key)
        return ClaimedKeys(
            found.id, sign_prekey(one_time, signer.keys).pack(), b"", self._standing(peer, found).x_wing
        )

    def sent(self, frame: Send) -> ServerFrame:
        if Lie.STALE_VIEW in self.lies and secrets.randbelow(2):
            refs = tuple(DeviceRef(account, GHOST.id) for account in self.peers)
            return Refusal(frame.request, Code.STALE_VIEW.value, 0, refs, self.ledger.view.size)
        return Accepted(frame.request, 1)

    def _is_hidden(self, peer: Neighbour, signed: SignedManifest) -> bool:
        return Lie.OLD_MANIFEST in self.lies and signed.manifest.seq > peer.first_seq

    def _standing(self, peer: Neighbour, device: Installed) -> StandingKeys:
        id, key = max(device.x_wings.items(), key=lambda each: each[0])
        at_ms = self.now_ms - 365 * limits.DAY_MS if Lie.OLD_KEYS in self.lies else self.now_ms
        if Lie.FALSE_KEYS in self.lies:
            false = Prekey(PrekeyKind.X_WING, id + 1, at_ms, peer.account, device.id, GHOST.x_wings[1].public)
            return StandingKeys(device.id, b"", sign_prekey(false, GHOST.keys).pack())
        prekey = Prekey(PrekeyKind.X_WING, id, at_ms, peer.account, device.id, key.public)
        return StandingKeys(device.id, b"", sign_prekey(prekey, device.keys).pack())

    def begin(self, lie: Lie) -> None:
        self.lies.add(lie)
        if lie is Lie.FROZEN:
            self.ledger = grown(self.true)
        elif lie is Lie.FORKED:
            self.ledger = grown(self.true, somebody(7))

    def repent(self) -> None:
        self.lies.clear()
        self.ledger = self.true

    def put(self, kind: LeafKind, of: Neighbour, seq: int, hash: bytes) -> None:
        """The next leaf of somebody's name."""
        index, _ = self.true.view.newest_of_name(name_hash(of.name)) or (NO_LEAF, None)
        self.true.put(Leaf(kind, name_hash(of.name), of.account, seq, hash, index))

    def reset(self, peer: Neighbour) -> Neighbour:
        """The operator lets somebody begin a name anew: the person, or whoever asked for it."""
        heir = Neighbour(peer.name, peer)
        self.peers[heir.account] = heir
        self.put(LeafKind.RESET, heir, heir.first_seq, heir.signed.hash)
        return heir

    def may_say_no(self, peer: Neighbour) -> bool:
        """Whether the newest leaf of a name is the reset that its identity cancels by saying no."""
        _, newest = self.true.view.newest_of_name(name_hash(peer.name)) or (0, None)
        return peer.heir is not None and newest is not None and newest.seq == peer.heir.first_seq

    def delete(self, peer: Neighbour) -> None:
        signed = peer.deletes_itself()
        self.put(LeafKind.TOMBSTONE, peer, signed.deletion.seq, signed.hash)

    def end(self, peer: Neighbour) -> None:
        """A tombstone of a deletion that its owner has not signed."""
        peer.ruined = True
        self.put(LeafKind.TOMBSTONE, peer, peer.signed.manifest.seq + 1, secrets.token_bytes(32))

    def ruin(self, peer: Neighbour) -> None:
        """A leaf with a ghost, which neither the identity nor a device has signed."""
        peer.false = with_ghost(peer)
        self.true.add(peer.false)


def with_ghost(peer: Neighbour, *, instead: bool = False) -> SignedManifest:
    """The next manifest (or another of the newest's number) with a ghost in it and signatures of others."""
    ghost = entry_of(GHOST, peer.device)
    following = peer.sign(*peer.entries, ghost, after=peer.signed)
    if instead:
        forged = msgspec.structs.replace(peer.signed.manifest, devices=(*peer.entries, ghost))
        following = msgspec.structs.replace(following, payload=forged.pack())
    return msgspec.structs.replace(following, identity_signature=peer.signed.identity_signature)
