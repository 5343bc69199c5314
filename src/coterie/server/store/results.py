"""What became of a record: one result for each, in the order of the batch."""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId, StreamId
from coterie.wire.frames.messages import LogEntry, MailboxEntry


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A device has become entitled to a stream, from after this seq on."""

    device: DeviceId
    stream: StreamId
    after_seq: int


class Done(msgspec.Struct, frozen=True):
    """Saved, and there is nothing more to say."""


class BlobBegun(msgspec.Struct, frozen=True):
    """A sealed file may come; whole: it is there already."""

    whole: bool


class Appended(msgspec.Struct, frozen=True, gc=False):
    """seq: of the message in its log. entry: None where the message had been there before."""

    seq: int
    stream: StreamId
    entry: LogEntry | None
    opened: tuple[Opened, ...] = ()


class Posted(msgspec.Struct, frozen=True):
    """entries: what is new in which mailbox, in order."""

    entries: tuple[tuple[DeviceId, MailboxEntry], ...]
    opened: tuple[Opened, ...] = ()


class LeafAdded(msgspec.Struct, frozen=True):
    """index: of the leaf. packed: b"" where the manifest had been there before."""

    index: int
    packed: bytes
    revoked: tuple[DeviceId, ...] = ()


class LeavesAdded(msgspec.Struct, frozen=True):
    """Index and leaf of each; size: of the ledger after them. revoked, ended: devices of accounts that are so
    now."""

    leaves: tuple[tuple[int, bytes], ...]
    size: int
    revoked: tuple[DeviceId, ...] = ()
    ended: tuple[DeviceId, ...] = ()


class AccountEnded(msgspec.Struct, frozen=True):
    """index, packed: of its tombstone leaf. devices: those that were live."""

    index: int
    packed: bytes
    devices: tuple[DeviceId, ...]


class AccountSucceeded(msgspec.Struct, frozen=True):
    """index, packed: of the leaf of its heir. devices: those of the account before that were live."""

    index: int
    packed: bytes
    devices: tuple[DeviceId, ...]


class ResetsCompleted(msgspec.Struct, frozen=True):
    """devices: those of accounts whose names stand for others now."""

    devices: tuple[DeviceId, ...]


class GivenKeys(msgspec.Struct, frozen=True):
    """Packed signed prekeys, b"" for none. left: one-time keys that remain, where one was claimed."""

    device: DeviceId
    one_time: bytes
    fallback: bytes
    x_wing: bytes
    left: int = 0


class KeysClaimed(msgspec.Struct, frozen=True):
    """In the order asked; unknown and revoked devices are absent."""

    keys: tuple[GivenKeys, ...]


class Denied(msgspec.Struct, frozen=True):
    """The condition did not hold and nothing was saved. devices and ledger_size: as in the Refusal frame."""

    code: Code
    retry_after_ms: int = 0
    devices: tuple[tuple[AccountId, DeviceId], ...] = ()
    ledger_size: int = 0


class Broken(msgspec.Struct, frozen=True):
    """A bug, which is in the log: nothing of this record was saved, the others of the batch were."""


Otherwise = (
    BlobBegun
    | Posted
    | Done
    | KeysClaimed
    | LeafAdded
    | LeavesAdded
    | AccountEnded
    | AccountSucceeded
    | ResetsCompleted
    | Denied
    | Broken
)
Result = Appended | Otherwise
"""What commit() answers, per record."""

DONE = Done()
