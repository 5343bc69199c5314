"""Reusable prekeys of other devices: which are proven, and how old they may be (encryption rules 3 and 9)."""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import DeviceId
from coterie.client.core.ports import Reads
from coterie.client.store.records import AccountRow, PeerDevice, PeerKeys
from coterie.ledger.checks import check_prekey
from coterie.ledger.manifest import PrekeyKind, SignedPrekey
from coterie.wire.frames.accounts import ClaimedKeys, DeviceKeys


def proven_keys(row: AccountRow, keys: tuple[DeviceKeys, ...], reads: Reads, now_ms: int) -> list[PeerKeys]:
    """The reusable prekeys whose signatures hold; a device whose keys do not is left without."""
    devices = {each.device: each for each in row.devices if each.live}
    proven = []
    for offered in keys:
        device = devices.get(DeviceId(offered.device))
        if device is not None:
            known = reads.peer_keys(device.device)
            proven.append(peer_keys(device, offered.fallback, offered.x_wing, known, now_ms))
    return proven


def peer_keys(
    device: PeerDevice, fallback: bytes, x_wing: bytes, known: PeerKeys | None, now_ms: int
) -> PeerKeys:
    """Check both keys of one device; b"" and 0 stand for one that is missing or wrong.

    An X-Wing key of any age is kept: by its age a device is known to be dormant. One that was made before the
    one known (ids count up) is not taken: else a server could make a device seem dormant.
    """
    fallback_id, fallback_key, _ = _proven(
        device, fallback, PrekeyKind.FALLBACK, limits.FALLBACK_MAX_AGE_MS, now_ms
    )
    x_wing_id, x_wing_key, created_ms = _proven(device, x_wing, PrekeyKind.X_WING, None, now_ms)
    if known is not None and 0 < x_wing_id < known.x_wing_id:
        return msgspec.structs.replace(known, fallback_id=fallback_id, fallback_key=fallback_key)
    return PeerKeys(device.device, fallback_id, fallback_key, x_wing_id, x_wing_key, created_ms)


def first_key(device: PeerDevice, keys: ClaimedKeys, now_ms: int) -> bytes:
    """The claimed key, 32 bytes, that a session is begun with: the one-time key, or the fallback key where
    that one is missing, wrong, or too old (docs/decisions/0035). Raises SealBroken where neither holds."""
    if not (keys.one_time or keys.fallback):
        raise SealBroken("a device without prekeys", Code.NO_PREKEY)
    for packed, kind, max_age_ms in (
        (keys.one_time, PrekeyKind.ONE_TIME, limits.PREKEY_MAX_AGE_MS),
        (keys.fallback, PrekeyKind.FALLBACK, limits.FALLBACK_MAX_AGE_MS),
    ):
        _, key, _ = _proven(device, packed, kind, max_age_ms, now_ms)
        if key:
            return key
    raise SealBroken("no prekey that its device signed and that is young enough", Code.BAD_PREKEY)


def is_dormant(keys: PeerKeys | None, now_ms: int) -> bool:
    """Whether the newest X-Wing key known of a device is so old that it is entitled to nothing (rule 3)."""
    return (
        keys is not None
        and bool(keys.x_wing_key)
        and keys.x_wing_created_ms <= now_ms - limits.DORMANT_AFTER_MS
    )


def _proven(
    device: PeerDevice, packed: bytes, kind: PrekeyKind, max_age_ms: int | None, now_ms: int
) -> tuple[int, bytes, int]:
    """Id, key and time of a prekey, or zeros."""
    if not packed:
        return 0, b"", 0
    try:
        prekey = check_prekey(
            SignedPrekey.unpack(packed),
            device.account,
            device.device,
            device.ed25519,
            now_ms,
            max_age_ms=max_age_ms,
        )
    except (SealBroken, RemoteError):
        return 0, b"", 0
    if prekey.kind is not kind:
        return 0, b"", 0
    return prekey.id, prekey.key, prekey.created_ms
