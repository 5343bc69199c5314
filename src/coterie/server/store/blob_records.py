"""What is to be saved of sealed files; as records.py."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from coterie.base.ids import AccountId, BlobId, DeviceId


class BlobState(IntEnum):
    """Of a sealed file, as the column says it."""

    COMING = 0
    WHOLE = 1
    GOING = 2
    """Given to nobody any more; its bytes are about to go."""


class BeginBlob(msgspec.Struct, frozen=True):
    """A sealed file is about to come. Conditions: the device is live; the id is free, or stands for the same
    file of the same account; the account has room for it."""

    device: DeviceId
    blob: BlobId
    size_bytes: int
    sha256: bytes
    now_ms: int


class KeepBlob(msgspec.Struct, frozen=True):
    """It is there, whole and on the disk. Conditions: the device is live, and the file is its account's and
    was not ended meanwhile."""

    device: DeviceId
    blob: BlobId
    now_ms: int


class EndBlob(msgspec.Struct, frozen=True):
    """Nobody is given the file any more. Conditions: it is this account's (None: whoever's), and
    in this state (None: in any)."""

    blob: BlobId
    account: AccountId | None = None
    only: BlobState | None = None


class ForgetBlob(msgspec.Struct, frozen=True):
    """Its bytes are gone. Condition: it was ended."""

    blob: BlobId
