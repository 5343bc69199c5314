"""Changing one's own account: the successor of its newest proven manifest, signed and given to the server.

Who loses a race signs again: the server's stale-manifest counts as lost once the newer manifest is proven
here, and whoever asked brings the private keys once more. What was signed is on disk until it is answered, so
an answer that was lost is asked for again with every connection; a repeat changes nothing. Not where a device
was approved: it has been told that it came to nothing when the connection ended. docs/protocol.md, Manifests;
encryption rules 1 and 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken, Unavailable
from coterie.base.ids import DeviceId
from coterie.base.quiet import Quiet
from coterie.client.changes import (
    AddApproved,
    Change,
    KeepName,
    LoseDevice,
    NewVault,
    RenameDevice,
    RevokeDevice,
    UnmarkDevice,
)
from coterie.client.commands import ChangeAccount, EndAccount, ReplaceIdentity
from coterie.client.core.keyring import Keyring
from coterie.client.core.own_vault import kept_auth_keys
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import DeletionGiven, ManifestGiven, Requests, SuccessionGiven
from coterie.client.core.succeeding import Succeeding
from coterie.client.events import AccountChangeAnswered
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, DropGroupOut, DropSetting, PutSetting, Record, Setting
from coterie.ledger.checks import check_successor
from coterie.ledger.deletion import sign_deletion
from coterie.ledger.devices import Devices
from coterie.ledger.leaves import LeafKind, LedgerView, name_hash
from coterie.ledger.manifest import DeviceEntry, Manifest, SignedManifest, sign_manifest
from coterie.wire.frames import DeleteAccount, PublishManifest


class Pending(Quiet, frozen=True, array_like=True):
    """A change that was signed and is not answered yet. change: as in ChangeAccount; once: it is given on one
    connection only; the others: as in PublishManifest."""

    change: bytes
    manifest: bytes
    vault: bytes
    auth_key: bytes
    recovery_auth_key: bytes
    once: bool = False

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_pendings = msgspec.msgpack.Decoder(Pending)


_DROPPED = (DropSetting(Setting.PENDING_MANIFEST), DropSetting(Setting.PENDING_SUCCESSION))
"""Of what was signed nothing waits any more for an answer."""


class _Awaited(msgspec.Struct, frozen=True):
    """An answer that counts once the own manifest `seq` is proven here. code: None, it is that change."""

    change: bytes
    seq: int
    code: Code | None


class OwnAccount:
    """One change at a time: a second one takes the place of one that is not answered."""

    def __init__(
        self,
        reads: Reads,
        people: People,
        keyring: Keyring,
        requests: Requests,
        view: Callable[[], LedgerView],
    ) -> None:
        """view: the ledger as it is now."""
        self._view = view
        self._reads = reads
        self._people = people
        self._keyring = keyring
        self._requests = requests
        self._awaited: _Awaited | None = None
        self.succeeding = Succeeding(reads, people, keyring, requests, view)

    def replace(self, command: ReplaceIdentity, now_ms: int) -> Outcome:
        """Have the account go on under another identity. Raises Refused(reset-pending) while its name is
        begun anew: that has to be denied first."""
        before = SignedManifest.unpack(self._row().manifest)
        if self._resets_after(before.manifest):
            raise Refused(Code.RESET_PENDING, "the name is being begun anew")
        return self.succeeding.replace(command, before, now_ms)

    def change(self, command: ChangeAccount, now_ms: int) -> Outcome:
        """Sign and give. The private keys are used here and nowhere kept.

        Raises Refused(unknown-device, too-many-devices, bad-manifest) where this may not be, stale-manifest
        where a new vault was made from one that is not the newest.
        """
        before = SignedManifest.unpack(self._row().manifest)
        cancelled = self._resets_after(before.manifest)
        after = successor(before, command.changes, now_ms, cancelled)
        save = self._at_once(command.changes, before.manifest)
        if after is None:
            return Outcome(save=save, show=(AccountChangeAnswered(command.change, None),))
        signed = sign_manifest(after, command.identity, self._people.device, self._keyring.device)
        _check(before, signed, cancelled)
        vault = _vault(command.changes)
        once = any(isinstance(each, AddApproved) for each in command.changes)
        pending = Pending(
            command.change, signed.pack(), vault.vault, vault.auth_key, vault.recovery_auth_key, once
        )
        self._awaited = None
        return Outcome(
            save=(*save, PutSetting(Setting.PENDING_MANIFEST, pending.pack())),
            send=(self._frame(pending, now_ms),),
        )

    def end(self, command: EndAccount, now_ms: int) -> Outcome:
        """Sign the account's end and give it. It is not kept: who hears no answer asks again. It cancels a
        reset of the name."""
        before = SignedManifest.unpack(self._row().manifest)
        device = self._people.device
        cancelled = self._resets_after(before.manifest)
        signed = sign_deletion(
            before, command.identity, device, self._keyring.device, now_ms, cancelled=cancelled
        )
        seq = signed.deletion.seq
        request = self._requests.new(DeletionGiven(command.change, seq), now_ms)
        return Outcome(send=(DeleteAccount(request, signed.pack()),))

    def _resets_after(self, newest: Manifest) -> int:
        """How many resets of the own name stand in the ledger behind the own newest manifest."""
        found = self._view().newest_of_name(name_hash(newest.name))
        return found[1].seq - newest.seq if found and found[1].kind is LeafKind.RESET else 0

    def _row(self) -> AccountRow:
        row = self._people.rows.get(self._people.me)
        if row is None:
            raise Unavailable(Code.UNPROVEN, "the own manifest has not come yet")
        return row

    def connected(self, now_ms: int) -> Outcome:
        """Ask for an answer that was lost. Raises SecurityStop where the account goes on without this
        device."""
        self.succeeding.check()
        pending = self._pending()
        again = self.succeeding.connected(now_ms)
        if pending is not None and pending.once:
            told = AccountChangeAnswered(pending.change, Code.NOT_APPROVED)
            return Outcome(save=(DropSetting(Setting.PENDING_MANIFEST),), send=again.send, show=(told,))
        return again if pending is None else Outcome(send=(self._frame(pending, now_ms), *again.send))

    def accepted(self, purpose: ManifestGiven) -> Outcome:
        """It is in the ledger; who asked hears of it when it is proven here too. The vault that came with it
        is kept: one that the newest manifest does not name is asked for again (own_vault.py)."""
        pending = self._pending()
        answered = self._answered(purpose.change, purpose.seq, None)
        if pending is None or not pending.vault or pending.change != purpose.change:
            return answered
        kept = PutSetting(Setting.VAULT, pending.vault)
        known = self._reads.setting(Setting.AUTH_KEYS)
        keys = kept_auth_keys(known, pending.auth_key, pending.recovery_auth_key)
        return msgspec.structs.replace(answered, save=(*answered.save, kept, keys))

    def refused(
        self, purpose: ManifestGiven | DeletionGiven | SuccessionGiven, code: Code, retry_after_ms: int
    ) -> Outcome:
        """stale-manifest: another device was quicker, and has signed the same number."""
        if code is Code.STALE_MANIFEST:
            return self._answered(purpose.change, purpose.seq, code)
        told = AccountChangeAnswered(purpose.change, code, retry_after_ms)
        return Outcome(save=_DROPPED, show=(told,))

    def moved(self) -> Outcome:
        """Accounts were proven: perhaps the own one, as far as an answer waits for."""
        awaited, row = self._awaited, self._people.rows.get(self._people.me)
        if awaited is None or row is None or row.seq < awaited.seq:
            return NOTHING
        self._awaited = None
        return Outcome(show=(AccountChangeAnswered(awaited.change, awaited.code),))

    def _answered(self, change: bytes, seq: int, code: Code | None) -> Outcome:
        self._awaited = _Awaited(change, seq, code)
        return msgspec.structs.replace(self.moved(), save=_DROPPED)

    def _pending(self) -> Pending | None:
        packed = self._reads.setting(Setting.PENDING_MANIFEST)
        return _pendings.decode(packed) if packed else None

    def _frame(self, pending: Pending, now_ms: int) -> PublishManifest:
        seq = SignedManifest.unpack(pending.manifest).manifest.seq
        request = self._requests.new(ManifestGiven(pending.change, seq), now_ms)
        return PublishManifest(
            request, pending.manifest, pending.vault, pending.auth_key, pending.recovery_auth_key
        )

    def _at_once(self, changes: tuple[Change, ...], newest: Manifest) -> tuple[Record, ...]:
        """What a lost device means here, from the person's word on (encryption rule 8)."""
        if not any(isinstance(each, LoseDevice) for each in changes):
            return ()
        return (DropGroupOut(b""), PutSetting(Setting.EXPOSED_VAULT, newest.vault_hash))


