"""How far one connected device has come in its streams, and how much more may be under way to it.

Entries under way are those sent and not yet acknowledged: at most limits.WINDOW_ENTRIES and WINDOW_BYTES for
the mailbox, and as much for all logs together (docs/protocol.md, Delivery).
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.ids import DeviceId, StreamId, mailbox_of
from coterie.wire.frames import LogEntries, MailboxEntries, ServerFrame
from coterie.wire.frames.messages import LogEntry, MailboxEntry

ENTRY_OVERHEAD_BYTES = 256
"""Ids, times and MACs of an entry as encoded; rather more than less."""
WINDOW_ENTRIES, WINDOW_BYTES = limits.WINDOW_ENTRIES, limits.WINDOW_BYTES
FRAME_CONTENT_BYTES = limits.MESSAGE_FILL_BYTES - 256


class Window:
    """What is under way of one kind of stream."""

    __slots__ = ("bytes", "entries")

    def __init__(self) -> None:
        self.entries = 0
        self.bytes = 0

    @property
    def is_open(self) -> bool:
        return self.entries < WINDOW_ENTRIES and self.bytes < WINDOW_BYTES

    @property
    def entries_left(self) -> int:
        return limits.WINDOW_ENTRIES - self.entries

    @property
    def bytes_left(self) -> int:
        return limits.WINDOW_BYTES - self.bytes


class StreamState:
    """sent: the last seq sent; end: the last one known to be there; acked: the last one acknowledged.

    Every conversation of every connected device has one, and most of them are still.
    """

    __slots__ = ("_skip_after", "_skip_to", "_under_way", "_window", "acked", "end", "sent", "stream")

    def __init__(
        self, stream: StreamId, after_seq: int, end: int, window: Window, skip: tuple[int, int] = (0, 0)
    ) -> None:
        """skip: entries behind the first number up to the second are not for this reader."""
        self.stream = stream
        self.sent = after_seq
        self.acked = after_seq
        self.end = max(end, after_seq)
        self._skip_after, self._skip_to = skip
        self._window = window
        self._under_way: list[tuple[int, int]] = []
        """A list: a deque takes 760 bytes before anything is in it."""

    @property
    def is_behind(self) -> bool:
        return self.sent < self.end

    def not_skipped(self, entries: tuple[LogEntry, ...]) -> tuple[LogEntry, ...]:
        """Those before what is to be skipped, where that lies ahead; else all."""
        if self.sent >= self._skip_to:
            return entries
        return tuple(entry for entry in entries if entry.seq <= self._skip_after)

    def leap(self) -> None:
        """Nothing is left of what comes next: go on behind what is to be skipped, or at the end."""
        self.sent = self._skip_to if self.sent < self._skip_to else self.end

    def send(self, seq: int, size: int) -> None:
        """An entry goes out."""
        self.sent = self._skip_to if seq == self._skip_after else seq
        self._under_way.append((seq, size))
        self._window.entries += 1
        self._window.bytes += size

    def acknowledge(self, seq: int) -> bool:
        """Take a cumulative acknowledgement; whether it says something new."""
        seq = min(seq, self.sent)
        if seq <= self.acked:
            return False
        self.acked = seq
        count = 0
        window = self._window
        for each, size in self._under_way:
            if each > seq:
                break
            count += 1
            window.bytes -= size
        window.entries -= count
        del self._under_way[:count]
        return True


class Reader:
    """One device that has said Sync. Mailbox entries go first, logs only once all of them were sent: so keys
    arrive before what they open."""

    __slots__ = (
        "_incarnation",
        "_mail",
        "_messages",
        "behind",
        "device",
        "has_frames",
        "log_window",
        "logs",
        "mail_window",
        "mailbox",
        "moved_at",
        "paused",
        "told",
    )

    def __init__(self, device: DeviceId, incarnation: bytes, now_seconds: float) -> None:
        self.device = device
        self.mail_window = Window()
        self.log_window = Window()
        self.mailbox = StreamState(mailbox_of(device), 0, 0, self.mail_window)
        self.logs: dict[StreamId, StreamState] = {}
        self.behind: dict[StreamId, StreamState] = {}
        """Logs with entries that were not sent yet, oldest first."""
        self.told: dict[StreamId, StreamState] = {}
        """Logs that others have said that they wrote to: nobody has looked yet."""
        self.paused = False
        self.moved_at = now_seconds
        """When an acknowledgement came, or the first entry since all were acknowledged went out."""
        self._incarnation = incarnation
        self.has_frames = False
        """Whether entries were taken since frames() was called."""
        self._mail: list[MailboxEntry] = []
        self._messages: dict[StreamId, list[LogEntry]] = {}

    @property
    def has_something_under_way(self) -> bool:
        return bool(self.mail_window.entries or self.log_window.entries)

    @property
    def wants_entries(self) -> bool:
        """Whether something is there that could be sent now."""
        if self.paused:
            return False
        if self.mailbox.is_behind:
            return self.mail_window.is_open
        return bool(self.behind or self.told) and self.log_window.is_open

    @property
    def streams(self) -> tuple[StreamId, ...]:
        """All that the device may read."""
        return (self.mailbox.stream, *self.logs)

    def stream(self, stream: StreamId) -> StreamState | None:
        return self.mailbox if stream == self.mailbox.stream else self.logs.get(stream)

    def add_log(self, stream: StreamId, after_seq: int, end: int, skip: tuple[int, int] = (0, 0)) -> None:
        """The device may read this log, but for what is to be skipped."""
        state = self.logs[stream] = StreamState(stream, after_seq, end, self.log_window, skip)
        if state.is_behind:
            self.behind[stream] = state

    def offer_mail(self, entry: MailboxEntry, now_seconds: float) -> bool:
        """A new entry of the mailbox: sent with the next frames, if it is its turn and there is room."""
        state = self.mailbox
        state.end = max(state.end, entry.seq)
        if entry.seq != state.sent + 1 or self.paused or not self.mail_window.is_open:
            return False
        self.take_mail((entry,), now_seconds)
        return True

    def offer_message(self, stream: StreamId, entry: LogEntry, now_seconds: float) -> bool:
        """The same for an entry of a log."""
        state = self.logs.get(stream)
        if state is None:
            return False
        seq = entry.seq
        if seq > state.end:
            state.end = seq
        mailbox, window = self.mailbox, self.log_window
        if (
            seq != state.sent + 1
            or self.paused
            or mailbox.sent < mailbox.end
            or window.entries >= WINDOW_ENTRIES
            or window.bytes >= WINDOW_BYTES
        ):
            if state.is_behind:
                self.behind[stream] = state
            return False
        if not (window.entries or self.mail_window.entries):
            self.moved_at = now_seconds
        state.send(seq, len(entry.ciphertext) + ENTRY_OVERHEAD_BYTES)
        self.has_frames = True
        waiting = self._messages.get(stream)
        if waiting is None:
            self._messages[stream] = [entry]
        else:
            waiting.append(entry)
        return True

    def mail_ends(self, end: int) -> bool:
        """The mailbox reaches so far; whether something of it is to be read now."""
        self.mailbox.end = max(self.mailbox.end, end)
        return self.mailbox.is_behind

    def log_ends(self, stream: StreamId, end: int) -> bool:
        """The same of a log."""
        state = self.logs.get(stream)
        if state is None:
            return False
        state.end = max(state.end, end)
        if state.is_behind:
            self.behind[stream] = state
        return state.is_behind

    def log_told(self, stream: StreamId) -> None:
        """There may be more of a log: it is looked for when there is room."""
        if state := self.logs.get(stream):
            self.told[stream] = state

    def looked(self, state: StreamState) -> None:
        """What the database had behind what was sent has been taken."""
        self.told.pop(state.stream, None)
        if not state.is_behind:
            self.behind.pop(state.stream, None)

    def passes(self, stream: StreamId, seq: int) -> bool:
        """Whether everything before this entry has gone out, so that the answer may stand for it; then it
        counts as sent. It has no part in the window: what the device said, it has."""
        state = self.logs.get(stream)
        if state is None or state.sent != seq - 1 or stream in self._messages:
            return False
        state.sent = state.end = seq
        return True

    def take_mail(self, entries: tuple[MailboxEntry, ...], now_seconds: float) -> None:
        """Entries that follow on what was sent."""
        self._starts(now_seconds)
        for entry in entries:
            self.mailbox.send(entry.seq, len(entry.sealed) + ENTRY_OVERHEAD_BYTES)
            self._mail.append(entry)

    def take_messages(self, state: StreamState, entries: tuple[LogEntry, ...], now_seconds: float) -> None:
        """Entries that follow on what was sent; where none is left of them, nothing goes out."""
        if not entries:
            return
        self._starts(now_seconds)
        waiting = self._messages.setdefault(state.stream, [])
        for entry in entries:
            state.send(entry.seq, len(entry.ciphertext) + ENTRY_OVERHEAD_BYTES)
            waiting.append(entry)

    def frames(self) -> list[ServerFrame]:
        """What was taken since the last call: mailbox first; with each batch of a log the mailbox's end."""
        self.has_frames = False
        if len(self._messages) == 1 and not self._mail:
            stream, messages = self._messages.popitem()
            if len(messages) == 1:
                return [LogEntries(stream, self._incarnation, (messages[0],), self.mailbox.end)]
            return self._log_frames(stream, messages)
        frames: list[ServerFrame] = []
        if self._mail:
            for start, end in _cuts([len(entry.sealed) for entry in self._mail]):
                entries = tuple(self._mail[start:end])
                frames.append(MailboxEntries(self.mailbox.stream, self._incarnation, entries))
            self._mail.clear()
        for stream, messages in self._messages.items():
            frames += self._log_frames(stream, messages)
        self._messages.clear()
        return frames

    def _log_frames(self, stream: StreamId, messages: list[LogEntry]) -> list[ServerFrame]:
        mail_end, incarnation = self.mailbox.end, self._incarnation
        return [
            LogEntries(stream, incarnation, tuple(messages[start:end]), mail_end)
            for start, end in _cuts([len(entry.ciphertext) for entry in messages])
        ]

    def _starts(self, now_seconds: float) -> None:
        self.has_frames = True
        if not (self.log_window.entries or self.mail_window.entries):
            self.moved_at = now_seconds


def _cuts(sizes: list[int]) -> list[tuple[int, int]]:
    """Where to cut a row of entries so that each part fits into a frame."""
    if len(sizes) == 1:
        return [(0, 1)]
    cuts: list[tuple[int, int]] = []
    start = size = 0
    for index, each in enumerate(sizes):
        size += each + ENTRY_OVERHEAD_BYTES
        if index > start and (size > FRAME_CONTENT_BYTES or index - start == limits.WINDOW_ENTRIES):
            cuts.append((start, index))
            start, size = index, each + ENTRY_OVERHEAD_BYTES
    cuts.append((start, len(sizes)))
    return cuts
