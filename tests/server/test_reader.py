"""What is given to one device's connection."""

from __future__ import annotations

from coterie.base.ids import ConversationId, DeviceId, log_of
from coterie.server.reader import Reader
from coterie.wire.frames.messages import LogEntries, LogEntry

LOG = log_of(ConversationId(bytes(16)))
INCARNATION = bytes([7]) * 16
ENTRY = LogEntry(4, bytes(32), bytes(16), bytes(32), bytes(16), b"sealed", bytes(32), 1, bytes(32))


def test_a_log_of_which_nothing_is_left_makes_no_frame() -> None:
    """What was to come has expired, or was not for this device: a frame without entries would say nothing."""
    reader = Reader(DeviceId(bytes(16)), INCARNATION, 0.0)
    reader.add_log(LOG, 0, 3)
    reader.take_messages(reader.logs[LOG], (), 0.0)
    assert not reader.has_frames
    assert reader.frames() == []
    reader.logs[LOG].leap()
    reader.take_messages(reader.logs[LOG], (ENTRY,), 0.0)
    assert reader.frames() == [LogEntries(LOG, INCARNATION, (ENTRY,), 0)]


def test_a_log_of_which_others_told_is_looked_at_once_there_is_room() -> None:
    """Whether there is anything is known afterwards."""
    reader = Reader(DeviceId(bytes(16)), INCARNATION, 0.0)
    reader.add_log(LOG, 3, 3)
    reader.log_told(log_of(ConversationId(bytes([1]) * 16)))
    wants = [reader.wants_entries]
    reader.log_told(LOG)
    wants.append(reader.wants_entries)
    reader.paused = True
    wants.append(reader.wants_entries)
    reader.paused = False
    reader.looked(reader.logs[LOG])
    wants.append(reader.wants_entries)
    reader.log_ends(LOG, 4)
    reader.log_told(LOG)
    reader.looked(reader.logs[LOG])
    wants.append(reader.wants_entries)
    assert wants == [False, True, False, False, True], (
        "of its own log; with room; until looked; not all taken"
    )
