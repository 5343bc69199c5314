"""A short soak of few clients, as a person starts it: it ends with zeros."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from coterie.cli.failures import Exit

RUN_SECONDS = 280
FAULTS = (
    "lost",
    "doubled",
    "reordered",
    "unreadable",
    "altered",
    "unsent",
    "misstated",
    "miscounted",
    "failures",
    "errors",
)


def soak(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coterie.cli", "soak", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        env={**os.environ, "TMPDIR": str(folder)},
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_short_soak_ends_with_zeros(tmp_path: Path) -> None:
    ended = soak(tmp_path, "--json", "--seconds", "15", "--clients", "6", "--seed", "1")
    *before, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert before == []
    assert {name: last[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert ended.returncode == Exit.DONE
    assert (last["seed"], last["seconds"]) == (1, 15)
    assert last["messages"] > 50
    assert last["deliveries"] > last["messages"]
    assert last["sign_ups"] + last["devices"] > 6
    assert last["exhaustions"] > 0
    assert last["days"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_soak_that_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "coterie.cli", "soak", "--seconds", "200", "--clients", "3"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "are here" in line:
            process.send_signal(signal.SIGTERM)
            break
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == Exit.TERMINATED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--clients", "1"), ("--seconds", "0"), ("--seed", "-1")])
def test_a_soak_of_nothing_is_refused(words: tuple[str, str], tmp_path: Path) -> None:
    ended = soak(tmp_path, *words)
    assert ended.returncode == Exit.USAGE
    assert "Traceback" not in ended.stderr
    assert tempfile.gettempdir() not in ended.stdout
