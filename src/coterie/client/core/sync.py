"""How far each stream is committed here, what is acknowledged, and when the backlog is drained."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TypeVar

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.base.ids import StreamId, is_mailbox
from coterie.client.core.ports import Reads
from coterie.client.store.records import PositionRow, Setting
from coterie.ledger.heads import Head, SignedHead
from coterie.wire.frames import Accepted, Ack, Ready, Sync
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry, MailboxEntry
from coterie.wire.frames.shared import Position

log = logging.getLogger("coterie.client.sync")

E = TypeVar("E", LogEntry, MailboxEntry, Accepted)

NAMED_MOST = 20_000
"""Ready names no more streams; where there are that many, nothing is known of the others."""


def is_overtaken(reads: Reads, ready: Ready, incarnation: bytes) -> bool:
    """Whether the server has acknowledgements of this device that this store never made: it is a copy from
    before them, and what it would seal with has been used since (encryption rule 28).

    Not told of one that was away for so long that the server may have moved its place on by itself, behind
    entries that expired.
    """
    known = reads.setting(Setting.HEAD)
    if known is None or _time_ms(ready.head) - _time_ms(known) >= limits.COPY_TOLD_MS:
        return False
    for end in ready.ends:
        row = reads.position(StreamId(end.stream))
        if row is None or row.incarnation != incarnation:
            continue
        if max(row.seq, row.anew_from) < end.acknowledged:
            return True
    return False


def _time_ms(head: bytes) -> int:
    return Head.unpack(SignedHead.unpack(head).payload).time_ms


class Positions:
    """Positions are (incarnation, seq): a re-used seq of another life of the server hides nothing."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._incarnation = b""
        self._targets: dict[StreamId, int] = {}
        self._ends: dict[StreamId, StreamEnd] = {}
        """As the server told them when the connection was made."""
        self._all_named = True
        self._begins: dict[StreamId, int] = {}
        """Where to begin in streams in which our own position is false."""
        self._was_dormant = False
        self._awake: set[StreamId] = set()
        """Logs of which something came that is for this device, since it was dormant."""
        self._unacknowledged: dict[StreamId, int] = {}
        self._entries = 0
        self._since_ms = 0
        self._draining = False

    def connected(
        self, ready: Ready, incarnation: bytes, *, dormant: bool
    ) -> tuple[Sync, tuple[PositionRow, ...]]:
        """Where to deliver from, and what counts as the backlog. dormant: as this device sees it by itself;
        where the server says so too, counts of what others say begin anew. What is passed without having come
        is kept as passed, as the server keeps it."""
        self._incarnation = incarnation
        self._unacknowledged.clear()
        self._entries = 0
        self._targets = {}
        self._ends = {StreamId(end.stream): end for end in ready.ends}
        self._all_named = len(ready.ends) < NAMED_MOST
        self._begins = {}
        self._was_dormant = dormant
        self._awake.clear()
        positions = []
        anew = []
        for end in ready.ends:
            stream = StreamId(end.stream)
            if self.seq(stream) > end.end:
                log.warning("a position beyond the end of its stream")
                self._begins[stream] = end.acknowledged
            at = end.resumed(max(self.seq(stream), end.acknowledged))
            last = end.skip_after if end.skip_to == end.end else end.end
            if last > at:
                self._targets[stream] = last
            positions.append(Position(stream, incarnation, at))
            row = self._row(stream)
            if dormant and end.skip_to == end.end and not is_mailbox(stream):
                anew.append(PositionRow(stream, incarnation, self.seq(stream), end.end))
            elif row is not None and row.seq < at:
                anew.append(PositionRow(stream, incarnation, at, row.anew_from))
        self._draining = True
        return Sync(tuple(positions)), tuple(anew)

    def forget(self) -> None:
        """After a failed commit: nothing is acknowledged that is not on the disk."""
        committed = {stream: min(seq, self.seq(stream)) for stream, seq in self._unacknowledged.items()}
        self._unacknowledged = {stream: seq for stream, seq in committed.items() if seq}

    def disconnected(self) -> None:
        self._draining = False
        self._unacknowledged.clear()
        self._entries = 0

    def seq(self, stream: StreamId) -> int:
        """The last committed seq of a stream in this life of the server; 0 for none."""
        if stream in self._begins:
            return self._begins[stream]
        row = self._row(stream)
        return row.seq if row is not None else 0

    def _row(self, stream: StreamId) -> PositionRow | None:
        row = self._reads.position(stream)
        return row if row is not None and row.incarnation == self._incarnation else None

    def fresh(self, stream: StreamId, incarnation: bytes, entries: Iterable[E]) -> list[E]:
        """Of entries that came together those that are not committed here already, nor of another life of the
        server.

        Numbers have no gap, but what was there when the connection was made may have expired before. Raises
        RemoteError for any other gap: to believe it would hide the entries that belong there. One more is
        believed where this device was dormant: what is said until its new key arrives is not for it either.
        """
        if incarnation != self._incarnation:
            return []
        at, end = self.seq(stream), self._ends.get(stream)
        known = end.end if end else 0
        awake = not self._was_dormant or stream in self._awake or is_mailbox(stream)
        fresh: list[E] = []
        for entry in entries:
            seq = entry.seq
            if awake and seq - 1 > max(at, known) and (at or self._all_named):
                raise RemoteError(Code.BAD_FRAME, "a gap in a stream")
            if seq > at:
                fresh.append(entry)
                at = seq
                awake = awake or end is None or seq > known
        return fresh

    def moved(self, stream: StreamId, fresh: Sequence[E], now_ms: int) -> tuple[PositionRow, ...]:
        """These entries are about to be committed; none: nothing moves."""
        if not fresh:
            return ()
        seq = fresh[-1].seq
        self._begins.pop(stream, None)
        row, end = self._row(stream), self._ends.get(stream)
        if self._was_dormant and (end is None or seq > end.end):
            self._awake.add(stream)
        self._unacknowledged[stream] = seq
        self._entries += len(fresh)
        self._since_ms = self._since_ms or now_ms
        if seq >= self._targets.get(stream, 0):
            self._targets.pop(stream, None)
        return (PositionRow(stream, self._incarnation, seq, row.anew_from if row is not None else 0),)

    def answered(self, stream: StreamId, answer: Accepted, now_ms: int) -> tuple[PositionRow, ...]:
        """The answer to a message stands for its entry. Raises RemoteError for a gap."""
        return self.moved(stream, self.fresh(stream, self._incarnation, (answer,)), now_ms)

    def drained_now(self) -> bool:
        """True once per connection: everything that had waited is committed."""
        if self._draining and not self._targets:
            self._draining = False
            return True
        return False

    @property
    def drained(self) -> bool:
        """Everything that had waited when the connection was made is committed."""
        return not self._draining

    def acknowledge(self, now_ms: int, *, at_once: bool) -> tuple[Ack, ...]:
        """The acknowledgement that is due, if one is. Mailboxes are small: theirs is due at once."""
        if not self._unacknowledged:
            return ()
        mail = any(is_mailbox(stream) for stream in self._unacknowledged)
        late = now_ms - self._since_ms >= limits.ACK_SECONDS * 1000
        if not (at_once or mail or late or self._entries >= limits.ACK_ENTRIES):
            return ()
        ack = Ack(
            tuple(Position(stream, self._incarnation, seq) for stream, seq in self._unacknowledged.items())
        )
        self._unacknowledged.clear()
        self._entries = 0
        self._since_ms = 0
        return (ack,)

    @property
    def wake_at_ms(self) -> int | None:
        """When the acknowledgement is due at the latest."""
        if not self._unacknowledged:
            return None
        return self._since_ms + int(limits.ACK_SECONDS * 1000)
