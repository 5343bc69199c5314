"""Saving what can be read of a profile whose store is damaged: it takes the profile's place, and the damaged
folder stays, under HOME/damaged.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import closing
from itertools import count
from pathlib import Path

import msgspec

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.client.api.account_key import password_keys
from coterie.client.store.database import known_steps, open_database
from coterie.client.store.faults import file_fault
from coterie.client.store.keys import KeyFile, StoreWrapKind, open_database_key, read_key_file, write_key_file
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import FOLDER_MODE, ProfilePlace, find_profile, sync_folder
from coterie.client.store.salvage import salvage
from coterie.client.store.sqlite import ClientStore, Holdings

DAMAGED_FOLDER = "damaged"


class Rescued(msgspec.Struct, frozen=True):
    """holdings: what was saved; missed: how many rows were seen to be lost, there may be more; kept: where
    the damaged folder lies now."""

    name: str
    holdings: Holdings
    missed: int
    kept: Path


async def rescue(
    home: Path, *, profile: str | None = None, password: str, clock: Clock | None = None
) -> Rescued:
    """Put what can be read in the place of a damaged profile, which must not be open. What is saved becomes a
    device of its own at its first connection.

    Raises Refused: no-profile, wrong-credentials, usage (also where nothing is damaged); Unavailable:
    profile-in-use, damaged (nothing can be read: all stays as it is), disk.
    """
    place = find_profile(home, profile)
    lock = await ProfileLock.acquire(place, clock or SystemClock())
    with closing(lock):
        return await asyncio.to_thread(_rescue, home, place, lock, password)


def _rescue(home: Path, place: ProfilePlace, lock: ProfileLock, password: str) -> Rescued:
    key_file = read_key_file(place)
    key = open_database_key(key_file, StoreWrapKind.PASSWORD, password_keys(key_file, password).store)
    if _is_whole(place, key):
        raise Refused(Code.USAGE, "the messages of this account are whole: there is nothing to rescue")
    try:
        kept = _free(home / DAMAGED_FOLDER, place)
        work = ProfilePlace(kept.with_name(f"{kept.name}.saved"), place.name)
        shutil.rmtree(work.folder, ignore_errors=True)
        work.folder.mkdir(mode=FOLDER_MODE)
        missed, holdings = _saved(place, work, key, key_file)
        if os.name != "posix":
            lock.release()
        place.folder.rename(kept)
        work.folder.rename(place.folder)
        for folder in (kept.parent, place.folder.parent):
            sync_folder(folder)
    except OSError as error:
        raise file_fault(error, "the folder of what is saved") from error
    return Rescued(place.name, holdings, missed, kept)


def _is_whole(place: ProfilePlace, key: bytes) -> bool:
    try:
        with closing(ClientStore(open_database(place.database, key, known_steps()))) as store:
            store.looked_through()
    except Unavailable as error:
        if error.code is Code.DAMAGED:
            return False
        raise
    return True


def _free(folder: Path, place: ProfilePlace) -> Path:
    """Where the damaged folder goes: not over an earlier one."""
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    names = (folder / f"{place.folder.name}-{number}" for number in count(1))
    return next(path for path in names if not path.exists())


def _saved(place: ProfilePlace, work: ProfilePlace, key: bytes, key_file: KeyFile) -> tuple[int, Holdings]:
    """A whole profile, beside the damaged one."""
    missed = salvage(place.database, key, work.database)
    with closing(ClientStore(open_database(work.database, key, known_steps()))) as store:
        holdings = store.looked_through()
    write_key_file(work, key_file)
    return missed, holdings
