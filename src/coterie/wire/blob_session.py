"""One connection of the second channel without its socket: what may be said when (docs/protocol.md 3.14)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, cast, overload

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire import codec
from coterie.wire.frames.blobs import (
    BlobChunk,
    BlobClientFrame,
    BlobFrame,
    BlobRead,
    BlobServerFrame,
    BlobWanted,
    DropBlob,
    GetBlob,
    ProveBlobs,
    PutBlob,
)
from coterie.wire.frames.connection import Hello, Welcome
from coterie.wire.frames.shared import Accepted, Refusal
from coterie.wire.session import Direction, Role


class ChannelState(Enum):
    """How far a connection of the second channel has come."""

    NEW = "new"
    HELLO_SAID = "hello said"
    WELCOMED = "welcomed"
    PROVING = "proving"
    OPEN = "open"
    BROKEN = "broken"
    """The other side broke the protocol: a server may still say why."""
    CLOSED = "closed"


_UP, _DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
_REQUESTS = (PutBlob, BlobChunk, GetBlob, DropBlob)
_ANSWERS = (Accepted, Refusal, BlobWanted, BlobChunk, BlobRead)

BLOB_HANDSHAKE: dict[tuple[ChannelState, Direction, type[BlobFrame]], ChannelState] = {
    (ChannelState.NEW, _UP, Hello): ChannelState.HELLO_SAID,
    (ChannelState.HELLO_SAID, _DOWN, Welcome): ChannelState.WELCOMED,
    (ChannelState.WELCOMED, _UP, ProveBlobs): ChannelState.PROVING,
    (ChannelState.PROVING, _DOWN, Accepted): ChannelState.OPEN,
    (ChannelState.PROVING, _DOWN, Refusal): ChannelState.WELCOMED,
}
"""Until the device has proven itself."""
BLOB_TRANSITIONS: dict[tuple[ChannelState, Direction, type[BlobFrame]], ChannelState] = {
    **BLOB_HANDSHAKE,
    **{(ChannelState.OPEN, _UP, request): ChannelState.OPEN for request in _REQUESTS},
    **{(ChannelState.OPEN, _DOWN, answer): ChannelState.OPEN for answer in _ANSWERS},
}
"""Besides these, a server may end a connection by a Refusal of request 0, from every state but CLOSED."""

Heard = TypeVar("Heard", BlobClientFrame, BlobServerFrame)
Said = TypeVar("Said", BlobClientFrame, BlobServerFrame)


class BlobSession(Generic[Heard, Said]):
    """One end: bytes in, frames out, and the other way round."""

    @overload
    def __init__(self: BlobSession[BlobServerFrame, BlobClientFrame], role: Literal[Role.CLIENT]) -> None: ...
    @overload
    def __init__(self: BlobSession[BlobClientFrame, BlobServerFrame], role: Literal[Role.SERVER]) -> None: ...
    def __init__(self, role: Role) -> None:
        client = role is Role.CLIENT
        decode = codec.decode_blob_server if client else codec.decode_blob_client
        self._decode: Callable[[bytes], tuple[Heard, ...]] = cast("Any", decode)
        self._most_bytes = limits.FRAME_BYTES if client else limits.BLOB_MESSAGE_BYTES
        self._hears, self._says = (_DOWN, _UP) if client else (_UP, _DOWN)
        self.state = ChannelState.NEW
        """What this end has sent is included."""

    def receive(self, data: bytes) -> tuple[Heard, ...]:
        """The frames of one message, in order; none once CLOSED. Raises RemoteError: bad-frame,
        unexpected-frame, version; none of the message's frames counts then, and the session is BROKEN."""
        if self.state is ChannelState.CLOSED:
            return ()
        try:
            if len(data) > self._most_bytes:
                raise RemoteError(Code.BAD_FRAME, f"a message of {len(data)} bytes")
            frames = self._decode(data)
            state: ChannelState = self.state
            for frame in frames:
                state = _after(state, self._hears, frame, RemoteError)
        except RemoteError:
            self.state = ChannelState.BROKEN
            raise
        self.state = state
        return frames

    def send(self, frame: Said) -> bytes:
        """One message with this frame. Raises LocalError where it may not be said now; nothing changes."""
        then = _after(self.state, self._says, frame, LocalError)
        data = codec.encode_one(frame)
        self.state = then
        return data


def _after(
    state: ChannelState, way: Direction, frame: BlobFrame, blame: type[LocalError | RemoteError]
) -> ChannelState:
    if getattr(frame, "request", 1) == 0:
        ends = isinstance(frame, Refusal) and way is _DOWN and state is not ChannelState.CLOSED
        then = ChannelState.CLOSED if ends else None
    else:
        then = BLOB_TRANSITIONS.get((state, way, type(frame)))
    if then is None:
        raise blame(Code.UNEXPECTED_FRAME, f"{type(frame).__name__} while {state.value}")
    match frame:
        case Hello(versions=versions) if set(versions).isdisjoint(codec.VERSIONS):
            raise blame(Code.VERSION)
        case Welcome(version=version) if version not in codec.VERSIONS:
            raise blame(Code.VERSION)
        case _:
            return then
