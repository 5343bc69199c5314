"""Changing one's own account: the successor of its newest proven manifest, signed and given to the server.

Who loses a race signs again: the server's stale-manifest counts as lost once the newer manifest is proven
here, and whoever asked brings the private keys once more. What was signed is on disk until it is answered, so
an answer that was lost is asked for again with every connection; a repeat changes nothing. docs/protocol.md,
Manifests; encryption rules 1 and 2.
"""

from __future__ import annotations

import hashlib
from typing import assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken, Unavailable
from coterie.base.ids import DeviceId
from coterie.base.quiet import Quiet
from coterie.client.changes import (
    AddApproved,
    Change,
    LoseDevice,
    NewVault,
    RenameDevice,
    RevokeDevice,
    UnmarkDevice,
)
from coterie.client.commands import ChangeAccount
from coterie.client.core.keyring import Keyring
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import ManifestGiven, Requests
from coterie.client.events import AccountChangeAnswered
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import DropGroupOut, DropSetting, PutSetting, Record, Setting
from coterie.ledger.checks import check_successor
from coterie.ledger.devices import Devices
from coterie.ledger.manifest import DeviceEntry, Manifest, SignedManifest, sign_manifest
from coterie.wire.frames import PublishManifest


class Pending(Quiet, frozen=True, array_like=True):
    """A change that was signed and is not answered yet. change: as in ChangeAccount; manifest, vault: as in
    PublishManifest."""

    change: bytes
    manifest: bytes
    vault: bytes

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_pendings = msgspec.msgpack.Decoder(Pending)


class _Awaited(msgspec.Struct, frozen=True):
    """An answer that counts once the own manifest `seq` is proven here. code: None, it is that change."""

    change: bytes
    seq: int
    code: Code | None


class OwnAccount:
    """One change at a time: a second one takes the place of one that is not answered."""

    def __init__(self, reads: Reads, people: People, keyring: Keyring, requests: Requests) -> None:
        self._reads = reads
        self._people = people
        self._keyring = keyring
        self._requests = requests
        self._awaited: _Awaited | None = None

    def change(self, command: ChangeAccount, now_ms: int) -> Outcome:
        """Sign and give. The private keys are used here and nowhere kept.

        Raises Refused(unknown-device, too-many-devices, bad-manifest) where this may not be.
        """
        row = self._people.rows.get(self._people.me)
        if row is None:
            raise Unavailable(Code.UNPROVEN, "the own manifest has not come yet")
        before = SignedManifest.unpack(row.manifest)
        after = successor(before, command.changes, now_ms)
        save = self._at_once(command.changes, before.manifest)
        if after is None:
            return Outcome(save=save, show=(AccountChangeAnswered(command.change, None),))
        signed = sign_manifest(after, command.identity, self._people.device, self._keyring.device)
        _check(before, signed)
        pending = Pending(command.change, signed.pack(), _vault(command.changes))
        self._awaited = None
        return Outcome(
            save=(*save, PutSetting(Setting.PENDING_MANIFEST, pending.pack())),
            send=(self._frame(pending, now_ms),),
        )

    def connected(self, now_ms: int) -> Outcome:
        """Ask for an answer that was lost."""
        pending = self._pending()
        return NOTHING if pending is None else Outcome(send=(self._frame(pending, now_ms),))

    def accepted(self, purpose: ManifestGiven) -> Outcome:
        """It is in the ledger; who asked hears of it when it is proven here too."""
        return self._answered(purpose.change, purpose.seq, None)

    def refused(self, purpose: ManifestGiven, code: Code, retry_after_ms: int) -> Outcome:
        """stale-manifest: another device was quicker, and has signed the same number."""
        if code is Code.STALE_MANIFEST:
            return self._answered(purpose.change, purpose.seq, code)
        told = AccountChangeAnswered(purpose.change, code, retry_after_ms)
        return Outcome(save=(DropSetting(Setting.PENDING_MANIFEST),), show=(told,))

    def moved(self) -> Outcome:
        """Accounts were proven: perhaps the own one, as far as an answer waits for."""
        awaited, row = self._awaited, self._people.rows.get(self._people.me)
        if awaited is None or row is None or row.seq < awaited.seq:
            return NOTHING
        self._awaited = None
        return Outcome(show=(AccountChangeAnswered(awaited.change, awaited.code),))

    def _answered(self, change: bytes, seq: int, code: Code | None) -> Outcome:
        self._awaited = _Awaited(change, seq, code)
        dropped = (DropSetting(Setting.PENDING_MANIFEST),)
        return msgspec.structs.replace(self.moved(), save=dropped)

    def _pending(self) -> Pending | None:
        packed = self._reads.setting(Setting.PENDING_MANIFEST)
        return _pendings.decode(packed) if packed else None

    def _frame(self, pending: Pending, now_ms: int) -> PublishManifest:
        seq = SignedManifest.unpack(pending.manifest).manifest.seq
        request = self._requests.new(ManifestGiven(pending.change, seq), now_ms)
        return PublishManifest(request, pending.manifest, pending.vault)

    def _at_once(self, changes: tuple[Change, ...], newest: Manifest) -> tuple[Record, ...]:
        """What a lost device means here, from the person's word on (encryption rule 8)."""
        if not any(isinstance(each, LoseDevice) for each in changes):
            return ()
        return (DropGroupOut(b""), PutSetting(Setting.EXPOSED_VAULT, newest.vault_hash))


