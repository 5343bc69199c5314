"""Frames to bytes and back. One WebSocket message holds one or more frames (docs/protocol.md 3.1).

A message is a row of (length, 4 bytes big endian; frame, msgpack). Whatever arrives, decoding either returns
frames or raises RemoteError(bad-frame): nothing else leaves this module.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire.frames import ClientFrame, Frame, ServerFrame

VERSIONS: tuple[int, ...] = (1,)
"""The protocol versions spoken here, best first."""

LENGTH_BYTES = 4
_length = struct.Struct(">I")

_encoder = msgspec.msgpack.Encoder()
_client_decoder: msgspec.msgpack.Decoder[ClientFrame] = msgspec.msgpack.Decoder(ClientFrame)
_server_decoder: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)

SomeFrame = TypeVar("SomeFrame", ClientFrame, ServerFrame)


def encode(*frames: Frame) -> bytes:
    """One message with these frames, in order. Raises LocalError where a limit of a message is passed."""
    if not 1 <= len(frames) <= limits.FRAMES_PER_MESSAGE:
        raise LocalError(Code.USAGE, f"{len(frames)} frames in one message")
    packed = [_packed(frame) for frame in frames]
    message = b"".join([part for each in packed for part in (_length.pack(len(each)), each)])
    if len(message) > limits.FRAME_BYTES:
        raise LocalError(Code.TOO_LARGE, f"a message of {len(message)} bytes")
    return message


def encode_all(frames: Iterable[Frame], fill_bytes: int = limits.FRAME_BYTES) -> list[bytes]:
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


def decode_client(data: bytes) -> tuple[ClientFrame, ...]:
    """The frames of a message from a client. Raises RemoteError(bad-frame)."""
    return _decode(_client_decoder, data)


def decode_server(data: bytes) -> tuple[ServerFrame, ...]:
    """The frames of a message from a server. Raises RemoteError(bad-frame)."""
    return _decode(_server_decoder, data)


def _packed(frame: Frame) -> bytes:
    try:
        return _encoder.encode(frame)
    except (ValueError, OverflowError, TypeError, RecursionError):
        raise LocalError(Code.BAD_FRAME, f"{type(frame).__name__} cannot be encoded") from None


def _decode(decoder: msgspec.msgpack.Decoder[SomeFrame], data: bytes) -> tuple[SomeFrame, ...]:
    size = len(data)
    if not size or size > limits.FRAME_BYTES:
        raise RemoteError(Code.BAD_FRAME, f"a message of {size} bytes")
    view = memoryview(data)
    if size >= LENGTH_BYTES and LENGTH_BYTES + _length.unpack_from(data)[0] == size:
        return (_decode_frame(decoder, view[LENGTH_BYTES:]),)
    frames: list[SomeFrame] = []
    at = 0
    while at < size:
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(view[at:start], "big")
        if start > size or at > size or len(frames) == limits.FRAMES_PER_MESSAGE:
            raise RemoteError(Code.BAD_FRAME, "a message of the wrong shape")
        frames.append(_decode_frame(decoder, view[start:at]))
    return tuple(frames)


def _decode_frame(decoder: msgspec.msgpack.Decoder[SomeFrame], packed: memoryview) -> SomeFrame:
    try:
        return decoder.decode(packed)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, MemoryError):
        raise RemoteError(Code.BAD_FRAME, "not a frame of this protocol") from None
