"""Whom a person has verified, as one of their devices tells the others (docs/protocol.md, Envelopes)."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import RemoteError
from coterie.content.packing import Format, Id16, Id32, Positive

MARKS_MOST = 100


class Word(IntEnum):
    """What the person has said."""

    TAKEN_BACK = 0
    VERIFIED = 1
    CONFIRMED = 2
    """A device of a verified person is theirs, and so is what it approved."""


class TrustMark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """account: the fingerprint of the identity that was looked at, so a mark never goes to another identity.
    device: 16 bytes where the word is about a device, else b"". by: the own device on which it was said, at
    time_ms by that device's clock (milliseconds since 1970)."""

    account: Id32
    device: Annotated[bytes, msgspec.Meta(max_length=16)]
    word: Word
    time_ms: Positive
    by: Id16

    @property
    def about(self) -> tuple[bytes, bytes]:
        return self.account, self.device

    @property
    def order(self) -> tuple[int, bytes]:
        """Of two marks about the same, the later one counts on every device."""
        return self.time_ms, self.by


class TrustMarks(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    marks: Annotated[tuple[TrustMark, ...], msgspec.Meta(min_length=1, max_length=MARKS_MOST)]

    def pack(self) -> bytes:
        return _format.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> TrustMarks:
        """Raises RemoteError (bad-frame, bad-suite)."""
        said = _format.unpack(data)
        if any(len(each.device) != (16 if each.word is Word.CONFIRMED else 0) for each in said.marks):
            raise RemoteError(Code.BAD_FRAME, "a trust mark about nothing that it could be about")
        return said


_format = Format(Domain.TRUST_MARKS, TrustMarks)
