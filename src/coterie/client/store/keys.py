"""The file next to the database that holds its key, wrapped, and what is needed before opening it
(encryption rule 27)."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, unwrap, wrap
from coterie.base.errors import LocalError, Refused, RemoteError, Unavailable
from coterie.base.ids import ACCOUNT_ID_BYTES, AccountId, UserName
from coterie.client.store.faults import file_fault
from coterie.client.store.profiles import FILE_MODE, ProfilePlace, require_new, sync_folder

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
RANDOM_BYTES = 16
KEY_FILE_BYTES = 64 * 1024


class StoreWrapKind(StrEnum):
    """What opens a wrapped database key."""

    PASSWORD = "password"
    RECOVERY = "recovery"


class StoreWrap(msgspec.Struct, frozen=True, array_like=True):
    """The database key under another key. nonce 12 bytes, ciphertext 48."""

    kind: StoreWrapKind
    nonce: bytes
    ciphertext: bytes


class KeyFile(msgspec.Struct, frozen=True, array_like=True):
    """random: the account's part of the salt, 16 bytes. memory_kib, passes, lanes: Argon2id."""

    name: UserName
    founding: AccountId
    random: bytes
    memory_kib: int
    passes: int
    lanes: int
    wraps: tuple[StoreWrap, ...]


_DAMAGED = "the key file of this profile is damaged: restore a backup of it"
_decoder: msgspec.msgpack.Decoder[KeyFile] = msgspec.msgpack.Decoder(KeyFile)


def new_database_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def wrap_database_key(database_key: bytes, key: bytes, kind: StoreWrapKind) -> StoreWrap:
    """AES-256-GCM; the associated data say which of the wrappings this is. Both keys: 32 bytes."""
    if len(database_key) != KEY_BYTES or len(key) != KEY_BYTES:
        raise LocalError(Code.USAGE, "keys of the store are 32 bytes")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return StoreWrap(kind, nonce, AESGCM(key).encrypt(nonce, database_key, _purpose(kind)))


def open_database_key(key_file: KeyFile, kind: StoreWrapKind, key: bytes) -> bytes:
    """The database key. Raises Refused(wrong-credentials) where no wrapping of that kind opens with key."""
    if len(key) != KEY_BYTES:
        raise LocalError(Code.USAGE, "keys of the store are 32 bytes")
    for wrapped in key_file.wraps:
        if wrapped.kind is kind:
            try:
                return AESGCM(key).decrypt(wrapped.nonce, wrapped.ciphertext, _purpose(kind))
            except InvalidTag:
                continue
    raise Refused(Code.WRONG_CREDENTIALS)


def write_key_file(place: ProfilePlace, key_file: KeyFile, *, replace: bool = False) -> None:
    """Put the key file on the disk, whole or not at all: from then on the folder is a profile.

    Without replace a profile that has one is left alone: Refused(profile-exists). Raises Unavailable(disk).
    """
    if not replace:
        require_new(place)
    draft = place.key_file.with_name("keys.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            file.write(pack(key_file))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place.key_file)
        sync_folder(place.folder)
    except OSError as error:
        raise file_fault(error, "the key file") from error


def read_key_file(place: ProfilePlace) -> KeyFile:
    """Raises Refused(no-profile) where there is none, Unavailable: damaged, disk."""
    try:
        with place.key_file.open("rb") as file:
            data = file.read(KEY_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise Refused(Code.NO_PROFILE, "this profile has no key file") from error
    except OSError as error:
        raise file_fault(error, "the key file") from error
    return unpack(data)


def pack(key_file: KeyFile) -> bytes:
    return wrap(Domain.STORE_WRAP, msgspec.msgpack.encode(key_file))


def unpack(data: bytes) -> KeyFile:
    """Raises Unavailable(damaged) for anything that pack() did not make."""
    try:
        key_file = _decoder.decode(unwrap(Domain.STORE_WRAP, data[: KEY_FILE_BYTES + 1]))
    except (RemoteError, msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        raise Unavailable(Code.DAMAGED, _DAMAGED) from error
    shapes = [(len(wrapped.nonce), len(wrapped.ciphertext)) for wrapped in key_file.wraps]
    if (
        len(data) > KEY_FILE_BYTES
        or len(key_file.founding) != ACCOUNT_ID_BYTES
        or len(key_file.random) != RANDOM_BYTES
        or any(shape != (NONCE_BYTES, KEY_BYTES + TAG_BYTES) for shape in shapes)
        or pack(key_file) != data
    ):
        raise Unavailable(Code.DAMAGED, _DAMAGED)
    return key_file


def _purpose(kind: StoreWrapKind) -> bytes:
    return prefix(Domain.STORE_WRAP) + kind.value.encode()
