"""What has come in and waits for the turn: bounded, and with a part that nobody else can fill.

A full lane answers requests with `busy`. A connection that has little in it is let in all the same, so that
one that floods the server makes itself busy and nobody else (docs/protocol.md 3.11). How much fills it
depends on how long a turn takes: whatever is let in is answered soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coterie.base import limits
from coterie.server.connection import Connection
from coterie.server.rivals import Visit
from coterie.wire.frames import ClientFrame, FetchAccounts, FetchLeaves, FetchVault, Ping

_FETCHES = frozenset((FetchLeaves, FetchAccounts, FetchVault))
"""Their answers are many times as large as they are."""


_SHARES = ((2, limits.LANE_SHARE_FRAMES), (3, limits.LANE_SHARE_FRAMES // 8), (8, 1))
"""How often over the lane may be filled, and what one connection may have in it until then."""


class _Part:
    """What one connection has in the lane."""

    __slots__ = ("bytes", "fetches", "frames")

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self.fetches = 0


class Lane:
    """Frames in the order in which they came; taken as a whole by each turn."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []
        self._bytes = 0
        self._came: list[tuple[Connection, int]] = []
        """Messages of one frame, and their bytes, that are not counted in the parts yet."""
        self._parts: dict[Connection, _Part] = {}
        self._frames_most = limits.LANE_FRAMES

    def __len__(self) -> int:
        return len(self._visits)

    @property
    def bytes(self) -> int:
        """Of the messages whose frames wait."""
        return self._bytes

    def put(self, connection: Connection, frames: Sequence[ClientFrame], message_bytes: int) -> Sequence[int]:
        """Take the frames of one message of that size; the numbers of the requests that there is no room for.

        Acknowledgements are always taken: they are cheap, and no more can come in a turn than is read from a
        socket at once. Pings are left out where there is no room: nobody waits for a pong.
        """
        full = self._is_filled(1)
        self._bytes += message_bytes
        if not full and len(frames) == 1 and type(frames[0]) not in _FETCHES:
            self._came.append((connection, message_bytes))
            self._visits.append(Visit(connection, frames[0], connection.heard_at))
            return ()
        part = self._part_of(connection)
        part.bytes += message_bytes
        busy: list[int] = []
        for frame in frames:
            full = full or self._is_filled(1)
            if full and not self._has_room(part):
                if request := getattr(frame, "request", 0):
                    busy.append(request)
                    continue
                if isinstance(frame, Ping):
                    continue
            if type(frame) in _FETCHES:
                if part.fetches == limits.FETCHES_PER_TURN:
                    busy.append(getattr(frame, "request", 0))
                    continue
                part.fetches += 1
            part.frames += 1
            self._visits.append(Visit(connection, frame, connection.heard_at))
        return busy

    def again(self, visits: Iterable[Visit]) -> None:
        """Frames to be handled in the next turn: they were in the lane before."""
        self._visits.extend(visits)

    def took(self, frames: int, seconds: float) -> None:
        """So long was the turn of so many. Where that was too long, less fills the lane from now on, and a
        little more again after each turn of many that was quick. One of few says nothing: it may be the disk.
        """
        if frames < limits.LANE_LEAST_FRAMES:
            return
        if seconds > limits.LANE_SECONDS:
            quick = round(frames * limits.LANE_SECONDS / seconds)
            self._frames_most = max(limits.LANE_LEAST_FRAMES, min(self._frames_most, quick))
        else:
            self._frames_most = min(limits.LANE_FRAMES, self._frames_most + self._frames_most // 8)

    def take(self) -> list[Visit]:
        """Everything, for this turn."""
        visits, self._visits = self._visits, []
        self._bytes = 0
        self._came.clear()
        self._parts.clear()
        return visits

    def _is_filled(self, times: float) -> bool:
        """As often as that, with frames or with bytes."""
        return len(self._visits) >= times * self._frames_most or self._bytes >= times * limits.LANE_BYTES

    def _has_room(self, part: _Part) -> bool:
        """In a full lane: for who has little in it. The fuller it is the less that may be, down to nothing:
        else many who have little each would fill it without end."""
        if part.bytes > limits.LANE_SHARE_BYTES:
            return False
        shares = (share for times, share in _SHARES if not self._is_filled(times))
        return part.frames < next(shares, 0)

    def _part_of(self, connection: Connection) -> _Part:
        """Parts count for nothing before the lane is full, so they are made up then."""
        for sender, message_bytes in self._came:
            part = self._parts.setdefault(sender, _Part())
            part.bytes += message_bytes
            part.frames += 1
        self._came.clear()
        return self._parts.setdefault(connection, _Part())
