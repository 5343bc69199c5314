"""What one device has of another's messages, as it tells that device alone (docs/protocol.md, Envelopes)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.domains import Domain
from coterie.content.packing import Format, Id16, Id32

RECEIPTS_MOST = 50

_Index = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class Receipt(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Every message of a session, from where its key was given up to this index, is opened and on disk."""

    conversation: Id16
    session: Id32
    up_to: _Index


class Receipts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Cumulative: a later one says all that an earlier one said of the same session."""

    receipts: Annotated[tuple[Receipt, ...], msgspec.Meta(min_length=1, max_length=RECEIPTS_MOST)]

    def pack(self) -> bytes:
        return _format.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> Receipts:
        """Raises RemoteError (bad-frame, bad-suite)."""
        return _format.unpack(data)


_format = Format(Domain.RECEIPTS, Receipts)
