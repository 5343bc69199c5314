"""What one device has of another's messages, as it tells that device alone (docs/protocol.md, Envelopes)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, unwrap, wrap
from coterie.base.errors import RemoteError

RECEIPTS_MOST = 50

_Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Id32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Index = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class Receipt(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Every message of a session, from where its key was given up to this index, is opened and on disk."""

    conversation: _Id16
    session: _Id32
    up_to: _Index


class Receipts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Cumulative: a later one says all that an earlier one said of the same session."""

    receipts: Annotated[tuple[Receipt, ...], msgspec.Meta(min_length=1, max_length=RECEIPTS_MOST)]

    def pack(self) -> bytes:
        return wrap(Domain.RECEIPTS, msgspec.msgpack.encode(self))

    @classmethod
    def unpack(cls, data: bytes) -> Receipts:
        """Raises RemoteError (bad-frame, bad-suite)."""
        content = unwrap(Domain.RECEIPTS, data)
        try:
            return _decoder.decode(content)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise RemoteError(Code.BAD_FRAME, "not receipts") from None


_decoder = msgspec.msgpack.Decoder(Receipts)
