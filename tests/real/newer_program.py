"""Run as a program: `coterie` as a later version that has more schema steps.

Arguments: the folder with all its steps, then the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from coterie.cli.main import main
from coterie.server.store import steps

if __name__ == "__main__":
    steps.SCHEMA = Path(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
