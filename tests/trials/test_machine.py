"""What processes have used of the processor."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coterie.trials.machine import can_measure_processes, cpu_seconds, cpu_seconds_of_tree

SPENT_SECONDS = 0.2
CHILD = f"import time\nwhile time.process_time() < {SPENT_SECONDS}: pass"
PARENT = (
    "import subprocess, sys\n"
    f"subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)\n"
    f"child = subprocess.Popen([sys.executable, '-c', {CHILD + chr(10) + 'print(flush=True); input()'!r}],"
    " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\n"
    "print(flush=True)\n"
    "input()\n"
)


@pytest.mark.slow
def test_children_count_whether_they_have_ended_or_not() -> None:
    """As those of a PostgreSQL, which come and go."""
    if not can_measure_processes():
        return
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        of_children = cpu_seconds_of_tree(parent.pid) - cpu_seconds(parent.pid)
        parent.kill()
    assert of_children >= 2 * SPENT_SECONDS - 0.05
