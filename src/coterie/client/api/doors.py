"""What opens this profile, while its password or recovery key is being changed (encryption rule 27).

The server commits at a moment of its own, and the power may fail before this machine hears of it. So before
anything is sent both the old and the new opens this profile, and once it is known what became of the change
one of them goes. That is committed in two steps, each of which may be repeated.
"""

from __future__ import annotations

import msgspec

from coterie.base.quiet import Quiet
from coterie.client.store import keys
from coterie.client.store.keys import KeyFile, read_key_file, write_key_file
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import DropSetting, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import Vault


class Doors(Quiet, frozen=True, array_like=True):
    """A change under way. verifier: names the new auth key, as the account's vault does once the change was
    taken; b"" where there is none. key_file: packed KeyFile, and own_secret: Setting.OWN_SECRET, as they were
    before (b"" where no password opened the account's keys here), and as they are after it. recovery_key: its
    words, where there is a new one."""

    verifier: bytes
    key_file_before: bytes
    key_file_after: bytes
    own_secret_before: bytes
    own_secret_after: bytes
    recovery_key: bytes

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_doors = msgspec.msgpack.Decoder(Doors)


def doors_pending(store: ClientStore) -> Doors | None:
    """The change of which it is not known here what became of it."""
    packed = store.setting(Setting.PENDING_DOORS)
    return _doors.decode(packed) if packed else None


def open_both(store: ClientStore, place: ProfilePlace, doors: Doors) -> None:
    """From now on, and until close_one(), the old and the new both open this profile."""
    both = Vault.unpack(doors.own_secret_after)
    if doors.own_secret_before:
        wrapped = (*Vault.unpack(doors.own_secret_before).wrapped, *both.wrapped)
        both = msgspec.structs.replace(both, wrapped=tuple(dict.fromkeys(wrapped)))
    _save(
        store,
        PutSetting(Setting.PENDING_DOORS, doors.pack()),
        PutSetting(Setting.OWN_SECRET, both.pack()),
    )
    old, new = keys.unpack(doors.key_file_before), keys.unpack(doors.key_file_after)
    union = msgspec.structs.replace(old, wraps=tuple(dict.fromkeys((*old.wraps, *new.wraps))))
    write_key_file(place, union, replace=True)


def close_one(store: ClientStore, place: ProfilePlace, doors: Doors, *, taken: bool) -> None:
    """The change was taken, or it was not: only one of both opens this profile from now on."""
    key_file: KeyFile = keys.unpack(doors.key_file_after if taken else doors.key_file_before)
    if read_key_file(place) != key_file:
        write_key_file(place, key_file, replace=True)
    secret = doors.own_secret_after if taken else doors.own_secret_before
    records: list[Record] = [
        PutSetting(Setting.OWN_SECRET, secret) if secret else DropSetting(Setting.OWN_SECRET),
        DropSetting(Setting.PENDING_DOORS),
    ]
    if taken and doors.recovery_key:
        records.append(PutSetting(Setting.PENDING_RECOVERY_KEY, doors.recovery_key))
    _save(store, *records)


def _save(store: ClientStore, *records: Record) -> None:
    store.begin()
    try:
        store.apply(records)
        store.commit()
    except BaseException:
        store.rollback()
        raise
