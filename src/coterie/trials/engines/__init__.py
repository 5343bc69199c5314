"""What a cluster needs beside coterie, for tests and trials: started here, and stopped by process id."""

from __future__ import annotations

from pathlib import Path


def fetched() -> Path:
    """Where `make engines` puts them: beside the source this runs from, else in the folder one is in."""
    beside = Path(__file__).parents[4] / ".engines"
    return beside if beside.is_dir() else Path(".engines")
