"""Messages that are known of and not here: each has its place kept, and whatever comes for it takes that
place (encryption rule 24; docs/decisions/0038).

Entries of the log that do not open are known by their id. What never came is known by its number, and by the
hash that a later message names: the newest of a run first, and each that comes names the one before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

import msgspec

from coterie.base import limits
from coterie.base.ids import AccountId, ConversationId, DeviceId, log_of
from coterie.client.core.gaps import Gaps, Skipped
from coterie.client.core.outbox import Outbox
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.store.records import NEVER_MS, AwaitedRow, DropAwaited, DropWaiting, Record
from coterie.e2ee.group import InnerMessage
from coterie.wire.frames.messages import LogEntry

PAUSE_MS: Final = 200
JITTER_MS: Final = 1000
JITTER_PER_DEVICE_MS: Final = 20
JITTER_MOST_MS: Final = 60_000
"""Before something is asked for the first time: what fails on everybody's devices at once is not asked for by
all of them at once."""
_log_entries = msgspec.msgpack.Decoder(LogEntry)
_jitter = secrets.SystemRandom()


class Awaiting:
    """Decides what is awaited; every method returns what to save."""

    def __init__(self, reads: Reads, people: People, outbox: Outbox) -> None:
        self._reads = reads
        self._people = people
        self._outbox = outbox
        self.gaps = Gaps(reads, people)
        self.changed: dict[ConversationId, None] = {}
        """Conversations in which something is awaited that was not, or is not any more."""
        self._devices: set[DeviceId] | None = None
        """Whose messages may be awaited: of all others nothing is asked of the store."""

    def forget(self) -> None:
        """After a failed commit."""
        self.gaps.forget()
        self.changed.clear()
        self._devices = None

    def _of(self, device: DeviceId) -> bool:
        if self._devices is None:
            self._devices = {row.device for row in self._reads.awaited()}
        return device in self._devices

    def _noted(self, conversation: ConversationId, device: DeviceId) -> None:
        if self._devices is not None:
            self._devices.add(device)
        self.changed[conversation] = None

    def entry(
        self, conversation: ConversationId, entry: LogEntry, mailbox_end: int, now_ms: int
    ) -> tuple[Record, ...]:
        """An entry does not open. Where it was awaited before, it keeps its place; a restored server gives it
        another one in the log."""
        device = DeviceId(entry.device)
        known = self._reads.awaited_entry(conversation, device, entry.message)
        if known is not None:
            if known.seq == entry.seq:
                return ()
            soon_ms = min(known.next_ms, self._first_ms(conversation, now_ms))
            moved = msgspec.structs.replace(known, seq=entry.seq, mailbox_end=mailbox_end, next_ms=soon_ms)
            return (*self._waits_no_more(known), moved)
        self._noted(conversation, device)
        return (
            AwaitedRow(
                conversation=conversation,
                device=device,
                message=entry.message,
                first_n=0,
                last_n=0,
                account=AccountId(entry.account),
                hash=b"",
                named_by=b"",
                order=self._outbox.take_order(),
                seq=entry.seq,
                mailbox_end=mailbox_end,
                since_ms=now_ms,
                asked=0,
                next_ms=self._first_ms(conversation, now_ms),
            ),
        )

    def _first_ms(self, conversation: ConversationId, now_ms: int) -> int:
        row = self._reads.conversation(conversation)
        devices = len(self._people.recipients(row)) if row is not None else 0
        jitter_ms = min(max(JITTER_MS, devices * JITTER_PER_DEVICE_MS), JITTER_MOST_MS)
        return now_ms + PAUSE_MS + _jitter.randrange(jitter_ms)

    def skipped(self, inner: InnerMessage, seq: int, now_ms: int) -> tuple[Record, ...]:
        """Before a message is kept: places for those that it shows to be missing."""
        save: list[Record] = []
        for skipped in self.gaps.skipped(inner, seq):
            account = self._people.owner_of(skipped.device)
            runs = self.runs(inner.conversation, skipped.device)
            first = max([skipped.first, *(row.last_n + 1 for row in runs)])
            first = max(first, skipped.last - limits.REPAIR_RUN_MESSAGES + 1)
            if account is not None and first <= skipped.last:
                save.append(self._run(inner, skipped, account, first, now_ms))
                self._noted(inner.conversation, skipped.device)
        return tuple(save)

    def runs(self, conversation: ConversationId, device: DeviceId) -> list[AwaitedRow]:
        """Numbers of a device that never came, lowest first."""
        return self._reads.awaited_runs(conversation, device) if self._of(device) else []

    def _run(
        self, inner: InnerMessage, skipped: Skipped, account: AccountId, first: int, now_ms: int
    ) -> AwaitedRow:
        return AwaitedRow(
            conversation=inner.conversation,
            device=skipped.device,
            message=b"",
            first_n=first,
            last_n=skipped.last,
            account=account,
            hash=skipped.hash,
            named_by=inner.account,
            order=self._outbox.take_order(skipped.last - first + 1),
            seq=0,
            mailbox_end=0,
            since_ms=now_ms,
            asked=0,
            next_ms=self._first_ms(inner.conversation, now_ms),
        )

    def place(self, inner: InnerMessage) -> int:
        """The order kept for a message that has come, or a fresh one."""
        if not self._of(inner.device):
            return self._outbox.take_order()
        entry = self.entry_of(inner)
        if entry is not None:
            return entry.order
        run = self.run_of(inner)
        return run.order_of(inner.n) if run is not None else self._outbox.take_order()

    def entry_of(self, inner: InnerMessage) -> AwaitedRow | None:
        """The entry that a message stands in, where that did not open."""
        if not self._of(inner.device):
            return None
        return self._reads.awaited_entry(inner.conversation, inner.device, inner.message)

    def run_of(self, inner: InnerMessage) -> AwaitedRow | None:
        """The run in which a message's number is missing."""
        runs = self.runs(inner.conversation, inner.device)
        return next((row for row in runs if row.first_n <= inner.n <= row.last_n), None)

    def came(self, inner: InnerMessage, now_ms: int) -> Iterator[Record]:
        """A message is kept: nothing is awaited for it any more, and the one before it is known by hash.

        Where its device has said no higher number yet, those that others named lose their places: what the
        device says next would come to stand behind them."""
        if not self._of(inner.device):
            return
        entry = self.entry_of(inner)
        if entry is not None:
            yield from self.dropped(entry)
        before = inner.before
        tip = self._reads.tip(inner.conversation, inner.device)
        newest = tip is None or inner.n > tip.n
        for row in self.runs(inner.conversation, inner.device):
            if row.first_n <= inner.n <= row.last_n:
                yield from self._split(row, inner, now_ms, newest=newest)
            elif newest and row.first_n > inner.n:
                self.changed[inner.conversation] = None
                yield _drop(row)
            elif before is not None and row.last_n == before.n:
                self.changed[inner.conversation] = None
                yield _known_by(row, before.hash, inner.account, now_ms)

    def _split(self, row: AwaitedRow, inner: InnerMessage, now_ms: int, *, newest: bool) -> Iterator[Record]:
        """What is left of a run on both sides of a number that has come. newest: by its device's own word
        there is no higher one; only others have named it."""
        self.changed[inner.conversation] = None
        yield _drop(row)
        if row.first_n < inner.n:
            below = msgspec.structs.replace(row, last_n=inner.n - 1, hash=b"", asked=0, next_ms=NEVER_MS)
            yield _known_by(below, inner.previous, inner.account, now_ms) if inner.previous else below
        if inner.n < row.last_n and not newest:
            yield msgspec.structs.replace(row, first_n=inner.n + 1, order=row.order_of(inner.n + 1))

    def dropped(self, row: AwaitedRow) -> Iterator[Record]:
        """Nothing is awaited for an entry any more, nor kept of it."""
        self.changed[row.conversation] = None
        yield _drop(row)
        yield from self._waits_no_more(row)

    def waiting_of(self, row: AwaitedRow) -> LogEntry | None:
        """The entry as it came, at the place where it stands now; None where it is not here any more."""
        waits = self._reads.waiting_at(log_of(row.conversation), row.seq)
        said = _log_entries.decode(waits.entry) if waits is not None else None
        if said is None or (said.message, said.device) != (row.message, row.device):
            return None
        return msgspec.structs.replace(said, seq=row.seq)

    def _waits_no_more(self, row: AwaitedRow) -> tuple[Record, ...]:
        if self.waiting_of(row) is None:
            return ()
        return (DropWaiting(log_of(row.conversation), row.seq),)

    def lied(self, row: AwaitedRow, now_ms: int) -> tuple[Record, ...]:
        """Something came for it that is not it: in the first round the next one is asked at once."""
        if row.asked >= ROUND or row.next_ms <= now_ms:
            return ()
        return (msgspec.structs.replace(row, next_ms=now_ms),)


ROUND: Final = 3
"""The sending device, other own devices, the sender's other devices."""


def _drop(row: AwaitedRow) -> DropAwaited:
    return DropAwaited(row.conversation, row.device, row.message, row.first_n)


def _known_by(row: AwaitedRow, hash: bytes, account: AccountId, now_ms: int) -> AwaitedRow:
    """A run whose last message is known by a hash; the word of its own device counts more than others'."""
    return msgspec.structs.replace(row, hash=hash, named_by=account, next_ms=min(row.next_ms, now_ms))
