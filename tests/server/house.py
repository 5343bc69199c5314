"""A whole server without sockets: turns on a real store, a clock that the test moves, and pipes of memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from coterie.base.clock import FakeClock
from coterie.server.connection import CloseReason, Connection
from coterie.server.exposition import Figure
from coterie.server.metrics import Metrics
from coterie.server.realm import Realm
from coterie.server.restoring import open_or_begin_life
from coterie.server.sequencer import Sequencer
from coterie.server.store.sqlite import SqliteStore
from coterie.server.turns import Turns
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import (
    Ack,
    ClientFrame,
    Hello,
    LogEntries,
    MailboxEntries,
    Presence,
    Ready,
    ServerFrame,
    Sync,
    Welcome,
)
from coterie.wire.frames.messages import LogEntry, MailboxEntry
from coterie.wire.frames.shared import Position
from coterie.wire.session import Role, Session
from tests.ledger.accounts import NOW_MS
from tests.server.people import Device

TLS_KEY = b"t" * 32
WAIT_SECONDS = 10.0
LOOPBACK = "127.0.0.1"

FrameT = TypeVar("FrameT", bound=ServerFrame)


class Wire:
    """A client's end in memory; implements the server's Pipe."""

    def __init__(self, house: House, address: str) -> None:
        self._house = house
        self._session: Session[ServerFrame, ClientFrame] = Session(Role.CLIENT)
        self._frames: asyncio.Queue[ServerFrame] = asyncio.Queue()
        self.kept: list[ServerFrame] = []
        """Frames that came while the test waited for others."""
        self.unsent_bytes = 0
        self.deaf = False
        """What the server says is not looked at any more."""
        self.challenge = bytes(32)
        self.pings = 0
        self.answers_pings = True
        self.closed = asyncio.Event()
        self.reason: CloseReason | None = None
        self.incarnation = b""
        self.connection: Connection = house.turns.opened(self, address)

    def send(self, message: bytes) -> None:
        if self.deaf:
            return
        for frame in self._session.receive(message):
            self._frames.put_nowait(frame)

    def ping(self) -> None:
        self.pings += 1
        if self.answers_pings:
            asyncio.get_running_loop().call_soon(self._house.turns.heard, self.connection)

    def close(self, reason: CloseReason) -> None:
        self.reason = reason
        self.closed.set()
        asyncio.get_running_loop().call_soon(self._house.turns.closed, self.connection)

    def say(self, *frames: ClientFrame) -> None:
        """In one message."""
        self.throw(self._session.send(*frames))

    def throw(self, message: bytes) -> None:
        """Any bytes."""
        self._house.turns.received(self.connection, message)

    def hang_up(self) -> None:
        self._house.turns.closed(self.connection)

    async def next(self, kind: type[FrameT]) -> FrameT:
        """The next frame of this kind; others are kept aside."""
        for index, frame in enumerate(self.kept):
            if isinstance(frame, kind):
                del self.kept[index]
                return frame
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame = await self._frames.get()
                if isinstance(frame, kind):
                    return frame
                self.kept.append(frame)

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """The answer that names the request."""
        self.say(frame)
        request = getattr(frame, "request", None)
        for index, kept in enumerate(self.kept):
            if getattr(kept, "request", None) == request:
                return self.kept.pop(index)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                got = await self._frames.get()
                if getattr(got, "request", None) == request:
                    return got
                self.kept.append(got)

    def waiting(self, kind: type[FrameT]) -> list[FrameT]:
        """Frames of this kind that are here already."""
        while not self._frames.empty():
            self.kept.append(self._frames.get_nowait())
        return [frame for frame in self.kept if isinstance(frame, kind)]

    async def greet(self) -> Welcome:
        self.say(Hello(VERSIONS))
        welcome = await self.next(Welcome)
        self.incarnation = welcome.incarnation
        self.challenge = welcome.challenge
        return welcome

    async def sign_in(self, device: Device, *, sync: bool = True) -> Ready:
        """Greet, prove, wait for Ready, and start delivery."""
        await self.greet()
        ready = await self.ask(device.prove(self.challenge, TLS_KEY))
        assert isinstance(ready, Ready), ready
        presence = await self.next(Presence)
        assert presence.initial
        if sync:
            self.say(Sync(()))
        return ready

    async def mail(self, count: int) -> list[MailboxEntry]:
        """The next entries of the mailbox."""
        entries: list[MailboxEntry] = []
        while len(entries) < count:
            entries += (await self.next(MailboxEntries)).entries
        return entries

    async def messages(self, count: int) -> list[LogEntry]:
        """The next entries of any log."""
        entries: list[LogEntry] = []
        while len(entries) < count:
            entries += (await self.next(LogEntries)).entries
        return entries

    def acknowledge(self, stream: bytes, seq: int) -> None:
        self.say(Ack((Position(stream, self.incarnation, seq),)))


class House:
    """One server."""

    def __init__(self, store: SqliteStore, realm: Realm, turns: Turns, clock: FakeClock) -> None:
        self.store = store
        self.realm = realm
        self.turns = turns
        self.clock = clock
        self.metrics = Metrics()

    def wire(self, address: str = LOOPBACK) -> Wire:
        return Wire(self, address)

    def figure(self, name: str, label: str = "") -> float:
        """What the server tells of itself under this name."""
        (found,) = [each for each in self.metrics.figures() if each.name == f"coterie_{name}"]
        assert isinstance(found, Figure)
        return found.values.get(label, 0)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, a tick at a time, with a turn after each."""
        for _ in range(round(seconds)):
            await settle()
            self.clock.advance(1.0)
        await settle()


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(turns: Turns) -> AsyncIterator[None]:
    """Meanwhile there are turns; at the end they stop as by SIGTERM."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(turns.run())
        try:
            yield
        finally:
            turns.stop()
            await task


@asynccontextmanager
async def house_in(
    folder: Path, *, open_signup: bool = True, clock: FakeClock | None = None, tls_key: bytes = TLS_KEY
) -> AsyncIterator[House]:
    """Open a server on this folder, run it, and end it as SIGTERM would."""
    time = clock or FakeClock(NOW_MS)
    store = SqliteStore(folder / "server.db")
    try:
        realm = await open_or_begin_life(store, tls_key, open_signup, time.wall_ms())
        metrics = Metrics()
        turns = Turns(store, realm, await Sequencer.load(store, realm), metrics, time)
        await turns.prepare()
        house = House(store, realm, turns, time)
        house.metrics = metrics
        async with running(turns):
            yield house
    finally:
        await store.close()
