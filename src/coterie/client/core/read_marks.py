"""What was read on one own device counts as read on the others (encryption rule 18: by envelope, in no log).

Told a few seconds after something was read, all conversations in one envelope to each own device to which a
session stands; what was sealed is kept until the server has it. Positions are those of the log, which all
devices have in common.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from coterie.base import limits
from coterie.base.ids import ConversationId, log_of
from coterie.client.core.fanout import Fanout
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.outcome import Outcome
from coterie.client.store.records import PeerDevice, ReadElsewhere, ReadTold, Record
from coterie.content.read_marks import MARKS_MOST, ReadMark, ReadMarks
from coterie.e2ee.pairwise import PlainKind

PAUSE_MS = 5000
JITTER_MS = 3000
WAITS_MS = limits.DAY_MS
_jitter = secrets.SystemRandom()


class ReadTelling:
    """Tells the other own devices; needs no memory but the store."""

    def __init__(self, reads: Reads, people: People, fanout: Fanout) -> None:
        self._reads = reads
        self._people = people
        self._fanout = fanout
        self.wake_at_ms: int | None = None

    def later(self, now_ms: int) -> None:
        """Something was read, or there is a connection again."""
        if self.wake_at_ms is None:
            self.wake_at_ms = now_ms + PAUSE_MS + _jitter.randrange(JITTER_MS)

    def disconnected(self) -> None:
        self.wake_at_ms = None

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        """Tell what is read and was not told; what does not fit comes with the next one."""
        if self.wake_at_ms is None or now_ms < self.wake_at_ms:
            return
        self.wake_at_ms = None
        if self._people.me in self._people.unproven:
            self.later(now_ms)
            return
        untold = self._untold(now_ms)
        if not untold:
            return
        marks = untold[:MARKS_MOST]
        if len(untold) > len(marks):
            self.later(now_ms)
        save: list[Record] = [ReadTold(ConversationId(mark.conversation), mark.seq) for mark in marks]
        content = ReadMarks(marks).pack()
        yield Outcome(save=tuple(save))
        yield self._fanout.tell(self._others(), PlainKind.READ_MARKS, content, now_ms)

    def _untold(self, now_ms: int) -> tuple[ReadMark, ...]:
        found = ((row, self._read_seq(row.id, now_ms)) for row in self._reads.conversations())
        return tuple(ReadMark(row.id, seq) for row, seq in found if seq > row.told_seq)

    def _read_seq(self, conversation: ConversationId, now_ms: int) -> int:
        """Up to where everything in the log is read. What waits to be opened is not read, for a day: so long
        may somebody whose messages never open hold up what is told."""
        waits = self._reads.first_waiting_seq(log_of(conversation), now_ms - WAITS_MS)
        unread = self._reads.first_unread_seq(conversation)
        if waits or unread:
            return min(seq for seq in (waits, unread) if seq) - 1
        position = self._reads.position(log_of(conversation))
        return position.seq if position else 0

    def _others(self) -> tuple[PeerDevice, ...]:
        row = self._people.rows.get(self._people.me)
        devices = row.devices if row else ()
        return tuple(each for each in devices if each.live and each.device != self._people.device)


def taken(marks: ReadMarks, reads: Reads) -> tuple[tuple[Record, ...], tuple[ConversationId, ...]]:
    """What an own device says is read, of conversations known here: what to save, and what it changes."""
    read = tuple(ReadElsewhere(ConversationId(mark.conversation), mark.seq) for mark in marks.marks)
    known = tuple(each for each in read if reads.conversation(each.conversation) is not None)
    return known, tuple(each.conversation for each in known)
