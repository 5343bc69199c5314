"""What a person has read, as one of their devices tells the others (docs/protocol.md, Envelopes)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.domains import Domain
from coterie.content.packing import Format, Id16, Positive

MARKS_MOST = 100


class ReadMark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Everything in a conversation's log up to seq is read."""

    conversation: Id16
    seq: Positive


class ReadMarks(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Cumulative: a later one says all that an earlier one said of the same conversations."""

    marks: Annotated[tuple[ReadMark, ...], msgspec.Meta(min_length=1, max_length=MARKS_MOST)]

    def pack(self) -> bytes:
        return _format.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> ReadMarks:
        """Raises RemoteError (bad-frame, bad-suite)."""
        return _format.unpack(data)


_format = Format(Domain.READ_MARKS, ReadMarks)
