"""Packed formats of everything that is sealed: domain prefix, suite byte, then msgpack (encryption rule 4).

pack and unpack check the same rules, so nothing leaves this device that a peer would have to refuse.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, unwrap
from coterie.base.errors import LocalError, RemoteError, SealBroken

Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
Positive = Annotated[int, msgspec.Meta(ge=1, le=(1 << 62))]

T = TypeVar("T")


class Format(Generic[T]):
    """One packed format: which domain it starts with and which struct it holds."""

    def __init__(self, domain: Domain, struct: type[T]) -> None:
        self._domain = domain
        self._prefix = prefix(domain)
        self._decoder = msgspec.msgpack.Decoder(struct)

    def pack(self, value: T) -> bytes:
        """Raises LocalError where a field breaks its own rule."""
        try:
            content = msgspec.msgpack.encode(value)
            self._decoder.decode(content)
        except (msgspec.MsgspecError, ValueError, OverflowError, TypeError):
            raise LocalError(Code.USAGE, f"a field of {self._domain.value} breaks its rule") from None
        return self._prefix + content

    def unpack(self, data: bytes) -> T:
        """Raises SealBroken for anything else than this format, with code bad-suite for another suite."""
        try:
            return self._decoder.decode(unwrap(self._domain, data))
        except RemoteError as wrong:
            code = Code.BAD_SUITE if wrong.code is Code.BAD_SUITE else Code.SEAL_BROKEN
            raise SealBroken(wrong.note, code) from None
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise SealBroken(f"malformed {self._domain.value}") from None
