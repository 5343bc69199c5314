"""Bodies by which two devices show their people emoji to compare (docs/protocol.md 5.6): never shown as text.

One exchange of them, in order: start from one side, key from a device of the other, reveal from the first,
then from both sides a confirmation, once its person has said that the emoji match. A cancellation ends it at
any time.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.base.quiet import Quiet
from coterie.content.body.kinds import BodyKind

_Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class CancelReason(IntEnum):
    """Why somebody ended it. Numbers are final; one that is not known counts as DECLINED."""

    DECLINED = 1
    """The person did not want to, or wants no more."""
    MISMATCH = 2
    """The person sees other emoji."""
    TIMED_OUT = 3
    BROKEN = 4
    """What came does not follow, or does not hold."""


class VerifyStart(Quiet, frozen=True, array_like=True):
    """exchange: 16 random bytes; commitment: to the key that will be revealed."""

    exchange: _Id
    commitment: _Key


class VerifyKey(Quiet, frozen=True, array_like=True):
    """The answering device's key."""

    exchange: _Id
    key: _Key


class VerifyReveal(Quiet, frozen=True, array_like=True):
    """The starter's key."""

    exchange: _Id
    key: _Key


class VerifyConfirm(Quiet, frozen=True, array_like=True):
    """The person on this side says that the emoji match."""

    exchange: _Id
    mac: _Key


class VerifyCancel(Quiet, frozen=True, array_like=True):
    """reason: a CancelReason, or a number of a newer version."""

    exchange: _Id
    reason: Annotated[int, msgspec.Meta(ge=1, le=65_535)]


Verification = VerifyStart | VerifyKey | VerifyReveal | VerifyConfirm | VerifyCancel

KINDS: Final[dict[int, type[Verification]]] = {
    BodyKind.VERIFY_START: VerifyStart,
    BodyKind.VERIFY_KEY: VerifyKey,
    BodyKind.VERIFY_REVEAL: VerifyReveal,
    BodyKind.VERIFY_CONFIRM: VerifyConfirm,
    BodyKind.VERIFY_CANCEL: VerifyCancel,
}
_NUMBERS: Final = {struct: kind for kind, struct in KINDS.items()}
_decoders: Final = {kind: msgspec.msgpack.Decoder(struct) for kind, struct in KINDS.items()}


def pack_verification(body: Verification) -> tuple[int, bytes]:
    """Its kind and fields. Raises LocalError where a field breaks its rule."""
    kind = _NUMBERS[type(body)]
    fields = msgspec.msgpack.encode(body)
    try:
        _decoders[kind].decode(fields)
    except (msgspec.MsgspecError, ValueError):
        raise LocalError(Code.USAGE, "a verification body that breaks its own rules") from None
    return kind, fields


def unpack_verification(kind: int, fields: msgspec.Raw) -> Verification:
    """Open at its end, as a text is. Raises what msgspec raises."""
    return _decoders[kind].decode(fields)
