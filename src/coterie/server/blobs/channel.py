"""The second channel: who may come in, a task for each connection, and old files that go.

It shares the port, the keys and the database with the first one, and nothing else: no turn waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.errors import CoterieError
from coterie.base.ids import DeviceId
from coterie.server.blobs.counts import FileCounts
from coterie.server.blobs.keeper import Keeper
from coterie.server.blobs.protocol import BlobStore
from coterie.server.blobs.visitor import BlobPipe, Visitor
from coterie.server.caller import Caller
from coterie.server.connection import CloseReason
from coterie.server.exposition import Figure
from coterie.server.metrics import Metrics, gauge
from coterie.server.policy import address_prefix, is_loopback
from coterie.server.realm import Realm
from coterie.server.store.protocol import Store

log = logging.getLogger("coterie.server.blobs")

PRUNE_SECONDS = 60.0
CHALLENGE_BYTES = 32
GOODBYE_SECONDS = 1.0


class BlobChannel:
    """All connections of the second channel. opened_channel() makes one."""

    def __init__(
        self, store: Store, realm: Realm, keeper: Keeper, clock: Clock, group: asyncio.TaskGroup
    ) -> None:
        self._store = store
        self._realm = realm
        self._keeper = keeper
        self._clock = clock
        self._group = group
        self._visits: dict[Visitor, asyncio.Task[None]] = {}
        self._closed = False
        self._counts = FileCounts()

    def opened(self, pipe: BlobPipe, address: str) -> Visitor | None:
        """A client has connected from this IP address; None where there is no room for it."""
        prefix, loopback = address_prefix(address), is_loopback(address)
        if self._closed or not self._has_room_for(prefix, loopback=loopback):
            return None
        caller = Caller(prefix, loopback, secrets.token_bytes(CHALLENGE_BYTES))
        visitor = Visitor(
            pipe,
            caller,
            self._realm,
            self._store,
            self._keeper,
            self._clock,
            self._counts,
            self._has_room_for_device,
        )
        self._visits[visitor] = self._group.create_task(self._run(visitor))
        return visitor

    def figures(self) -> Iterable[Figure]:
        """What is told of it."""
        yield from self._counts.figures()
        yield gauge("file_connections", "Open connections for sealed files.", len(self._visits))
        yield gauge("file_uploads_under_way", "Sealed files that are coming now.", self._keeper.under_way)

    def close(self) -> None:
        """Everybody goes; nobody comes in any more."""
        self._closed = True
        for visitor in self._visits:
            visitor.end(CloseReason.GOING_AWAY)

    async def wait_closed(self) -> None:
        """Once all are gone: who is still at it then is cut off."""
        self.close()
        tasks = list(self._visits.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
            for task in late:
                task.cancel()

    async def prune(self) -> None:
        """Drop files whose time is over, for ever."""
        while True:
            try:
                more = await self._keeper.prune()
            except CoterieError as error:
                log.critical("old files could not be dropped: %s", error.note)
                more = False
            pause_seconds = 0.0 if more else PRUNE_SECONDS
            await self._clock.wait_until(self._clock.monotonic_seconds() + pause_seconds)

    def _has_room_for(self, prefix: str, *, loopback: bool) -> bool:
        unproven = [each for each in self._visits if each.device is None and each.address == prefix]
        most = limits.BLOB_CONNECTIONS_MAX if loopback else limits.BLOB_CONNECTIONS_PER_ADDRESS
        return len(self._visits) < limits.BLOB_CONNECTIONS_MAX and len(unproven) < most

    def _has_room_for_device(self, device: DeviceId) -> bool:
        open_already = sum(1 for each in self._visits if each.device == device)
        return open_already < limits.BLOB_CONNECTIONS_PER_DEVICE

    async def _run(self, visitor: Visitor) -> None:
        try:
            await visitor.run()
        finally:
            del self._visits[visitor]


@asynccontextmanager
async def opened_channel(
    store: Store,
    realm: Realm,
    blobs: BlobStore,
    clock: Clock,
    lost: Callable[[], None],
    metrics: Metrics,
) -> AsyncIterator[BlobChannel]:
    """The channel as long as its server lives. lost: as of Keeper. What is raised inside
    comes out as it is."""
    raised: Exception | None = None
    async with asyncio.TaskGroup() as group:
        keeper = Keeper(store, blobs, clock, lost, kept_longer_ms=realm.kept_longer_ms)
        channel = BlobChannel(store, realm, keeper, clock, group)
        metrics.ask(channel.figures)
        pruning = group.create_task(channel.prune())
        try:
            yield channel
        except Exception as error:  # noqa: BLE001 - it is raised below, and not as a group
            raised = error
        finally:
            pruning.cancel()
            await channel.wait_closed()
    if raised is not None:
        raise raised
