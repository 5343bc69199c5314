"""Keys of the profiles in these tests, and what a test does to a store again and again."""

from __future__ import annotations

from coterie.base.ids import AccountId, UserName
from coterie.client.store.keys import KeyFile, StoreWrapKind, wrap_database_key, write_key_file
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import Record
from coterie.client.store.sqlite import ClientStore

DATABASE_KEY = bytes(range(32))
PASSWORD_KEY = b"p" * 32
RECOVERY_KEY = b"r" * 32


def sample_key_file() -> KeyFile:
    wraps = (
        wrap_database_key(DATABASE_KEY, PASSWORD_KEY, StoreWrapKind.PASSWORD),
        wrap_database_key(DATABASE_KEY, RECOVERY_KEY, StoreWrapKind.RECOVERY),
    )
    return KeyFile(UserName("alice"), AccountId(b"\x5a" * 32), b"s" * 16, 65536, 3, 4, wraps)


def write_sample_keys(place: ProfilePlace) -> None:
    write_key_file(place, sample_key_file())


def commit(store: ClientStore, *records: Record) -> None:
    store.begin()
    store.apply(records)
    store.commit()
