"""Structs to bytes and back, in exactly one encoding each (docs/protocol.md, Packing)."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from coterie.base import ids
from coterie.base.codes import Code
from coterie.base.domains import Domain, unwrap, wrap
from coterie.base.errors import RemoteError
from coterie.base.ids import AccountId, DeviceId, LedgerId

Account = Annotated[AccountId, msgspec.Meta(min_length=ids.ACCOUNT_ID_BYTES, max_length=ids.ACCOUNT_ID_BYTES)]
Device = Annotated[DeviceId, msgspec.Meta(min_length=ids.SHORT_ID_BYTES, max_length=ids.SHORT_ID_BYTES)]
Ledger = Annotated[LedgerId, msgspec.Meta(min_length=ids.SHORT_ID_BYTES, max_length=ids.SHORT_ID_BYTES)]
Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, msgspec.Meta(min_length=ids.HASH_BYTES, max_length=ids.HASH_BYTES)]
Ed25519Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
Seq = Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]

StructT = TypeVar("StructT", bound=msgspec.Struct)

_encode = msgspec.msgpack.Encoder().encode


def pack(domain: Domain, content: msgspec.Struct) -> bytes:
    """Domain, suite byte and msgpack array: what is signed and hashed."""
    return wrap(domain, _encode(content))


def unpack(decoder: msgspec.msgpack.Decoder[StructT], domain: Domain, data: bytes) -> StructT:
    """Raises RemoteError for another domain or suite, malformed content, or a second encoding of it."""
    return unpack_plain(decoder, unwrap(domain, data))


def pack_plain(content: msgspec.Struct) -> bytes:
    """A container of signed bytes; they carry the domain, it needs none."""
    return _encode(content)


def unpack_plain(decoder: msgspec.msgpack.Decoder[StructT], data: bytes) -> StructT:
    """Raises RemoteError for malformed content or a second encoding of it."""
    try:
        content = decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        raise RemoteError(Code.BAD_FRAME, "malformed content") from None
    if _encode(content) != data:
        raise RemoteError(Code.BAD_FRAME, "not the one encoding of its content")
    return content
