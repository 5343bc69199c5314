"""`python -m coterie.cli`: the command `coterie` without its script."""

from __future__ import annotations

import sys

from coterie.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
