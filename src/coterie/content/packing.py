"""Packed formats of what devices tell each other in envelopes: domain prefix, suite byte, then msgpack."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, unwrap, wrap
from coterie.base.errors import RemoteError

Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Id32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]

T = TypeVar("T")


class Format(Generic[T]):
    """One of them: which domain it starts with and which struct it holds."""

    def __init__(self, domain: Domain, struct: type[T]) -> None:
        self._domain = domain
        self._decoder = msgspec.msgpack.Decoder(struct)

    def pack(self, value: T) -> bytes:
        return wrap(self._domain, msgspec.msgpack.encode(value))

    def unpack(self, data: bytes) -> T:
        """Raises RemoteError (bad-frame, bad-suite)."""
        content = unwrap(self._domain, data)
        try:
            return self._decoder.decode(content)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise RemoteError(Code.BAD_FRAME, f"not {self._domain.value}") from None
