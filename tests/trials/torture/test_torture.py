"""Twenty seconds of nearly everything, as a person starts it: it ends with zeros."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.trials.torture.faults import KINDS, Kind, On

RUN_SECONDS = 280
SEED = 47
"""Its plan has what is rare: the server killed, a clock, a full disk."""
FAULTS = ",".join(KINDS[On.SQLITE] - {Kind.RESTORE_SERVER})
"""docs/trials.md says why not that one."""
CLUSTER_SEED = 104
"""Its plan has each of these."""
CLUSTER_FAULTS = "kill-server,kill-database,kill-standby,kill-bus,silent-bus"
RARE = (Kind.KILL_SERVER, Kind.KILL_CLIENT, Kind.CLOCK, Kind.FULL_DISK)
ZEROS = ("lost", "doubled", "reordered", "unreadable", "wrong_state")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that anybody may enter: PostgreSQL does not run as root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def torture(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coterie.cli", "torture", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        env={**os.environ, "TMPDIR": str(folder)},
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_seconds_of_nearly_everything_end_with_zeros(tmp_path: Path) -> None:
    ended = torture(
        tmp_path,
        "--json",
        "--seconds",
        "20",
        "--clients",
        "6",
        "--seed",
        str(SEED),
        "--shrink",
        "0",
        "--faults",
        FAULTS,
    )
    *before, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (before, last.get("message")) == ([], None)
    assert {name: last[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
    assert ended.returncode == Exit.DONE
    assert (last["seed"], last["seconds"]) == (SEED, 20)
    assert last["messages"] > 50
    assert last["deliveries"] > last["messages"]
    assert last["kills"] > 1
    assert [kind for kind in RARE if not last["broken"].get(kind)] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_seconds_on_a_cluster_end_with_zeros(folder: Path) -> None:
    """Two servers, the primary and its standby, and the bus: each dies once at least."""
    words = ("--json", "--seconds", "20", "--clients", "4", "--seed", str(CLUSTER_SEED), "--shrink", "0")
    ended = torture(folder, *words, "--on", "cluster", "--faults", CLUSTER_FAULTS)
    *before, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (before, last.get("message")) == ([], None)
    assert {name: last[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
    assert ended.returncode == Exit.DONE
    assert (last["seed"], last["on"]) == (CLUSTER_SEED, "cluster")
    assert last["deliveries"] > last["messages"] > 50
    assert [kind for kind in CLUSTER_FAULTS.split(",") if not last["broken"].get(kind)] == []
    assert list(folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("--clients", "1"), ("--seconds", "0"), ("--faults", "rain"), ("--plan", "nowhere"), ("--on", "mars")],
)
def test_what_cannot_be_played_is_refused(words: tuple[str, str], tmp_path: Path) -> None:
    ended = torture(tmp_path, *words)
    assert ended.returncode == Exit.USAGE
    assert "Traceback" not in ended.stderr