def _check(before: SignedManifest, signed: SignedManifest) -> None:
    """What everybody will check; here it is a person who asked for too much."""
    try:
        check_successor(before, signed)
    except SealBroken as broken:
        raise Refused(broken.code, broken.note) from None


def successor(before: SignedManifest, changes: tuple[Change, ...], now_ms: int) -> Manifest | None:
    """The manifest after `before` in which all changes hold; None where they do already.

    Raises Refused(unknown-device) for a device that is not the account's, or is revoked and should be more.
    """
    manifest = before.manifest
    devices, vault_hash = manifest.devices, manifest.vault_hash
    for change in changes:
        match change:
            case NewVault():
                vault_hash = hashlib.sha256(change.vault).digest()
            case AddApproved():
                devices = _approved(devices, change)
            case RenameDevice() | RevokeDevice() | LoseDevice() | UnmarkDevice():
                devices = _with(devices, change, now_ms)
            case _:
                assert_never(change)
    if (devices, vault_hash) == (manifest.devices, manifest.vault_hash):
        return None
    return msgspec.structs.replace(
        manifest,
        seq=manifest.seq + 1,
        previous=before.hash,
        devices=devices,
        vault_hash=vault_hash,
        time_ms=max(now_ms, manifest.time_ms),
    )


def _with(
    devices: Devices, change: RenameDevice | RevokeDevice | LoseDevice | UnmarkDevice, now_ms: int
) -> Devices:
    """The list with one entry changed."""
    place = _place(devices, change.device)
    entry = devices[place]
    match change:
        case RevokeDevice() | LoseDevice():
            changed = entry.revoked(now_ms) if entry.live else entry
        case RenameDevice(name=name):
            changed = msgspec.structs.replace(entry, name=name)
        case UnmarkDevice():
            changed = msgspec.structs.replace(entry, marked=False)
        case _:
            assert_never(change)
    if not entry.live and changed != entry:
        raise Refused(Code.UNKNOWN_DEVICE, "a revoked device stays as it is")
    return (*devices[:place], changed, *devices[place + 1 :])


def _approved(devices: Devices, change: AddApproved) -> Devices:
    """The list with one entry more, if it is not there."""
    approver = devices[_place(devices, change.by)]
    entry = DeviceEntry(
        id=change.device,
        name=change.name,
        curve25519=change.curve25519,
        ed25519=change.ed25519,
        created_ms=change.created_ms,
        revoked_ms=0,
        approved_by=change.by,
        marked=approver.marked,
    )
    known = next((each for each in devices if each.id == change.device), None)
    if known is None:
        return (*devices, entry)
    if known != entry:
        raise Refused(Code.BAD_MANIFEST, "another device of this id is there already")
    return devices


def _place(devices: Devices, device: DeviceId) -> int:
    for place, entry in enumerate(devices):
        if entry.id == device:
            return place
    raise Refused(Code.UNKNOWN_DEVICE, "no device of this account")


def _vault(changes: tuple[Change, ...]) -> bytes:
    """b"" where the vault stays."""
    return next((each.vault for each in reversed(changes) if isinstance(each, NewVault)), b"")
