"""A real server that lies: its own state stays true, what it says on chosen connections does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import pytest

from coterie.base.ids import AccountId
from coterie.server.connection import CloseReason, Connection
from coterie.wire import codec
from coterie.wire.frames import Ready, ServerFrame

Said = ServerFrame | bytes
"""A frame, or what stands in a frame's place."""
Lie = Callable[[ServerFrame], Iterable[Said]]


class Liar:
    """lie: what is said instead of each frame to the victim and to who has not signed in; None: the truth.
    told: the newest true frame of each kind that went there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lie: Lie | None = None
        self.victim = AccountId(b"")
        self.told: dict[type, ServerFrame] = {}
        self.signed_in = 0
        """How often the victim has."""
        self.open: dict[Connection, None] = {}
        liar = self

        def flush(connection: Connection) -> int:
            return liar.flush(connection)

        monkeypatch.setattr(Connection, "flush", flush)

    def flush(self, connection: Connection) -> int:
        """Instead of Connection.flush()."""
        frames = [_unpacked(frame) for frame in connection.take()] if connection.is_open else []
        if not frames:
            return 0
        self.open[connection] = None
        messages = connection.session.send_all(frames)
        who = connection.caller.signed_in
        if who is None or who.account == self.victim:
            self.told.update({type(frame): frame for frame in frames})
            self.signed_in += sum(isinstance(frame, Ready) for frame in frames)
            if self.lie is not None:
                messages = packed([said for frame in frames for said in self.lie(frame)])
        for message in messages:
            connection.pipe.send(message)
        return sum(map(len, messages))

    def hang_up_on_the_victim(self) -> None:
        """Without a word."""
        for connection in list(self.open):
            who = connection.caller.signed_in
            if not connection.is_open:
                del self.open[connection]
            elif who is not None and who.account == self.victim:
                connection.pipe.close(CloseReason.GOING_AWAY)


def _unpacked(frame: ServerFrame | codec.Packed) -> ServerFrame:
    if not isinstance(frame, codec.Packed):
        return frame
    (unpacked,) = codec.decode_server(len(frame.data).to_bytes(codec.LENGTH_BYTES, "big") + frame.data)
    return unpacked


def packed(all_said: list[Said]) -> list[bytes]:
    """A message for each: what does not fit into one is said all the same."""
    messages = []
    for said in all_said:
        data = said if isinstance(said, bytes) else _encode(said)
        messages.append(len(data).to_bytes(codec.LENGTH_BYTES, "big") + data)
    return messages


def _encode(frame: ServerFrame) -> bytes:
    try:
        return msgspec.msgpack.encode(frame)
    except OverflowError:
        return b"\xc0"
