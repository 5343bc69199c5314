"""One file with a profile in it: its database as the store encrypts it, its key file, and a digest over both.

The database comes first, as it lies on the disk, so that SQLite writes it in place; then what it is
(BackupHead, packed), the length of that in 4 bytes, and SHA-256 over all of it. The digest notices what a
disk does; against people the database has a tag on each page under the key that the key file wraps.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, unwrap, wrap
from coterie.base.errors import CoterieError, Refused, Unavailable
from coterie.base.names import canonical
from coterie.client.store import keys
from coterie.client.store.faults import file_fault
from coterie.client.store.keys import KEY_FILE_BYTES, KeyFile
from coterie.client.store.profiles import FILE_MODE, sync_folder

VERSION = 1
LENGTH_BYTES = 4
DIGEST_BYTES = 32
HEAD_BYTES = KEY_FILE_BYTES + 1024
_END_BYTES = LENGTH_BYTES + DIGEST_BYTES
_CHUNK_BYTES = 1 << 20
_WHAT = "the backup file"
_NONE = "this is no backup, or it is damaged: use another one"


class BackupHead(msgspec.Struct, frozen=True, array_like=True):
    """key_file: packed KeyFile. Later versions may add fields at the end."""

    version: int
    made_ms: int
    database_bytes: int
    key_file: bytes

    def pack(self) -> bytes:
        return wrap(Domain.BACKUP, msgspec.msgpack.encode(self))


class Backup(msgspec.Struct, frozen=True):
    """What a backup file says of itself, once its digest was found to be right."""

    made_ms: int
    database_bytes: int
    key_file: KeyFile


_decoder = msgspec.msgpack.Decoder(BackupHead)


def write_backup(path: Path, key_file: KeyFile, made_ms: int, write_database: Callable[[Path], None]) -> int:
    """Make the file, whole or not at all, for its owner alone; its size in bytes.

    write_database: puts the database into an empty file. Raises Unavailable(disk), also where there is such a
    file already.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except OSError as error:
        raise file_fault(error, _WHAT) from error
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
        write_database(draft)
        size = _finish(draft, key_file, made_ms)
        draft.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        for left in (draft, path):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise file_fault(error, _WHAT) from error
        raise
    return size


def read_backup(path: Path) -> Backup:
    """Look through the whole file. Raises Unavailable: damaged, disk, newer-schema."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise file_fault(error, _WHAT) from error


def copy_database(path: Path, backup: Backup, target: Path) -> None:
    """The database of a backup, on the disk at target, which must not be there. Raises Unavailable(disk)."""
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with path.open("rb") as file, os.fdopen(handle, "wb") as database:
            shutil.copyfileobj(file, database, _CHUNK_BYTES)
            database.truncate(backup.database_bytes)
            database.flush()
            os.fsync(database.fileno())
        sync_folder(target.parent)
    except OSError as error:
        raise file_fault(error, "the database of the backup") from error


def _finish(draft: Path, key_file: KeyFile, made_ms: int) -> int:
    """Append to the database what makes it a backup."""
    with draft.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256")
        head = BackupHead(VERSION, made_ms, file.tell(), keys.pack(key_file)).pack()
        rest = head + len(head).to_bytes(LENGTH_BYTES, "big")
        digest.update(rest)
        file.write(rest + digest.digest())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _read(file: BinaryIO) -> Backup:
    size = file.seek(0, os.SEEK_END)
    if size < _END_BYTES:
        raise Unavailable(Code.DAMAGED, _NONE)
    file.seek(size - _END_BYTES)
    length = int.from_bytes(file.read(LENGTH_BYTES), "big")
    digest = file.read(DIGEST_BYTES)
    if not 0 < length <= min(HEAD_BYTES, size - _END_BYTES):
        raise Unavailable(Code.DAMAGED, _NONE)
    file.seek(size - _END_BYTES - length)
    backup = _unpack(file.read(length))
    if backup.database_bytes != size - _END_BYTES - length or _digest(file, size) != digest:
        raise Unavailable(Code.DAMAGED, _NONE)
    return backup


def _unpack(packed: bytes) -> Backup:
    try:
        head = _decoder.decode(unwrap(Domain.BACKUP, packed))
        if head.version != VERSION:
            raise Unavailable(Code.NEWER_SCHEMA, "this backup was written by a newer version")
        key_file = keys.unpack(head.key_file)
        named = canonical(key_file.name) == key_file.name
    except Unavailable as error:
        if error.code is Code.NEWER_SCHEMA:
            raise
        raise Unavailable(Code.DAMAGED, _NONE) from None
    except (CoterieError, Refused, msgspec.MsgspecError, RecursionError, ValueError, OverflowError):
        raise Unavailable(Code.DAMAGED, _NONE) from None
    if not named or head.pack() != packed or min(head.made_ms, head.database_bytes) < 0:
        raise Unavailable(Code.DAMAGED, _NONE)
    return Backup(head.made_ms, head.database_bytes, key_file)


def _digest(file: BinaryIO, size: int) -> bytes:
    """Of all but the digest itself."""
    file.seek(0)
    running = hashlib.sha256()
    left = size - DIGEST_BYTES
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        running.update(chunk)
        left -= len(chunk)
    return running.digest()
