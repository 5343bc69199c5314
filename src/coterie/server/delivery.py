"""From streams to the connections of the devices that may read them.

What is committed goes straight from memory to every reader that stands at the end of its stream and has room;
who is behind reads from the store. Nothing here is lost with the process: cursors lie in the store, and a
reader that comes back says where it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

import msgspec

from coterie.base import limits
from coterie.base.ids import DeviceId, StreamId, is_mailbox
from coterie.server.connection import Connection
from coterie.server.reader import ENTRY_OVERHEAD_BYTES, Reader, StreamState, Window
from coterie.server.store.protocol import Place, Store
from coterie.server.store.records import MoveCursor
from coterie.server.store.results import Opened
from coterie.server.store.shared import Standing
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry, MailboxEntry
from coterie.wire.frames.shared import Position

STREAMS_MAX = 1 << 30
_NOBODY: dict[DeviceId, Connection] = {}
READERS_PER_TURN = 64
READS_PER_READER = 8
LOG_CHUNK_ENTRIES = 64


class Waiting(msgspec.Struct, frozen=True):
    """Entries of all connected devices together. waiting: not sent yet; under_way: sent, and not
    acknowledged."""

    mail_waiting: int
    messages_waiting: int
    mail_under_way: int
    messages_under_way: int
    devices_behind: int


class OtherWriters(Protocol):
    """Other servers, which write into the same streams."""

    def listen(self, stream: StreamId) -> None:
        """A device here reads it from now on."""
        ...

    def ignore(self, stream: StreamId) -> None: ...
    async def logs(
        self, places: Collection[Place], mailboxes: Collection[StreamId], entries: int, most_bytes: int
    ) -> Standing:
        """Entries, and ends of mailboxes, as the database has them now."""
        ...


class Delivery:
    """Only the gateway's turn calls it, but for stop() and paused(): a connection may end while the store is
    waited for."""

    def __init__(self, store: Store, incarnation: bytes) -> None:
        self._store = store
        self.others: OtherWriters | None = None
        """None: nobody else writes."""
        self._incarnation = incarnation
        self._by_device: dict[DeviceId, Connection] = {}
        self._by_log: dict[StreamId, dict[DeviceId, Connection]] = {}
        self._to_flush: dict[Connection, None] = {}
        self._to_fill: dict[Connection, None] = {}
        self._cursors: dict[tuple[DeviceId, StreamId], int] = {}
        self._cursors_since: float | None = None
        self.has_news = False
        """Whether others have told of logs since fill() began last."""

    async def start(
        self, connection: Connection, device: DeviceId, positions: tuple[Position, ...], now: float
    ) -> None:
        """Deliver to this connection from now on, after these positions."""
        reader = Reader(device, self._incarnation, now)
        at = {each.stream: each.seq for each in positions if each.incarnation == self._incarnation}
        ends = await self._store.stream_ends(device, STREAMS_MAX)
        if not connection.is_open:
            return
        for end in ends:
            self._add(connection, reader, end, at.get(end.stream, 0), now)
        connection.reader = reader
        reader.paused = connection.paused_at is not None
        self._by_device[device] = connection
        if self.others is not None:
            self.others.listen(reader.mailbox.stream)
        self._to_fill[connection] = None

    def stop(self, connection: Connection) -> None:
        """The connection is gone; what it acknowledged is kept."""
        reader = connection.reader
        self._to_fill.pop(connection, None)
        self._to_flush.pop(connection, None)
        if reader is None or self._by_device.get(reader.device) is not connection:
            return
        del self._by_device[reader.device]
        if self.others is not None:
            self.others.ignore(reader.mailbox.stream)
        for stream in reader.logs:
            readers = self._by_log.get(stream, {})
            readers.pop(reader.device, None)
            if not readers:
                self._by_log.pop(stream, None)
                if self.others is not None:
                    self.others.ignore(stream)

    def opened(self, opened: Iterable[Opened]) -> None:
        """Devices have become entitled to streams. One that began in this turn has them from its start."""
        for each in opened:
            connection = self._by_device.get(each.device)
            if connection is None or connection.reader is None:
                continue
            if each.stream not in connection.reader.logs:
                connection.reader.add_log(each.stream, each.after_seq, each.after_seq)
                self._reads(each.stream, each.device, connection)

    def appended(
        self, stream: StreamId, entry: LogEntry, now: float, speaker: Connection
    ) -> tuple[int, bool]:
        """A message was committed. To how many it goes at once; and whether the answer to who spoke may stand
        for it, as all before it went out there (decision 21)."""
        sent, stands = 0, False
        for connection in self._by_log.get(stream, _NOBODY).values():
            reader = connection.reader
            if reader is None:
                continue
            if connection is speaker and reader.passes(stream, entry.seq):
                stands = True
            elif reader.offer_message(stream, entry, now):
                sent += 1
                self._to_flush[connection] = None
            else:
                self._to_fill[connection] = None
        return sent, stands

    def posted(self, device: DeviceId, entry: MailboxEntry, now: float) -> None:
        """An envelope was committed."""
        connection = self._by_device.get(device)
        if connection is not None and connection.reader is not None:
            if connection.reader.offer_mail(entry, now):
                self._to_flush[connection] = None
            else:
                self._to_fill[connection] = None

    async def entitled(self, connection: Connection, now: float) -> None:
        """Another server may have entitled its device to more streams."""
        reader = connection.reader
        if reader is None:
            return
        ends = await self._store.stream_ends(reader.device, STREAMS_MAX)
        if self._by_device.get(reader.device) is not connection:
            return
        for end in ends:
            if reader.stream(StreamId(end.stream)) is None:
                self._add(connection, reader, end, 0, now)
        self._to_fill[connection] = None

    def ended(self, ends: Mapping[StreamId, int]) -> None:
        """These streams reach so far: others have written. It is read from the store."""
        for stream, end in ends.items():
            if is_mailbox(stream):
                connection = self._by_device.get(DeviceId(stream[1:]))
                if (
                    connection is not None
                    and connection.reader is not None
                    and connection.reader.mail_ends(end)
                ):
                    self._to_fill[connection] = None
                continue
            for connection in self._by_log.get(stream, {}).values():
                if connection.reader is not None and connection.reader.log_ends(stream, end):
                    self._to_fill[connection] = None

    def told(self, log: StreamId) -> None:
        """Others may have written to it: fill() looks."""
        self.has_news = True
        for connection in self._by_log.get(log, _NOBODY).values():
            if connection.reader is not None:
                connection.reader.log_told(log)
                self._to_fill[connection] = None

    def acknowledge(self, connection: Connection, positions: tuple[Position, ...], now: float) -> None:
        """The device has committed everything up to these positions; other streams are ignored, and what
        comes before Sync was carried out: nothing has been sent then."""
        reader = connection.reader
        if reader is None:
            return
        for position in positions:
            state = reader.stream(StreamId(position.stream))
            if position.incarnation != self._incarnation or state is None:
                continue
            if state.acknowledge(position.seq):
                self._keep(reader.device, state, now)
                reader.moved_at = now
        if reader.wants_entries:
            self._to_fill[connection] = None

    def paused(self, connection: Connection, *, paused: bool) -> None:
        """The network takes no more, or takes more again."""
        if connection.reader is not None:
            connection.reader.paused = paused
            if not paused:
                self._to_fill[connection] = None

    async def fill(self, now: float) -> bool:
        """Read for those who are behind, or may be, and have room: a few at a time; whether more waits."""
        self.has_news = False
        chosen = list(self._to_fill)[:READERS_PER_TURN]
        recent: dict[Place, tuple[LogEntry, ...]] = {}
        for connection in chosen:
            self._to_fill.pop(connection, None)
        hungry = chosen
        try:
            for _ in range(READS_PER_READER):
                hungry = [each for each in hungry if each.is_open and _wants_entries(each)]
                if not hungry:
                    break
                await self._read(hungry, recent, now)
        finally:
            for connection in chosen:
                if connection.is_open and _wants_entries(connection):
                    self._to_fill[connection] = None
        return bool(self._to_fill)

    def ready(self) -> dict[Connection, None]:
        """Those whose reader has taken something since the last call."""
        ready, self._to_flush = self._to_flush, {}
        return ready

    @property
    def has_something_to_do(self) -> bool:
        """Whether cursors wait to be committed, or anybody waits for fill()."""
        return self._cursors_since is not None or bool(self._to_fill)

    def cursors(self, now: float, *, at_once: bool) -> list[MoveCursor]:
        """Acknowledgements to commit, once the oldest is a second old: cumulative, so few for many."""
        since = self._cursors_since
        if since is None or not (at_once or now - since >= limits.ACK_SECONDS):
            return []
        moves = [MoveCursor(device, stream, seq) for (device, stream), seq in self._cursors.items()]
        self._cursors.clear()
        self._cursors_since = None
        return moves

    def put_back(self, moves: Iterable[MoveCursor], now: float) -> None:
        """They could not be committed."""
        for move in moves:
            key = (move.device, move.stream)
            self._cursors[key] = max(move.seq, self._cursors.get(key, 0))
            self._cursors_since = now

    def waiting(self) -> Waiting:
        """What lies between the streams and the connected devices now. Costs a look at each of those, and at
        each log that is behind."""
        readers = [each.reader for each in self._by_device.values() if each.reader is not None]
        behind = [reader for reader in readers if reader.behind or reader.mailbox.is_behind]
        return Waiting(
            mail_waiting=sum(reader.mailbox.end - reader.mailbox.sent for reader in behind),
            messages_waiting=sum(log.end - log.sent for reader in behind for log in reader.behind.values()),
            mail_under_way=sum(reader.mail_window.entries for reader in readers),
            messages_under_way=sum(reader.log_window.entries for reader in readers),
            devices_behind=len(behind),
        )

    def lag_seconds(self, now_seconds: float) -> tuple[float, float]:
        """For mailboxes and for logs: how long the slowest connected device with such entries under way has
        acknowledged nothing."""
        readers = [each.reader for each in self._by_device.values() if each.reader is not None]
        mail = (now_seconds - reader.moved_at for reader in readers if reader.mail_window.entries)
        logs = (now_seconds - reader.moved_at for reader in readers if reader.log_window.entries)
        return max(mail, default=0.0), max(logs, default=0.0)

    def _add(self, connection: Connection, reader: Reader, end: StreamEnd, at: int, now: float) -> None:
        stream = StreamId(end.stream)
        after = end.resumed(min(max(at, end.acknowledged), end.end))
        if is_mailbox(stream):
            reader.mailbox = StreamState(stream, after, end.end, reader.mail_window)
            state = reader.mailbox
        else:
            reader.add_log(stream, after, end.end, (end.skip_after, end.skip_to))
            self._reads(stream, reader.device, connection)
            state = reader.logs[stream]
        if after > end.acknowledged:
            self._keep(reader.device, state, now)

    def _reads(self, log: StreamId, device: DeviceId, connection: Connection) -> None:
        readers = self._by_log.get(log)
        if readers is None:
            readers = self._by_log[log] = {}
            if self.others is not None:
                self.others.listen(log)
        readers[device] = connection

    def _keep(self, device: DeviceId, state: StreamState, now: float) -> None:
        self._cursors[device, state.stream] = state.acked
        if self._cursors_since is None:
            self._cursors_since = now

    async def _read(
        self, hungry: list[Connection], recent: dict[Place, tuple[LogEntry, ...]], now: float
    ) -> None:
        """One read of each: of its mailbox, or else of one log. All logs are read together, and once for all
        who stand at the same place this turn.

        Where others write, mailboxes are looked at no earlier than logs: what opens a message was committed
        before it, and the entries say that it is still to come."""
        logs: list[tuple[Reader, StreamState, Place]] = []
        for connection in hungry:
            reader = connection.reader
            assert reader is not None, "it wants entries"
            self._to_flush[connection] = None
            if reader.mailbox.is_behind:
                await self._read_mail(reader, now)
            else:
                state = next(iter((reader.behind or reader.told).values()))
                logs.append((reader, state, (state.stream, state.sent)))
        places = dict.fromkeys(place for _, _, place in logs if place not in recent)
        if logs and self.others is not None:
            mailboxes = [reader.mailbox.stream for reader, _, _ in logs]
            read = await self.others.logs(places, mailboxes, LOG_CHUNK_ENTRIES, limits.WINDOW_BYTES)
            recent.update(read.entries)
            self.ended(read.ends)
        elif places:
            recent.update(await self._store.logs(places, LOG_CHUNK_ENTRIES, limits.WINDOW_BYTES))
        for reader, state, place in logs:
            _take(reader, state, recent[place], now)

    async def _read_mail(self, reader: Reader, now: float) -> None:
        """Where nothing is left of what was to come, it has expired, and the reader goes on behind it."""
        window = reader.mail_window
        mail = await self._store.mailbox(
            reader.device, reader.mailbox.sent, window.entries_left, window.bytes_left
        )
        reader.take_mail(mail, now)
        if not mail:
            reader.mailbox.sent = reader.mailbox.end


def _wants_entries(connection: Connection) -> bool:
    return connection.reader is not None and connection.reader.wants_entries


def _take(reader: Reader, state: StreamState, entries: tuple[LogEntry, ...], now: float) -> None:
    """What follows in a log; where nothing is left of it, as with mail."""
    mine = state.not_skipped(entries)
    reader.take_messages(state, _fitting(mine, reader.log_window), now)
    if not mine and state.is_behind:
        state.leap()
    reader.looked(state)


def _fitting(entries: tuple[LogEntry, ...], window: Window) -> tuple[LogEntry, ...]:
    """The first ones that a window has room for; one at least."""
    size = 0
    for index, entry in enumerate(entries[: window.entries_left]):
        size += len(entry.ciphertext) + ENTRY_OVERHEAD_BYTES
        if index and size > window.bytes_left:
            return entries[:index]
    return entries[: window.entries_left]