def _check(before: SignedManifest, signed: SignedManifest, cancelled: int) -> None:
    """What everybody will check; here it is a person who asked for too much."""
    try:
        check_successor(before, signed, cancelled=cancelled)
    except SealBroken as broken:
        raise Refused(broken.code, broken.note) from None


def successor(
    before: SignedManifest, changes: tuple[Change, ...], now_ms: int, cancelled: int = 0
) -> Manifest | None:
    """The manifest after `before` in which all changes hold; None where they do already. cancelled: how many
    resets of the name it passes over, and so cancels.

    Raises Refused: unknown-device for a device that is not the account's, or is revoked and should be more;
    stale-manifest for a vault that was made from another than the newest one.
    """
    manifest = before.manifest
    devices, vault_hash, kept = manifest.devices, manifest.vault_hash, False
    for change in changes:
        match change:
            case KeepName():
                kept = True
            case NewVault():
                vault_hash = _replaced(vault_hash, change)
            case AddApproved():
                devices = _approved(devices, change)
            case RenameDevice() | RevokeDevice() | LoseDevice() | UnmarkDevice():
                devices = _with(devices, change, now_ms)
            case _:
                assert_never(change)
    if not kept and (devices, vault_hash) == (manifest.devices, manifest.vault_hash):
        return None
    return msgspec.structs.replace(
        manifest,
        seq=manifest.seq + 1 + cancelled,
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


def _replaced(vault_hash: bytes, change: NewVault) -> bytes:
    new = hashlib.sha256(change.vault).digest()
    if vault_hash not in (change.replaces, new):
        raise Refused(Code.STALE_MANIFEST, "a vault that was made from another than the newest one")
    return new


def _vault(changes: tuple[Change, ...]) -> NewVault:
    """One without content where the vault stays."""
    given = (each for each in reversed(changes) if isinstance(each, NewVault))
    return next(given, NewVault(b"", b""))
