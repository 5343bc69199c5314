"""A profile in one file: making it, looking whether it is good, and making a profile of it again.

What is restored becomes a device of its own at its first connection, by the password that opens it
(encryption rule 28): the original may go on beside it, and no key is used twice.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused, SealBroken
from coterie.base.ids import UserName
from coterie.client.api.account_key import password_keys
from coterie.client.api.opening import open_store
from coterie.client.core.profile import unpack_profile
from coterie.client.store.backup_file import Backup, copy_database, read_backup, write_backup
from coterie.client.store.database import discard_database, known_steps, open_database
from coterie.client.store.keys import KeyFile, StoreWrapKind, open_database_key, read_key_file, write_key_file
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace, find_profile, new_profile, require_new
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore, Holdings
from coterie.e2ee.recovery import RecoveryKey


class BackupContents(msgspec.Struct, frozen=True):
    """What a backup holds that was opened and found to be whole. Times: milliseconds UTC."""

    name: UserName
    server: str
    """HOST:PORT."""
    made_ms: int
    holdings: Holdings


async def back_up(
    home: Path, file: Path, *, profile: str | None = None, password: str, clock: Clock | None = None
) -> int:
    """Write a profile that nobody has open into a new file; its size in bytes. An open one: Me.back_up().

    Raises Refused: no-profile, wrong-credentials, usage; Unavailable: profile-in-use, disk (also where there
    is such a file), damaged.
    """
    clock = clock or SystemClock()
    place = find_profile(home, profile)
    lock = await ProfileLock.acquire(place, clock)
    with closing(lock):
        store, _ = await asyncio.to_thread(open_store, place, password)
        with closing(store):
            return write_backup(file, read_key_file(place), clock.wall_ms(), store.copy_to)


async def restore(home: Path, file: Path) -> ProfilePlace:
    """Make a profile of a backup; it opens by the password that opened the profile then.

    None is replaced: Refused(profile-exists). Raises Unavailable: damaged, newer-schema, disk,
    profile-in-use.
    """
    return await asyncio.to_thread(_restore, home, file)


async def verify_backup(
    file: Path, *, password: str | None = None, recovery_key: str | None = None
) -> BackupContents:
    """Open a backup in a folder of its own, as one would after losing everything, and look at every page.

    password: of the profile then; or its recovery key. Raises Refused(wrong-credentials), Unavailable:
    damaged, newer-schema, disk.
    """
    return await asyncio.to_thread(_verify, file, password, recovery_key)


def _restore(home: Path, file: Path) -> ProfilePlace:
    backup = read_backup(file)
    place = new_profile(home, backup.key_file.name, backup.key_file.founding)
    lock = ProfileLock(place)
    if not lock.try_acquire():
        raise lock.in_use()
    with closing(lock):
        require_new(place)
        discard_database(place.database)
        copy_database(file, backup, place.database)
        write_key_file(place, backup.key_file)
    return place


def _verify(file: Path, password: str | None, recovery_key: str | None) -> BackupContents:
    backup = read_backup(file)
    key = _database_key(backup.key_file, password, recovery_key)
    with tempfile.TemporaryDirectory(prefix="coterie-backup-") as folder:
        database = Path(folder) / "store.db"
        copy_database(file, backup, database)
        with closing(ClientStore(open_database(database, key, known_steps()))) as store:
            return _contents(store, backup)


def _database_key(key_file: KeyFile, password: str | None, recovery_key: str | None) -> bytes:
    if recovery_key is not None:
        try:
            key = RecoveryKey.from_words(recovery_key).store_key
        except SealBroken:
            raise Refused(Code.WRONG_CREDENTIALS, "not a recovery key") from None
        return open_database_key(key_file, StoreWrapKind.RECOVERY, key)
    if password is None:
        raise LocalError(Code.USAGE, "a backup is opened by a password or a recovery key")
    return open_database_key(key_file, StoreWrapKind.PASSWORD, password_keys(key_file, password).store)


def _contents(store: ClientStore, backup: Backup) -> BackupContents:
    profile = unpack_profile(store.setting(Setting.PROFILE))
    return BackupContents(
        profile.name, f"{profile.host}:{profile.port}", backup.made_ms, store.looked_through()
    )
