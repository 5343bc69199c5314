"""What a person has read, as one of their devices tells the others (docs/protocol.md, Envelopes)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, unwrap, wrap
from coterie.base.errors import RemoteError

MARKS_MOST = 100

_Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Seq = Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]


class ReadMark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Everything in a conversation's log up to seq is read."""

    conversation: _Id16
    seq: _Seq


class ReadMarks(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Cumulative: a later one says all that an earlier one said of the same conversations."""

    marks: Annotated[tuple[ReadMark, ...], msgspec.Meta(min_length=1, max_length=MARKS_MOST)]

    def pack(self) -> bytes:
        return wrap(Domain.READ_MARKS, msgspec.msgpack.encode(self))

    @classmethod
    def unpack(cls, data: bytes) -> ReadMarks:
        """Raises RemoteError (bad-frame, bad-suite)."""
        content = unwrap(Domain.READ_MARKS, data)
        try:
            return _decoder.decode(content)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise RemoteError(Code.BAD_FRAME, "not read marks") from None


_decoder = msgspec.msgpack.Decoder(ReadMarks)
