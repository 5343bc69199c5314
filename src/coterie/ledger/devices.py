"""What must hold in a manifest's list of devices, alone and against the one before (encryption rule 2).

All raise SealBroken. The list is in order of addition and only grows; a device approves by co-signing; a
revoked entry keeps its id and Ed25519 key and never changes again; the mark of a device that came in by
recovery passes to every device that it approves, and ends only by a co-signature of an unmarked one.
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.curves import curve25519_is_low_order, ed25519_is_low_order
from coterie.base.errors import SealBroken
from coterie.base.ids import DeviceId
from coterie.ledger.manifest import FIRST, KEY_BYTES, RECOVERY, DeviceEntry

Devices = tuple[DeviceEntry, ...]


def bad_manifest(note: str) -> SealBroken:
    """A manifest that contradicts itself or its predecessor."""
    return SealBroken(note, Code.BAD_MANIFEST)


def check_devices(devices: Devices) -> None:
    """What must hold in any list, whatever came before it."""
    seen: set[bytes] = set()
    for entry in devices:
        _check_entry(entry, seen)
        seen.add(entry.id)
    for keys in (
        [entry.ed25519 for entry in devices],
        [entry.curve25519 for entry in devices if entry.live],
    ):
        if len(set(keys)) != len(keys):
            raise bad_manifest("two devices with one key")
    if sum(entry.approved_by == FIRST for entry in devices) != 1:
        raise bad_manifest("not exactly one first device")
    if sum(entry.live for entry in devices) > limits.DEVICES_PER_ACCOUNT:
        raise SealBroken("too many live devices", Code.TOO_MANY_DEVICES)


def check_grown(before: Devices, after: Devices, signer: DeviceId) -> None:
    """The list of a successor, co-signed by `signer`, against its predecessor's."""
    cosigner = next((entry for entry in before if entry.id == signer), None)
    unmarked = cosigner is not None and not cosigner.marked
    if len(after) < len(before):
        raise bad_manifest("a device vanished")
    for entry, later in zip(before, after, strict=False):
        _check_kept(entry, later, may_unmark=unmarked)
    added = after[len(before) :]
    if cosigner is None:
        _check_recovered(signer, added)
    elif not cosigner.live:
        raise bad_manifest("co-signed by a revoked device")
    else:
        for entry in added:
            _check_added(entry, cosigner)


def _check_entry(entry: DeviceEntry, before: set[bytes]) -> None:
    """One entry; before: the ids of the entries before it."""
    if entry.id in before:
        raise bad_manifest("a device listed twice")
    if entry.live:
        if len(entry.curve25519) != KEY_BYTES or curve25519_is_low_order(entry.curve25519):
            raise bad_manifest("a live device without a usable Curve25519 key")
        if len(entry.name.encode()) > limits.DEVICE_NAME_BYTES:
            raise bad_manifest("a device name that is too long")
    elif entry.name or entry.curve25519:
        raise bad_manifest("a revoked device that keeps more than its id and Ed25519 key")
    if ed25519_is_low_order(entry.ed25519):
        raise bad_manifest("a device without a usable Ed25519 key")
    if entry.approved_by == FIRST:
        if before or entry.marked:
            raise bad_manifest("a first device that came later, or by recovery")
    elif entry.approved_by != RECOVERY and entry.approved_by not in before:
        raise bad_manifest("a device approved by none before it")


def _check_kept(entry: DeviceEntry, later: DeviceEntry, *, may_unmark: bool) -> None:
    """An entry of the predecessor and what became of it."""
    if later.id != entry.id:
        raise bad_manifest("a device vanished or moved")
    if not entry.live:
        if later != entry:
            raise bad_manifest("a revoked device that changed")
        return
    if (later.ed25519, later.created_ms, later.approved_by) != (
        entry.ed25519,
        entry.created_ms,
        entry.approved_by,
    ):
        raise bad_manifest("a device with another key or origin")
    if later.live and later.curve25519 != entry.curve25519:
        raise bad_manifest("a device with another key")
    if later.marked != entry.marked and not (entry.marked and may_unmark):
        raise bad_manifest("a recovery mark that changed without an unmarked device")


def _check_added(entry: DeviceEntry, cosigner: DeviceEntry) -> None:
    """A new entry where a live device of the predecessor co-signs."""
    if not entry.live:
        raise bad_manifest("a device that was revoked before it came")
    if entry.approved_by == RECOVERY:
        marked = True
    elif entry.approved_by == cosigner.id:
        marked = cosigner.marked
    else:
        raise bad_manifest("a new device approved by another one than the co-signer")
    if entry.marked != marked:
        raise bad_manifest("a new device that does not carry on the recovery mark")


def _check_recovered(cosigner: DeviceId, added: Devices) -> None:
    """Without a device of the predecessor: one new device, approved by recovery, which co-signs."""
    if len(added) != 1 or added[0].id != cosigner or not added[0].live:
        raise bad_manifest("co-signed by no device of the predecessor")
    if added[0].approved_by != RECOVERY or not added[0].marked:
        raise bad_manifest("a new device that no device of the predecessor approved")
