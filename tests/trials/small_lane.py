"""Run as a program: `coterie` with a server whose lane is so small that a few people fill it."""

from __future__ import annotations

import sys

from coterie.base import limits
from coterie.cli.main import main

LANE_FRAMES = 20
SHARE_FRAMES = 8

if __name__ == "__main__":
    limits.LANE_FRAMES = limits.LANE_LEAST_FRAMES = LANE_FRAMES
    limits.LANE_SHARE_FRAMES = SHARE_FRAMES
    sys.exit(main())
