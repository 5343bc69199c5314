"""What makes a process one of a trial: its clock can be moved, its disk filled, and it dies when told."""

from __future__ import annotations

from pathlib import Path

from coterie.trials.deaths import die_when_told
from coterie.trials.full_disk import Switch, fill_when_told
from coterie.trials.shifted_clock import SharedOffset, ShiftedClock, Skew


def prepared(
    offset_file: str, skew_file: str = "", disk_file: str = "", *, in_postgres: bool = False
) -> ShiftedClock:
    """Called first, with the files that a command line names; the clock to use. in_postgres: its commits are
    made there."""
    die_when_told(in_postgres=in_postgres)
    if disk_file:
        fill_when_told(Switch(Path(disk_file)))
    return ShiftedClock(SharedOffset(Path(offset_file)), Skew(Path(skew_file)) if skew_file else None)
