"""What is said, as a frozen union, and its bytes: a msgpack array of the kind's number and its fields."""

from __future__ import annotations

from typing import Annotated, assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused, RemoteError
from coterie.base.quiet import Quiet
from coterie.content.body.kinds import BodyKind
from coterie.content.body.text import Text, check_text, pack_text, unpack_text
from coterie.content.body.verification import (
    KINDS,
    Verification,
    VerifyCancel,
    VerifyConfirm,
    VerifyKey,
    VerifyReveal,
    VerifyStart,
    pack_verification,
    unpack_verification,
)

__all__ = ["Body", "BodyKind", "Text", "Unknown", "check_text", "is_shown", "pack", "unpack"]


class Unknown(Quiet, frozen=True):
    """A kind that this version cannot show ("needs a newer version"), kept as it came.

    data: the kind's fields, one msgpack value.
    """

    kind: int
    data: bytes


Body = Text | Verification | Unknown

_Kind = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class _Packed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    kind: _Kind
    fields: msgspec.Raw


_SHOWN = (Text, Unknown)
_decoder: msgspec.msgpack.Decoder[_Packed] = msgspec.msgpack.Decoder(_Packed)


def pack(body: Body) -> bytes:
    """Raises Refused where a person's text breaks its rules: empty, too-large, usage (invalid Unicode)."""
    match body:
        case Text():
            return _packed(BodyKind.TEXT, pack_text(body))
        case VerifyStart() | VerifyKey() | VerifyReveal() | VerifyConfirm() | VerifyCancel():
            return _packed(*pack_verification(body))
        case Unknown(kind, data):
            packed = _packed(kind, data)
            _check_again(packed, body)
            return packed
        case _:
            assert_never(body)


def unpack(data: bytes) -> Body:
    """Raises RemoteError(bad-frame) for bytes that are no body of any version."""
    try:
        packed = _decoder.decode(data)
        match packed.kind:
            case BodyKind.TEXT:
                return unpack_text(packed.fields)
            case kind if kind in KINDS:
                return unpack_verification(kind, packed.fields)
            case _:
                return Unknown(packed.kind, bytes(packed.fields))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, Refused):
        raise RemoteError(Code.BAD_FRAME, "not a body") from None


def is_shown(body: Body) -> bool:
    """Whether people see it in a conversation; what devices say to each other there is none of that."""
    return isinstance(body, _SHOWN)


def _packed(kind: int, fields: bytes) -> bytes:
    return msgspec.msgpack.encode(_Packed(int(kind), msgspec.Raw(fields)))


def _check_again(packed: bytes, body: Unknown) -> None:
    """An Unknown can be packed only if it unpacks as the same."""
    try:
        same = unpack(packed) == body
    except RemoteError:
        same = False
    if not same:
        raise LocalError(Code.USAGE, "an unknown body that never came from unpack")
