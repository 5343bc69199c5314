"""A device goes on in the account that follows its own (encryption rules 8 and 22).

It keeps its keys and its store, and has another id there. Its sessions end, its prekeys are signed anew; what
others sent to the account before was drained before this.
"""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.alarms import asked_devices
from coterie.client.core.keyring import Keyring
from coterie.client.core.prekeys import PrekeyMaker
from coterie.client.core.profile import Profile
from coterie.client.core.succeeding import is_mine, pending_succession
from coterie.client.store.records import BecomeDevice, DropSetting, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.succession import heir_device


class Followed(msgspec.Struct, frozen=True):
    """Who this device is from now on, and what to save for it."""

    profile: Profile
    records: tuple[Record, ...]


def follow(
    store: ClientStore, keyring: Keyring, profile: Profile, heir: AccountId, sure_from: int, now_ms: int
) -> Followed:
    """heir: proven, and it lists this device. sure_from: as in BecomeDevice."""
    id = heir_device(profile.device, heir)
    new = msgspec.structs.replace(profile, account=heir, device=id)
    next_id = int.from_bytes(store.setting(Setting.NEXT_PREKEY_ID) or b"\x01", "big")
    maker = PrekeyMaker(keyring.device, heir, id, next_id)
    x_wing, private = maker.x_wing(now_ms)
    prekeys = (*maker.one_time(limits.ONE_TIME_KEYS, now_ms), maker.fallback(now_ms), x_wing)
    asked = tuple(heir_device(DeviceId(each), heir) for each in asked_devices(store))
    records: tuple[Record, ...] = (
        BecomeDevice(id, profile.device, sure_from),
        PutSetting(Setting.PROFILE, new.pack()),
        keyring.device_record(),
        maker.counter(),
        private,
        PutSetting(Setting.FALLBACK_MADE_MS, now_ms.to_bytes(8, "big")),
        PutSetting(Setting.TOPPED_UP_MS, now_ms.to_bytes(8, "big")),
        PutSetting(Setting.PENDING_PREKEYS, msgspec.msgpack.encode(prekeys)),
        PutSetting(Setting.OWN_QUESTIONS, msgspec.msgpack.encode(asked)),
        DropSetting(Setting.PENDING_MANIFEST),
        DropSetting(Setting.EXPOSED_VAULT),
        *_secrets(store, heir),
    )
    return Followed(new, records)


def _secrets(store: ClientStore, heir: AccountId) -> tuple[Record, ...]:
    """Who signed the succession has the new vault. Every other device asks the server for it, and what opened
    the private keys before is of no use."""
    pending = pending_succession(store)
    dropped = DropSetting(Setting.PENDING_SUCCESSION)
    if pending is not None and is_mine(pending, heir):
        return (PutSetting(Setting.VAULT, pending.vault), dropped)
    return (DropSetting(Setting.OWN_SECRET), dropped)
