"""Plants bugs one at a time, and sees whether `coterie torture` finds them: `make planted ARGS=word`.

The list is tools/planted_bugs.toml. Everything happens in copies in a temporary folder, so the tree is never
touched, whatever ends this program. Ends with 1 where a bug is not found in time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tools" / "planted_bugs.toml"
FOUND_SECONDS = 300
"""A bug that takes longer to be found is not found."""
RUN_SECONDS = 40
CLIENTS = 8
ZEROS = ("lost", "doubled", "reordered", "unreadable", "wrong_state")


@dataclass(frozen=True)
class Edit:
    """file: below src/coterie. old stands there once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """faults: those among which it is found soonest, as `coterie torture --faults` takes them. seconds: of a
    run."""

    name: str
    edits: tuple[Edit, ...]
    faults: str
    seconds: int


def bugs(path: Path = LIST) -> list[Bug]:
    """The list, in its order."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["bug"]
    return [
        Bug(
            each["name"],
            tuple(Edit(**edit) for edit in each["edit"]),
            each.get("faults", "all"),
            each.get("seconds", RUN_SECONDS),
        )
        for each in listed
    ]


def plant(bug: Bug, package: Path) -> None:
    """LookupError where the code does not read so any more."""
    for edit in bug.edits:
        file = package / edit.file
        source = file.read_text(encoding="utf-8")
        if source.count(edit.old) != 1:
            raise LookupError(f"{source.count(edit.old)} such places: {bug.name}: {edit.file}")
        file.write_text(source.replace(edit.old, edit.new), encoding="utf-8")


def found(bug: Bug, folder: Path) -> bool:
    """Whether a torture ends with anything but zeros, for one of the first seeds."""
    source = folder / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    plant(bug, source / "coterie")
    began = time.monotonic()
    seed = 0
    while (passed := time.monotonic() - began) < FOUND_SECONDS:
        seed += 1
        figures = _torture(source, folder, seed, bug, FOUND_SECONDS - passed)
        if figures is not None and (wrong := {name: figures[name] for name in ZEROS if figures[name]}):
            print(f"found    {bug.name}: seed {seed}, after {time.monotonic() - began:.0f} s, {wrong}")
            return True
    print(f"NOT FOUND {bug.name}: {seed} seeds")
    return False


def _torture(source: Path, folder: Path, seed: int, bug: Bug, patience: float) -> dict[str, int] | None:
    words = ["--seconds", str(bug.seconds), "--clients", str(CLIENTS), "--seed", str(seed)]
    words += ["--shrink", "0", "--faults", bug.faults]
    command = [sys.executable, "-m", "coterie.cli", "--json", "torture", *words]
    said = said_by(command, folder, {"PYTHONPATH": str(source), "TMPDIR": str(folder)}, patience)
    if said is None:
        return None
    figures: dict[str, int] = json.loads(said.splitlines()[-1])
    return figures


def said_by(command: list[str], folder: Path, settings: dict[str, str], patience: float) -> bytes | None:
    """What a program says until it ends; None where that takes longer than patience, in seconds. All that it
    has started ends with it: what has a group of its own excepted."""
    with subprocess.Popen(  # noqa: S603 - this program's own words
        command,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as program:
        try:
            return program.communicate(timeout=patience)[0]
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)


def main(words: list[str]) -> int:
    """Try every bug whose name holds all words."""
    chosen = [each for each in bugs() if all(word.lower() in each.name.lower() for word in words)]
    missed = 0
    for bug in chosen:
        with tempfile.TemporaryDirectory(prefix="coterie-planted-") as folder:
            missed += not found(bug, Path(folder))
    print(f"{len(chosen) - missed} of {len(chosen)} planted bugs were found in {FOUND_SECONDS} s each")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
