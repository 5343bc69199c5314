"""What several servers of one database ask of it besides: how far everything is, and who is where."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from coterie.base.ids import AccountId, DeviceId, StreamId, UserName
from coterie.server.caller import SignedIn
from coterie.server.store.approval_board import Board
from coterie.server.store.protocol import Place
from coterie.server.tries import TryTable
from coterie.wire.frames.messages import LogEntry


class Pulse(msgspec.Struct, frozen=True):
    """How far the data is. ledger_size: leaves; head_size, head_ms: of the newest head; restored: the data is
    to begin another life; servers: the numbers of those that are there."""

    ledger_size: int
    head_size: int
    head_ms: int
    restored: bool
    servers: frozenset[int]


class Standing(msgspec.Struct, frozen=True):
    """Of one moment. entries: of logs, behind each place that was asked about; ends: the last seq of each of
    these logs, and of each mailbox."""

    entries: dict[Place, tuple[LogEntry, ...]]
    ends: dict[StreamId, int]


class Shared(Protocol):
    """All raise Unavailable(disk) where the database cannot be used now."""

    @property
    def approvals(self) -> Board:
        """Where requests to join wait."""
        ...

    @property
    def tries(self) -> TryTable:
        """Where tries to get in are counted."""
        ...

    @property
    def number(self) -> int:
        """Of this server; another one after each StoreLost."""
        ...

    async def pulse(self) -> Pulse: ...
    async def ends(self, streams: Collection[StreamId]) -> dict[StreamId, int]:
        """The last seq of each."""
        ...

    async def logs(
        self, places: Collection[Place], mailboxes: Collection[StreamId], entries: int, most_bytes: int
    ) -> Standing:
        """As Store.logs(). What opens an entry that is given was committed before it, so it stands before the
        end that is given of its reader's mailbox."""
        ...

    async def enter(self, visitors: Collection[SignedIn]) -> None:
        """These devices are connected here now, and that is newer than wherever else they are."""
        ...

    async def leave(self, devices: Collection[DeviceId]) -> None:
        """These are not connected here any more."""
        ...

    async def elsewhere(self, devices: Collection[DeviceId]) -> set[DeviceId]:
        """Those of them whose newest connection is at another server that is there."""
        ...

    async def ask(self, device: DeviceId) -> int:
        """Have its connection at another server pinged; the number of the question, 0 where it has none."""
        ...

    async def asked(self) -> dict[DeviceId, int]:
        """Of which devices here that was asked: the newest question about each, which is told once."""
        ...

    async def answer(self, device: DeviceId, question: int) -> None:
        """Its connection here has answered a ping."""
        ...

    async def answers(self, devices: Collection[DeviceId]) -> dict[DeviceId, int | None]:
        """Up to which question they have answered; None for who is connected nowhere."""
        ...

    async def ended(self, devices: Collection[DeviceId]) -> set[DeviceId]:
        """Those of them that are revoked, or whose account goes on under another identity."""
        ...

    async def logs_of(self, devices: Collection[DeviceId]) -> dict[DeviceId, int]:
        """How many logs each may read."""
        ...

    async def people_elsewhere(self) -> dict[AccountId, UserName]:
        """Whoever has a device at another server that is there."""
        ...

    async def sweep(self, servers: Iterable[int]) -> None:
        """Forget who was connected to servers that are none of these, and what they asked."""
        ...

    async def close(self) -> None: ...
