"""What one device asks of another that it could not open, and what it is given (docs/protocol.md, Repair)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import RemoteError
from coterie.base.quiet import Quiet
from coterie.content.packing import Format, Id16, Id32
from coterie.content.padding import padded_size

WANTED_MOST = 50
REPAIR_INNER_BYTES = limits.REPAIR_ENVELOPE_BYTES - 4096
"""Of an inner message that is given in an envelope; the rest is what seals it."""

_BESIDE_BYTES = 64
"""What stands beside the inner message: franking key, index, lengths; about."""

_Id16OrNone = Annotated[bytes, msgspec.Meta(max_length=16)]
_Id32OrNone = Annotated[bytes, msgspec.Meta(max_length=32)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_Index = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class Wanted(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One message of a device: an entry of the log by its id (n 0, hash b""), or one that never came by its
    number and the hash under which it is known (message b"")."""

    conversation: Id16
    device: Id16
    message: _Id16OrNone
    n: _Number
    hash: _Id32OrNone

    @property
    def coherent(self) -> bool:
        if self.message:
            return (len(self.message), self.n, self.hash) == (16, 0, b"")
        return self.n > 0 and len(self.hash) == 32


class Stood(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What shows that an account stood in a ledger that was left: a packed light head of that ledger, the
    account's packed leaf, its index, and the way from it to the head's root (RFC 9162 2.1.3)."""

    head: Annotated[bytes, msgspec.Meta(max_length=256)]
    leaf: Annotated[bytes, msgspec.Meta(max_length=256)]
    index: _Number
    path: Annotated[tuple[Id32, ...], msgspec.Meta(max_length=32)]


class RepairRequest(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """stood: behind a restore of the server, that the one who asks was there before it."""

    wanted: Annotated[tuple[Wanted, ...], msgspec.Meta(min_length=1, max_length=WANTED_MOST)]
    stood: Stood | None = None

    def pack(self) -> bytes:
        return _requests.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> RepairRequest:
        """Raises RemoteError (bad-frame, bad-suite)."""
        request = _requests.unpack(data)
        if not all(each.coherent for each in request.wanted):
            raise RemoteError(Code.BAD_FRAME, "a wanted message that contradicts itself")
        return request


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message in the log of a conversation, by its id."""

    conversation: Id16
    message: Id16


class NotForYou(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Entries that the device which sealed them has not sealed for the one that asks: they were said before
    it was there, and a restored server was sent them again."""

    entries: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1, max_length=WANTED_MOST)]

    def pack(self) -> bytes:
        return _not_for_you.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> NotForYou:
        """Raises RemoteError (bad-frame, bad-suite)."""
        return _not_for_you.unpack(data)


class Repair(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One message as its sender sealed it, never a key. index: its place in its session. zeros: fill it up to
    a size that says as little as that of the message did."""

    franking_key: Id32
    index: _Index
    inner: Annotated[bytes, msgspec.Meta(min_length=1, max_length=REPAIR_INNER_BYTES)]
    zeros: Annotated[bytes, msgspec.Meta(max_length=limits.REPAIR_ENVELOPE_BYTES)] = b""

    def pack(self) -> bytes:
        return _repairs.pack(self)

    def filled(self) -> Repair:
        """With zeros up to a padded size, or up to what an envelope holds."""
        size = len(self.inner) + _BESIDE_BYTES
        wanted = min(padded_size(size), REPAIR_INNER_BYTES + _BESIDE_BYTES)
        return msgspec.structs.replace(self, zeros=bytes(wanted - size))

    @classmethod
    def unpack(cls, data: bytes) -> Repair:
        """Raises RemoteError (bad-frame, bad-suite)."""
        return _repairs.unpack(data)


_requests = Format(Domain.REPAIR_REQUEST, RepairRequest)
_repairs = Format(Domain.REPAIR, Repair)
_not_for_you = Format(Domain.NOT_FOR_YOU, NotForYou)
