"""The body that is a text."""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.limits import TEXT_BYTES
from coterie.base.quiet import Quiet


class Text(Quiet, frozen=True):
    """Plain text of any valid Unicode: 1 byte to 64 KiB of UTF-8."""

    text: str


class _Fields(msgspec.Struct, frozen=True, array_like=True):
    """Open at its end: what later versions add to a text does not hide the text from this one."""

    text: str


_decoder: msgspec.msgpack.Decoder[_Fields] = msgspec.msgpack.Decoder(_Fields)


def check_text(text: str) -> None:
    """Raises Refused: empty, too-large, or usage where it holds half of a surrogate pair."""
    try:
        size_bytes = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise Refused(Code.USAGE, "a text with half of a surrogate pair") from None
    if size_bytes == 0:
        raise Refused(Code.EMPTY)
    if size_bytes > TEXT_BYTES:
        raise Refused(Code.TOO_LARGE)


def pack_text(text: Text) -> bytes:
    """The fields of a text. Raises Refused as check_text does."""
    check_text(text.text)
    return msgspec.msgpack.encode(_Fields(text.text))


def unpack_text(fields: msgspec.Raw) -> Text:
    """Raises Refused as check_text does, and what msgspec raises."""
    text = _decoder.decode(fields).text
    check_text(text)
    return Text(text)
