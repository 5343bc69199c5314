"""Each planted bug still stands for a place of the code, else the torture would be tried against nothing; and
what a torture starts ends with it."""

from __future__ import annotations

import os
import select
import shutil
import sys
from pathlib import Path

import pytest

from tools.plant_bugs import Bug, bugs, plant, said_by

PACKAGE = Path(__file__).parents[2] / "src" / "coterie"


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_each_bug_can_be_planted(bug: Bug, tmp_path: Path) -> None:
    for edit in bug.edits:
        file = tmp_path / edit.file
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / edit.file, file)
    plant(bug, tmp_path)
    for edit in bug.edits:
        source = (tmp_path / edit.file).read_text(encoding="utf-8")
        assert edit.new in source
        compile(source, edit.file, "exec")


CHILD = """
import signal
alive = open("alive", "wb")
print(flush=True)
signal.pause()
"""
PARENT = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print("begun", flush=True)
"""
STAYS = f"{PARENT}signal.pause()"
PATIENCE_SECONDS = 10.0


@pytest.mark.parametrize(
    ("program", "patience", "says"), [(PARENT, PATIENCE_SECONDS, b"begun\n"), (STAYS, 1.0, None)]
)
def test_what_a_run_has_started_ends_with_it(
    tmp_path: Path, program: str, patience: float, says: bytes | None
) -> None:
    """It holds one end of a pipe: the other one hears when it is gone."""
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    reads = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert said_by([sys.executable, "-c", program], tmp_path, {}, patience) == says
        assert is_gone(reads)
    finally:
        os.close(reads)


def is_gone(pipe: int) -> bool:
    """Whether nobody holds the other end of a pipe, at once or soon."""
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return bool(select.select([pipe], [], [], PATIENCE_SECONDS)[0])
