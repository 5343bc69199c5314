"""Real processes beside the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
END_SECONDS = 20


@contextmanager
def started(module: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run tests.client.store.MODULE on a folder, with its input and output; killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.client.store.{module}", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
            process.wait(END_SECONDS)


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
