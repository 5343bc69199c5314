"""Devices that wait for an approval, and devices that look for them: what they say to each other is handed
on.

In memory alone and bounded in count, size and time; nothing is written down (docs/protocol.md 3.12). The
server learns that somebody asks for a name, and that one of its devices answers. Whether there is such a name
is not looked up: whoever asks for a name that nobody has waits like anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from coterie.base import limits
from coterie.base.ids import UserName
from coterie.server.connection import Connection
from coterie.server.connections import Connections
from coterie.wire.frames import (
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
    WatchApprovals,
)

Frame = AskApproval | WatchApprovals | RelayApproval | EndApproval


class _Waiting:
    """One request: the connection that asks, and the device that has answered it first."""

    __slots__ = ("_from_newcomer", "_to_newcomer", "device", "frame", "newcomer", "until_seconds")

    def __init__(self, frame: AskApproval, newcomer: Connection, until_seconds: float) -> None:
        self.frame = frame
        self.newcomer = newcomer
        self.device: Connection | None = None
        self.until_seconds = until_seconds
        self._to_newcomer = 0
        self._from_newcomer = 0

    def has_room(self, message: bytes, *, to_newcomer: bool) -> bool:
        """Count a message that is to be handed on. What nobody knows may say little."""
        if to_newcomer:
            self._to_newcomer += 1
            return self._to_newcomer <= limits.APPROVAL_RELAYS
        self._from_newcomer += 1
        return self._from_newcomer <= limits.APPROVAL_RELAYS and len(message) <= limits.APPROVAL_REQUEST_BYTES


class _Watch:
    """A person who looks for requests. rendezvous: b"" for all of the name."""

    __slots__ = ("name", "rendezvous", "shown", "until_seconds")

    def __init__(self, name: UserName, rendezvous: bytes, until_seconds: float) -> None:
        self.name = name
        self.rendezvous = rendezvous
        self.until_seconds = until_seconds
        self.shown = 0

    def wants(self, waiting: _Waiting) -> bool:
        """A device is told of so many requests only: a flood of them costs it little."""
        return (
            self.shown < limits.APPROVALS_SHOWN
            and waiting.device is None
            and waiting.frame.name == self.name
            and self.rendezvous in (b"", waiting.frame.rendezvous)
        )


class Approvals:
    """Each request lives as long as its connection, and limits.APPROVAL_SECONDS at most."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: dict[bytes, _Waiting] = {}
        """By rendezvous, oldest first."""
        self._asking: dict[Connection, _Waiting] = {}
        self._watches: dict[Connection, _Watch] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def hand_on(self, connection: Connection, frame: Frame, now_seconds: float) -> None:
        """Whatever was said about an approval."""
        match frame:
            case AskApproval():
                self.ask(connection, frame, now_seconds)
            case WatchApprovals():
                self.watch(connection, frame, now_seconds)
            case RelayApproval():
                self.relay(connection, frame)
            case EndApproval():
                self.end(connection, frame)
            case _:
                assert_never(frame)

    def ask(self, newcomer: Connection, frame: AskApproval, now_seconds: float) -> None:
        """Where too many wait, the oldest that nobody has answered goes; a request of the same rendezvous
        takes the place of the one before: its connection may be lost."""
        before = self._waiting.get(frame.rendezvous)
        if before is not None:
            self._over(before)
        if len(self._waiting) >= limits.APPROVALS_WAITING:
            unanswered = (each for each in self._waiting.values() if each.device is None)
            self._over(next(unanswered, next(iter(self._waiting.values()))))
        waiting = _Waiting(frame, newcomer, now_seconds + limits.APPROVAL_SECONDS)
        self._waiting[frame.rendezvous] = self._asking[newcomer] = waiting
        for device, watch in self._watches.items():
            if now_seconds < watch.until_seconds:
                self._show(device, watch, (waiting,))

    def watch(self, device: Connection, frame: WatchApprovals, now_seconds: float) -> None:
        """A device of an account looks for requests: of those that wait it is told the newest."""
        who = device.caller.signed_in
        self._watches.pop(device, None)
        if who is None or not frame.seconds:
            return
        watch = _Watch(who.name, frame.rendezvous, now_seconds + frame.seconds)
        self._watches[device] = watch
        wanted = [each for each in self._waiting.values() if watch.wants(each)]
        self._show(device, watch, wanted[-limits.APPROVALS_SHOWN :])

    def relay(self, connection: Connection, frame: RelayApproval) -> None:
        """Hand a message on to the other side. What is too much, or too many, ends the request."""
        waiting = self._of(connection, frame.rendezvous)
        if waiting is None:
            if connection.caller.signed_in is not None:
                self._connections.queue(connection, (ApprovalEnded(frame.rendezvous),))
            return
        to_newcomer = connection is not waiting.newcomer
        if to_newcomer and waiting.device is None:
            waiting.device = connection
        other = waiting.newcomer if to_newcomer else waiting.device
        if other is None or not waiting.has_room(frame.message, to_newcomer=to_newcomer):
            self._over(waiting)
            return
        self._connections.queue(other, (ApprovalRelayed(frame.rendezvous, frame.message),))

    def end(self, connection: Connection, frame: EndApproval) -> None:
        """One side has nothing more to say. A device that has answered nothing ends nothing."""
        waiting = self._of(connection, frame.rendezvous)
        if waiting is not None and connection in (waiting.newcomer, waiting.device):
            self._over(waiting)

    def gone(self, connection: Connection) -> None:
        """A connection is no more."""
        self._watches.pop(connection, None)
        asked = self._asking.get(connection)
        if asked is not None:
            self._over(asked)
        for waiting in [each for each in self._waiting.values() if each.device is connection]:
            self._over(waiting)

    def expire(self, now_seconds: float) -> None:
        """Once a second: what has waited for long enough."""
        for waiting in [each for each in self._waiting.values() if each.until_seconds <= now_seconds]:
            self._over(waiting)
        for device in [each for each, watch in self._watches.items() if watch.until_seconds <= now_seconds]:
            del self._watches[device]

    def _of(self, connection: Connection, rendezvous: bytes) -> _Waiting | None:
        """The request, where this connection is one of its sides, or may become it: a device of that name
        may, as long as no other has answered."""
        waiting = self._waiting.get(rendezvous)
        if waiting is None or connection in (waiting.newcomer, waiting.device):
            return waiting
        who = connection.caller.signed_in
        mine = who is not None and who.name == waiting.frame.name
        return waiting if mine and waiting.device is None else None

    def _show(self, device: Connection, watch: _Watch, waiting: Iterable[_Waiting]) -> None:
        for each in waiting:
            if watch.wants(each):
                watch.shown += 1
                asked = ApprovalAsked(each.frame.rendezvous, each.frame.message)
                self._connections.queue(device, (asked,))

    def _over(self, waiting: _Waiting) -> None:
        """Forget it, and say so to both sides."""
        rendezvous = waiting.frame.rendezvous
        del self._waiting[rendezvous]
        del self._asking[waiting.newcomer]
        for side in (waiting.newcomer, waiting.device):
            if side is not None:
                self._connections.queue(side, (ApprovalEnded(rendezvous),))
