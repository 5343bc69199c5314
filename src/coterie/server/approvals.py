"""Devices that wait for an approval, and devices that look for them: what they say to each other is handed
on.

Bounded in count, size and time, and kept on a board (store/approval_board.py) which the servers of one
database share: its two sides may be connected to two of them (docs/protocol.md 3.12). The server learns that
somebody asks for a name, and that one of its devices answers. Whether there is such a name is not looked up:
whoever asks for a name that nobody has waits like anybody else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import assert_never

from coterie.base import limits
from coterie.base.errors import Unavailable
from coterie.base.ids import UserName
from coterie.server.connection import Connection
from coterie.server.connections import Connections
from coterie.server.store.approval_board import Asked, Board
from coterie.wire.frames import (
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
    WatchApprovals,
)

log = logging.getLogger("coterie.server.approvals")

Frame = AskApproval | WatchApprovals | RelayApproval | EndApproval
TOLD_MAX = 10 * limits.APPROVALS_SHOWN
"""A connection may answer so many of the requests that it was told of last."""


class _Side:
    """One side of a request, connected here: who asks, or the device that has answered it first."""

    __slots__ = ("_said", "connection", "is_newcomer", "number", "rendezvous", "until_seconds")

    def __init__(
        self, number: int, rendezvous: bytes, connection: Connection, until_seconds: float, *, newcomer: bool
    ) -> None:
        self.number = number
        self.rendezvous = rendezvous
        self.connection = connection
        self.until_seconds = until_seconds
        self.is_newcomer = newcomer
        self._said = 0

    def may_say(self, message: bytes) -> bool:
        """Count a message that is to be handed on. What nobody knows may say little."""
        self._said += 1
        most_bytes = limits.APPROVAL_REQUEST_BYTES if self.is_newcomer else limits.APPROVAL_MESSAGE_BYTES
        return self._said <= limits.APPROVAL_RELAYS and len(message) <= most_bytes


class _Watch:
    """A person who looks for requests. rendezvous: b"" for all of the name. seen: the newest looked at."""

    __slots__ = ("name", "rendezvous", "seen", "shown", "until_seconds")

    def __init__(self, name: UserName, rendezvous: bytes, until_seconds: float) -> None:
        self.name = name
        self.rendezvous = rendezvous
        self.until_seconds = until_seconds
        self.seen = 0
        self.shown = 0

    def wanted(self, waiting: list[Asked]) -> list[Asked]:
        """The newest of them that it was not told of, and so many only: a flood of them costs it little."""
        mine = [each for each in waiting if self._wants(each)]
        self.seen = max([self.seen, *(each.number for each in waiting)])
        wanted = mine[-limits.APPROVALS_SHOWN :][: limits.APPROVALS_SHOWN - self.shown]
        self.shown += len(wanted)
        return wanted

    def _wants(self, asked: Asked) -> bool:
        return (
            asked.number > self.seen
            and asked.name == self.name
            and self.rendezvous in (b"", asked.rendezvous)
        )


class Approvals:
    """Each request lives as long as the connections of its sides, and limits.APPROVAL_SECONDS at most."""

    def __init__(self, connections: Connections, board: Board) -> None:
        self._connections = connections
        self._board = board
        self._sides: dict[tuple[int, bool], _Side] = {}
        """By number of the request, and whether it is the newcomer."""
        self._watches: dict[Connection, _Watch] = {}
        self._told: dict[Connection, dict[bytes, int]] = {}
        """Of which requests a device was told, rendezvous -> number: no other may it answer."""
        self._left: list[_Side] = []
        """Sides that are no more, of which the board does not know yet."""
        self._changed = False
        """Something stands on the board that others have to hear of."""
        self._is_stale = False
        self.tell: Callable[[], None] = lambda: None
        """Called when other servers have to look at the board."""

    def __len__(self) -> int:
        """How many devices wait here."""
        return sum(1 for _, is_newcomer in self._sides if is_newcomer)

    @property
    def is_active(self) -> bool:
        """Whether anybody here has to do with any request."""
        return bool(self._sides or self._watches)

    def look_again(self) -> None:
        """Others may have changed something."""
        self._is_stale = True

    async def hand_on(self, connection: Connection, frame: Frame, now_seconds: float) -> None:
        """Whatever was said about an approval. Where the board cannot be used, that ends it."""
        self._is_stale = True
        try:
            match frame:
                case AskApproval():
                    await self.ask(connection, frame, now_seconds)
                case WatchApprovals():
                    self._watch(connection, frame, now_seconds)
                case RelayApproval():
                    await self.relay(connection, frame, now_seconds)
                case EndApproval():
                    side = self._side_of(connection, frame.rendezvous)
                    if side is not None:
                        self._over(side)
                case _:
                    assert_never(frame)
        except Unavailable as error:
            log.warning("a request to join ends, as it cannot be handed on: %s", error.note)
            side = self._side_of(connection, frame.rendezvous)
            if side is not None:
                self._over(side)
            elif not isinstance(frame, WatchApprovals):
                self._connections.queue(connection, (ApprovalEnded(frame.rendezvous),))

    async def ask(self, newcomer: Connection, frame: AskApproval, now_seconds: float) -> None:
        """Where too many wait, the oldest that nobody has answered goes; a request of the same rendezvous
        takes the place of the one before: its connection may be lost."""
        number = await self._board.ask(UserName(frame.name), frame.rendezvous, frame.message)
        self._add(number, frame.rendezvous, newcomer, now_seconds, newcomer=True)
        self._changed = True

    def gone(self, connection: Connection) -> None:
        """A connection is no more."""
        self._watches.pop(connection, None)
        self._told.pop(connection, None)
        for side in [each for each in self._sides.values() if each.connection is connection]:
            self._over(side)

    def expire(self, now_seconds: float) -> None:
        """Once a second: what has waited for long enough."""
        for side in [each for each in self._sides.values() if each.until_seconds <= now_seconds]:
            self._over(side)
        for device in [each for each, watch in self._watches.items() if watch.until_seconds <= now_seconds]:
            del self._watches[device]

    async def settle(self) -> None:
        """The end of a turn: what is new on the board is told to whom it is for. What fails is done again."""
        if not (self._is_stale or self._left):
            return
        try:
            while self._is_stale or self._left:
                await self._leave()
                self._is_stale = False
                if self._sides:
                    await self._look_for_news()
                if self._watches:
                    await self._look_for_requests()
        except Unavailable as error:
            self._is_stale = True
            log.warning("requests to join cannot be looked at: %s", error.note)
        if self._changed:
            self._changed = False
            self.tell()

    async def _leave(self) -> None:
        while self._left:
            side = self._left[-1]
            await self._board.leave(side.number, newcomer=side.is_newcomer)
            self._left.pop()
            self._changed = self._is_stale = True

    async def _look_for_news(self) -> None:
        newcomers = [number for number, is_newcomer in self._sides if is_newcomer]
        devices = [number for number, is_newcomer in self._sides if not is_newcomer]
        news = await self._board.news(newcomers, devices)
        for word in news.words:
            side = self._sides.get((word.number, word.to_newcomer))
            if side is not None:
                frame = ApprovalRelayed(side.rendezvous, word.message)
                self._connections.queue(side.connection, (frame,))
        for number in news.over:
            for is_newcomer in (True, False):
                side = self._sides.get((number, is_newcomer))
                if side is not None:
                    self._over(side)

    async def _look_for_requests(self) -> None:
        names = {watch.name for watch in self._watches.values()}
        waiting = await self._board.waiting(names, min(watch.seen for watch in self._watches.values()))
        shown = [(device, each) for device, watch in self._watches.items() for each in watch.wanted(waiting)]
        requests = await self._board.requests({each.number for _, each in shown}) if shown else {}
        for device, each in shown:
            request = requests.get(each.number)
            if request is None or not device.is_open:
                continue
            told = self._told.setdefault(device, {})
            told[each.rendezvous] = each.number
            if len(told) > TOLD_MAX:
                del told[next(iter(told))]
            self._connections.queue(device, (ApprovalAsked(each.rendezvous, request),))

    def _watch(self, device: Connection, frame: WatchApprovals, now_seconds: float) -> None:
        """A device of an account looks for requests: of those that wait it is told the newest."""
        who = device.caller.signed_in
        self._watches.pop(device, None)
        if who is not None and frame.seconds:
            self._watches[device] = _Watch(who.name, frame.rendezvous, now_seconds + frame.seconds)

    async def relay(self, connection: Connection, frame: RelayApproval, now_seconds: float) -> None:
        """Hand a message on to the other side. What is too much, or too many, ends the request."""
        side = self._side_of(connection, frame.rendezvous)
        if side is None:
            side = await self._answering(connection, frame.rendezvous, now_seconds)
        if side is None:
            if connection.caller.signed_in is not None:
                self._connections.queue(connection, (ApprovalEnded(frame.rendezvous),))
            return
        to_newcomer = not side.is_newcomer
        if not side.may_say(frame.message) or not await self._board.say(
            side.number, frame.message, to_newcomer=to_newcomer
        ):
            self._over(side)
        self._changed = True

    async def _answering(self, connection: Connection, rendezvous: bytes, now_seconds: float) -> _Side | None:
        """The other side from now on: a device that was told of it, as long as no other has answered."""
        number = self._told.get(connection, {}).pop(rendezvous, None)
        if number is None or not await self._board.answer(number):
            return None
        return self._add(number, rendezvous, connection, now_seconds, newcomer=False)

    def _add(
        self, number: int, rendezvous: bytes, connection: Connection, now_seconds: float, *, newcomer: bool
    ) -> _Side:
        until_seconds = now_seconds + limits.APPROVAL_SECONDS
        side = _Side(number, rendezvous, connection, until_seconds, newcomer=newcomer)
        self._sides[number, newcomer] = side
        return side

    def _side_of(self, connection: Connection, rendezvous: bytes) -> _Side | None:
        mine = (each for each in self._sides.values() if each.connection is connection)
        return next((each for each in mine if each.rendezvous == rendezvous), None)

    def _over(self, side: _Side) -> None:
        """Forget it, and say so; the other side hears of it from the board."""
        del self._sides[side.number, side.is_newcomer]
        self._left.append(side)
        self._connections.queue(side.connection, (ApprovalEnded(side.rendezvous),))
