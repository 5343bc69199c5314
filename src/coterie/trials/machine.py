"""What the figures were taken on, and what a process has used of it."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import apsw
import msgspec

from coterie.base.clock import SystemClock
from coterie.trials.trial import SQLITE

PACKAGES = ("picows", "msgspec", "apsw-sqlite3mc", "vodozemac", "cryptography", "uvloop")
DURABILITY = (
    "every acknowledged message is on the disk first: SQLite, WAL, synchronous=FULL, one fsync for what "
    "comes in one turn of the loop; floor the same"
)
ON_POSTGRES = (
    "PostgreSQL on the same disk, fsync, synchronous_commit and full_page_writes on, shared_buffers 256 MB"
)
PAGE_BYTES = 4096
FSYNCS = 50


class MachineLine(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of JSON: everything that the figures depend on."""

    machine: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]
    durability: str
    fsync_ms: float
    seed: int
    quick: bool


def machine_line(seed: int, *, quick: bool, folder: Path, on: Sequence[str]) -> MachineLine:
    """folder: on the disk that the trials write to. on: of trial.ON."""
    return MachineLine(
        machine=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={name: _version(name) for name in PACKAGES} | {"SQLite": apsw.sqlite_lib_version()},
        durability=DURABILITY if {*on} == {SQLITE} else f"{DURABILITY}; {ON_POSTGRES}",
        fsync_ms=round(fsync_seconds(folder) * 1000, 3),
        seed=seed,
        quick=quick,
    )


def fsync_seconds(folder: Path, times: int = FSYNCS) -> float:
    """Median of appending a page to a file and putting it on the disk."""
    clock = SystemClock()
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            start = clock.monotonic_seconds()
            file.write(bytes(PAGE_BYTES))
            file.flush()
            os.fsync(file.fileno())
            taken.append(clock.monotonic_seconds() - start)
    return sorted(taken)[times // 2]


def can_measure_processes() -> bool:
    """Whether this system tells what another process has used: those with /proc do."""
    return Path("/proc/self/task").is_dir() and Path("/proc/self/schedstat").is_file()


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used of the processors, to a microsecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def cpu_seconds_of_tree(pid: int) -> float:
    """The same of a process, of all that came of it and are there, and of its children that have ended."""
    total = 0.0
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        try:
            total += cpu_seconds(each) + _ended_children_seconds(each)
            children = Path(f"/proc/{each}/task/{each}/children").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        waiting += [int(child) for child in children.split()]
    return total


def _ended_children_seconds(pid: int) -> float:
    """To a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """What a process holds in memory (resident)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "none"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
