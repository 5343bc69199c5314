"""Frames to bytes and back. One WebSocket message holds one or more frames (docs/protocol.md 3.1).

A message is a row of (length, 4 bytes big endian; frame, msgpack). Whatever arrives, decoding either returns
frames or raises RemoteError(bad-frame): nothing else leaves this module.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire.frames import ClientFrame, Frame, ServerFrame
from coterie.wire.frames.blobs import BlobClientFrame, BlobFrame, BlobServerFrame

VERSIONS: tuple[int, ...] = (1,)
"""The protocol versions spoken here, best first."""

LENGTH_BYTES = 4
COPIED_BYTES = 4096
"""Up to here a copy takes less time than a view."""
_length = struct.Struct(">I")
_length_of, _length_at = _length.pack, _length.unpack_from

_encoder = msgspec.msgpack.Encoder()
_client_decoder: msgspec.msgpack.Decoder[ClientFrame] = msgspec.msgpack.Decoder(ClientFrame)
_server_decoder: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)
_blob_client_decoder: msgspec.msgpack.Decoder[BlobClientFrame] = msgspec.msgpack.Decoder(BlobClientFrame)
_blob_server_decoder: msgspec.msgpack.Decoder[BlobServerFrame] = msgspec.msgpack.Decoder(BlobServerFrame)

SomeFrame = TypeVar("SomeFrame", ClientFrame, ServerFrame, BlobClientFrame, BlobServerFrame)


class Packed(msgspec.Struct, frozen=True, gc=False):
    """A frame that goes to many, encoded once: it stands for the frame wherever one is sent."""

    kind: type[Frame]
    data: bytes


def pack(frame: Frame) -> Packed:
    """Raises LocalError. Not for requests and their answers, each of which has a number of its own."""
    return Packed(type(frame), _packed(frame))


def encode(*frames: Frame | Packed) -> bytes:
    """One message with these frames, in order. Raises LocalError where a limit of a message is passed."""
    if len(frames) == 1 and not isinstance(frames[0], Packed):
        return encode_one(frames[0])
    if not 1 <= len(frames) <= limits.FRAMES_PER_MESSAGE:
        raise LocalError(Code.USAGE, f"{len(frames)} frames in one message")
    packed = [_packed(frame) for frame in frames]
    message = b"".join([part for each in packed for part in (_length.pack(len(each)), each)])
    if len(message) > limits.FRAME_BYTES:
        raise LocalError(Code.TOO_LARGE, f"a message of {len(message)} bytes")
    return message


def encode_one(frame: Frame | BlobFrame) -> bytes:
    """As encode(), for the one frame that nearly every message holds."""
    try:
        packed = _encoder.encode(frame)
    except _NOT_PACKED:
        raise _not_packed(frame) from None
    size = len(packed)
    if size > limits.FRAME_BYTES - LENGTH_BYTES:
        raise LocalError(Code.TOO_LARGE, f"a message of {size + LENGTH_BYTES} bytes")
    return _length_of(size) + packed


def encode_all(frames: Iterable[Frame | Packed], fill_bytes: int = limits.FRAME_BYTES) -> list[bytes]:
    """As few messages as the limits allow, in order; a frame that would fill one beyond fill_bytes begins the
    next. LocalError where one frame alone is too large."""
    messages: list[bytes] = []
    parts: list[bytes] = []
    size = 0
    for frame in frames:
        packed = _packed(frame)
        added = LENGTH_BYTES + len(packed)
        if added > limits.FRAME_BYTES:
            raise LocalError(Code.TOO_LARGE, f"a frame of {len(packed)} bytes")
        if parts and (size + added > fill_bytes or len(parts) == 2 * limits.FRAMES_PER_MESSAGE):
            messages.append(b"".join(parts))
            parts, size = [], 0
        parts += (_length.pack(len(packed)), packed)
        size += added
    if parts:
        messages.append(b"".join(parts))
    return messages


def _packed(frame: Frame | Packed) -> bytes:
    if isinstance(frame, Packed):
        return frame.data
    try:
        return _encoder.encode(frame)
    except _NOT_PACKED:
        raise _not_packed(frame) from None


def _not_packed(frame: Frame | BlobFrame) -> LocalError:
    return LocalError(Code.BAD_FRAME, f"{type(frame).__name__} cannot be encoded")


_NOT_PACKED = (ValueError, OverflowError, TypeError, RecursionError)
"""What msgspec raises for what it cannot encode."""


def _decode(decoder: msgspec.msgpack.Decoder[SomeFrame], data: bytes) -> tuple[SomeFrame, ...]:
    size = len(data)
    if not size or size > limits.FRAME_BYTES:
        raise RemoteError(Code.BAD_FRAME, f"a message of {size} bytes")
    try:
        if size >= LENGTH_BYTES and LENGTH_BYTES + _length_at(data)[0] == size:
            packed = data[LENGTH_BYTES:] if size <= COPIED_BYTES else memoryview(data)[LENGTH_BYTES:]
            return (decoder.decode(packed),)
        return tuple([decoder.decode(packed) for packed in _cut(data)])
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, MemoryError):
        raise RemoteError(Code.BAD_FRAME, "not a frame of this protocol") from None


def _cut(data: bytes) -> Iterator[memoryview]:
    """The frames of a message, packed."""
    view = memoryview(data)
    at = count = 0
    while at < len(data):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(view[at:start], "big")
        if start > len(data) or at > len(data) or count == limits.FRAMES_PER_MESSAGE:
            raise RemoteError(Code.BAD_FRAME, "a message of the wrong shape")
        count += 1
        yield view[start:at]


decode_client: Callable[[bytes], tuple[ClientFrame, ...]] = partial(_decode, _client_decoder)
"""The frames of a message from a client. Raises RemoteError(bad-frame)."""
decode_server: Callable[[bytes], tuple[ServerFrame, ...]] = partial(_decode, _server_decoder)
"""The frames of a message from a server. Raises RemoteError(bad-frame)."""
decode_blob_client: Callable[[bytes], tuple[BlobClientFrame, ...]] = partial(_decode, _blob_client_decoder)
"""The same of the second channel."""
decode_blob_server: Callable[[bytes], tuple[BlobServerFrame, ...]] = partial(_decode, _blob_server_decoder)
"""The same of the second channel."""
