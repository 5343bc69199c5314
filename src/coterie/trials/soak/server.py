"""The server of a soak: `coterie serve` in all but its clock, which the trial moves.

    python -m coterie.trials.soak.server DATA OFFSET_FILE [SKEW_FILE DISK_FILE [DATABASE WAKEUPS]]

Says its invite in one line once it accepts connections. Loads nothing that could read a message.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from coterie.server.serve import run
from coterie.server.settings import ReadyLine, ServerSettings
from coterie.trials.breakable import prepared


def ready(line: ReadyLine) -> None:
    sys.stdout.write(line.invite + "\n")
    sys.stdout.flush()


def main() -> None:
    data, offset, skew, disk, database, wakeups = (*sys.argv[1:], *6 * [""])[:6]
    clock = prepared(offset, skew, disk, in_postgres=bool(database))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run(ServerSettings(data=Path(data), database=database, wakeups=wakeups), ready, clock=clock)


if __name__ == "__main__":
    main()
