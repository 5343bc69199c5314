"""One connection as the server sees it, whatever carries its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Protocol

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.server.caller import Caller
from coterie.server.reader import Reader
from coterie.wire.codec import Packed
from coterie.wire.frames import ClientFrame, Refusal, ServerFrame, TellHealth
from coterie.wire.session import Role, Session, State

PORTION_BYTES = limits.MESSAGE_FILL_BYTES
"""Of what goes at leisure, in one turn: a message."""


class CloseReason(IntEnum):
    """WebSocket close codes (RFC 6455 7.4.1)."""

    DONE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    REFUSED = 1008
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013


class Pipe(Protocol):
    """Carries messages to one client; the gateway's own is a WebSocket."""

    @property
    def unsent_bytes(self) -> int:
        """What the network has not taken yet."""
        ...

    def send(self, message: bytes) -> None: ...
    def ping(self) -> None: ...
    def close(self, reason: CloseReason) -> None: ...


class Connection:
    """Session, caller and what is to be sent at the end of this turn."""

    __slots__ = (
        "_at_leisure",
        "_out",
        "_unsent_bytes",
        "caller",
        "health",
        "heard_at",
        "is_open",
        "look_again_at",
        "opened_at",
        "paused_at",
        "pinged_at",
        "pipe",
        "reader",
        "session",
    )

    def __init__(self, pipe: Pipe, caller: Caller, now_seconds: float) -> None:
        self.pipe = pipe
        self.caller = caller
        self.session: Session[ClientFrame, ServerFrame] = Session(Role.SERVER)
        self.reader: Reader | None = None
        """From Sync on."""
        self.opened_at = now_seconds
        self.heard_at = now_seconds
        """When something came from the client."""
        self.pinged_at: float | None = None
        """And when it was pinged since."""
        self.paused_at: float | None = None
        """Since when the network takes nothing more, or when it last took something."""
        self.look_again_at = now_seconds
        """Nothing is due before (housekeeping.py)."""
        self.health: TellHealth | None = None
        """What the device told of itself last."""
        self._unsent_bytes = 0
        self.is_open = True
        self._out: list[ServerFrame | Packed] = []
        self._at_leisure: list[Packed] = []

    def receive(self, message: bytes) -> tuple[ClientFrame, ...]:
        """Raises RemoteError."""
        return self.session.receive(message)

    def paused(self, now_seconds: float) -> None:
        """The network takes nothing more."""
        self.paused_at = self.look_again_at = now_seconds
        self._unsent_bytes = self.pipe.unsent_bytes

    def resumed(self, now_seconds: float) -> None:
        """The network takes everything again. Nothing was read from there meanwhile: it counts as heard."""
        self.paused_at = None
        self._moved(now_seconds)

    def look(self, now_seconds: float) -> None:
        """Whether the network has taken something since the last look, slow as it may be."""
        if self.paused_at is None:
            return
        unsent_bytes = self.pipe.unsent_bytes
        if unsent_bytes < self._unsent_bytes:
            self.paused_at = now_seconds
            self._moved(now_seconds)
        self._unsent_bytes = unsent_bytes

    def _moved(self, now_seconds: float) -> None:
        self.heard_at = now_seconds
        self.pinged_at = None
        if self.reader is not None:
            self.reader.moved_at = now_seconds

    def know(self, **changes: object) -> None:
        """Something more is known of the caller."""
        self.caller = msgspec.structs.replace(self.caller, **changes)

    def queue(self, frames: Iterable[ServerFrame | Packed]) -> None:
        """To be sent with flush()."""
        self._out.extend(frames)

    def answer(self, frame: ServerFrame) -> None:
        """One more."""
        self._out.append(frame)

    def queue_at_leisure(self, frames: Iterable[Packed]) -> None:
        """To be sent in this order behind all else, a portion at a time, when the network has taken what went
        before: a buffer of the connection keeps the size that it once had."""
        self._at_leisure.extend(frames)

    @property
    def has_more(self) -> bool:
        """Whether something is left of that."""
        return bool(self._at_leisure)

    @property
    def takes_more(self) -> bool:
        """Whether a portion of it may go now."""
        return self.paused_at is None and self.pipe.unsent_bytes == 0

    def _portion(self) -> list[Packed]:
        """The next ones of what goes at leisure."""
        size = count = 0
        for frame in self._at_leisure:
            size += len(frame.data)
            if count and size > PORTION_BYTES:
                break
            count += 1
        portion = self._at_leisure[:count]
        del self._at_leisure[:count]
        return portion

    def take(self) -> Sequence[ServerFrame | Packed]:
        """What is to be sent now: what was queued, then the entries that the reader has taken, then a portion
        of what goes at leisure."""
        frames: Sequence[ServerFrame | Packed] = self._out
        if frames:
            self._out = []
        reader = self.reader
        if reader is not None and reader.has_frames:
            frames = [*frames, *reader.frames()] if frames else reader.frames()
        if self._at_leisure and self.takes_more:
            return [*frames, *self._portion()]
        return frames

    def flush(self) -> int:
        """Send what there is, in few messages; their bytes."""
        if not self.is_open:
            return 0
        frames = self.take()
        if len(frames) == 1:
            message = self.session.send_one(frames[0])
            self.pipe.send(message)
            return len(message)
        sent_bytes = 0
        for message in self.session.send_all(frames, limits.MESSAGE_FILL_BYTES):
            self.pipe.send(message)
            sent_bytes += len(message)
        return sent_bytes

    def refuse(self, code: Code) -> None:
        """Say why, and close."""
        if not self.is_open:
            return
        if self.session.state is not State.BROKEN:
            self.flush()
        with suppress(LocalError):
            self.pipe.send(self.session.send(Refusal(0, code.value)))
        self.close(CloseReason.REFUSED)

    def close(self, reason: CloseReason) -> None:
        """Nothing more is sent or heard."""
        if self.is_open:
            self.is_open = False
            self._out.clear()
            self._at_leisure.clear()
            self.pipe.close(reason)
