"""How a server stands at the moment in which somebody looks: queues, readers, ledger, disk, process."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from coterie.base.clock import cpu_seconds
from coterie.base.version import VERSION
from coterie.server.connections import Connections
from coterie.server.delivery import Delivery
from coterie.server.exposition import Figure, Kind
from coterie.server.lane import Lane
from coterie.server.metrics import gauge
from coterie.server.realm import Realm
from coterie.server.roster import Roster
from coterie.server.sequencer import Sequencer

_OPEN_FILES = Path("/proc/self/fd")
_MEMORY = Path("/proc/self/statm")
"""Where Linux has them."""


def gauges(
    connections: Connections, roster: Roster, delivery: Delivery, lane: Lane, approvals: int
) -> Iterable[Figure]:
    """Of the turns."""
    yield gauge("connections", "Open connections.", len(connections))
    yield gauge("connections_unproven", "Open connections nobody has signed in on yet.", connections.unproven)
    yield gauge("people_online", "People with a device that is connected.", roster.people_online)
    yield gauge("approvals_waiting", "Devices that ask to join an account.", approvals)
    yield gauge("lane_frames", "Frames that wait for the next turn.", len(lane))
    yield gauge("lane_bytes", "Bytes of the messages that those came in.", lane.bytes)
    waiting = delivery.waiting()
    yield Figure(
        "coterie_waiting_entries",
        Kind.GAUGE,
        "Entries for connected devices that were not sent yet, by kind of stream.",
        {"mailbox": waiting.mail_waiting, "log": waiting.messages_waiting},
        "stream",
    )
    yield Figure(
        "coterie_under_way_entries",
        Kind.GAUGE,
        "Entries sent and not acknowledged yet, by kind of stream.",
        {"mailbox": waiting.mail_under_way, "log": waiting.messages_under_way},
        "stream",
    )
    yield gauge(
        "devices_behind", "Connected devices with entries that were not sent.", waiting.devices_behind
    )


def health_gauges(connections: Connections) -> Iterable[Figure]:
    """What devices told whose people want them to."""
    told = [each.health for each in connections.all if each.health is not None]
    yield gauge("devices_telling", "Connected devices that tell what they cannot read.", len(told))
    yield gauge(
        "undecryptable_now",
        "Messages that those cannot read now.",
        sum(each.undecryptable_now for each in told),
    )
    yield gauge(
        "undecryptable_ever",
        "Messages for which those had to ask others, ever.",
        sum(each.undecryptable_ever for each in told),
    )


def lag_gauge(delivery: Delivery, now_seconds: float) -> Figure:
    mail_seconds, log_seconds = delivery.lag_seconds(now_seconds)
    return Figure(
        "coterie_lag_seconds",
        Kind.GAUGE,
        "How long the slowest connected device with such entries under way has acknowledged nothing.",
        {"mailbox": mail_seconds, "log": log_seconds},
        "stream",
    )


def file_gauges(kept: tuple[int, int]) -> Iterable[Figure]:
    """Of all servers of the data together."""
    yield gauge("files_kept", "Sealed files that are kept, or coming.", kept[0])
    yield gauge("files_kept_bytes", "Bytes of those.", kept[1])


def ledger_gauges(realm: Realm, sequencer: Sequencer, now_ms: int) -> Iterable[Figure]:
    """Of the ledger."""
    ledger = realm.ledger
    yield gauge("ledger_size", "Leaves of the ledger.", sequencer.size)
    yield gauge("ledger_waiting", "Leaves that no published head covers.", sequencer.size - ledger.size)
    yield gauge("ledger_head_age_seconds", "Age of the published head.", (now_ms - ledger.time_ms) / 1000)


def process_gauges(folder: Path, database: Path, started_ms: int) -> Iterable[Figure]:
    """Of the process and its disk: names without coterie_ are those that collectors know of any program."""
    yield Figure("coterie_info", Kind.GAUGE, "Always 1: the version that runs.", {VERSION: 1}, "version")
    started = started_ms / 1000
    yield Figure("process_start_time_seconds", Kind.GAUGE, "Start, in seconds since 1970.", {"": started})
    yield Figure("process_cpu_seconds_total", Kind.COUNTER, "Processor time used.", {"": cpu_seconds()})
    if sys.platform == "linux":
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        pages = int(_MEMORY.read_text().split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE")
        with os.scandir(_OPEN_FILES) as open_files:
            count = sum(1 for _ in open_files)
        yield Figure("process_open_fds", Kind.GAUGE, "Open files, each connection one.", {"": count})
        yield Figure("process_max_fds", Kind.GAUGE, "How many there may be.", {"": files})
        yield Figure("process_resident_memory_bytes", Kind.GAUGE, "Memory in use.", {"": memory})
    disk = shutil.disk_usage(folder)
    yield gauge("disk_free_bytes", "Free on the disk of the data folder.", disk.free)
    yield gauge("disk_bytes", "Size of the disk of the data folder.", disk.total)
    sizes = {name: _size(database.with_name(database.name + end)) for name, end in _PARTS.items()}
    yield Figure("coterie_database_bytes", Kind.GAUGE, "Size of the database's files.", sizes, "file")


_PARTS = {"database": "", "log": "-wal"}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
