"""A peer's processes: found, started, watched and stopped here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials import certificates
from coterie.trials.machine import cpu_seconds

START_SECONDS = 120.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.1
LAST_WORDS = 600
NOBODY = "nobody"
SYSTEM_PLACES = ("/usr/sbin", "/usr/local/sbin")
"""Servers stand there, and people seldom have it in their PATH."""


def find(program: str) -> Path:
    """Raises Unavailable(missing-part)."""
    places = os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_PLACES))
    found = shutil.which(program, path=places)
    if found is None:
        raise Unavailable(Code.MISSING_PART, f"{program} is not installed")
    return Path(found)


def who(wanted: str = NOBODY) -> str | None:
    """As whom a peer runs that refuses root: None for whoever we are, where we are not root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam(wanted).pw_name
    except KeyError:
        return NOBODY


@contextlib.contextmanager
def home(user: str | None) -> Iterator[Path]:
    """A folder on the disk for one peer, with a certificate in it; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="coterie-peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificates.make(certificate(folder))
        hand_over(folder, user)
        yield folder


def certificate(folder: Path) -> Path:
    """Key and certificate of the peer that lives there."""
    return folder / "peer.pem"


def hand_over(folder: Path, user: str | None) -> None:
    """What lies in a folder belongs to who runs the peer."""
    if user is None:
        return
    owner = pwd.getpwnam(user)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, owner.pw_uid, owner.pw_gid)


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Program:
    """A running peer. through_shell: what we started is a script that waits for the real one."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, *, through_shell: bool) -> None:
        self._process = process
        self._folder = folder
        self._through_shell = through_shell

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        return cpu_seconds_of_tree(self.pid)

    async def await_port(self, port: int) -> None:
        """Return when it accepts connections. Raises Unavailable where it ends, or takes too long."""
        clock = SystemClock()
        until = clock.monotonic_seconds() + START_SECONDS
        while clock.monotonic_seconds() < until:
            if self._process.poll() is not None:
                raise Unavailable(Code.MISSING_PART, f"it ended at once: {self._last_words()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            await clock.wait_until(clock.monotonic_seconds() + LOOK_SECONDS)
        raise Unavailable(Code.MISSING_PART, f"it did not start in time: {self._last_words()}")

    def stop(self) -> None:
        """Ask it to end; then whatever is left of its group is killed."""
        asked = children(self.pid) if self._through_shell else []
        for pid in asked or [self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def _last_words(self) -> str:
        """The end of what it printed; it knows nothing but what this trial told it."""
        said = (self._folder / "output").read_text(errors="replace").strip()
        return " ".join(said[-LAST_WORDS:].split()) or "it said nothing"


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], folder: Path, user: str | None, *, through_shell: bool = False
) -> Iterator[Program]:
    """Run a peer in its folder, in a process group of its own. Raises Unavailable where it cannot be."""
    with (folder / "output").open("ab") as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - a peer's program, words of ours
                [str(word) for word in command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                group=_group(user),
                extra_groups=[] if user else None,
                env=os.environ | {"HOME": str(folder)},
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(Code.MISSING_PART, f"it cannot be run ({error.strerror})") from error
    program = Program(process, folder, through_shell=through_shell)
    try:
        yield program
    finally:
        program.stop()


async def said_by(command: Sequence[str | Path], folder: Path) -> str:
    """What a peer's tool prints. Raises Unavailable where it fails."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - as above
            [str(word) for word in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"HOME": str(folder)},
            timeout=START_SECONDS,
            check=False,
        )

    try:
        done = await asyncio.to_thread(run)
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable(Code.MISSING_PART, f"{Path(command[0]).name} cannot be run") from None
    if done.returncode:
        raise Unavailable(Code.MISSING_PART, f"a tool failed: {done.stderr.strip()[-LAST_WORDS:]}")
    return done.stdout


def _group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None


def cpu_seconds_of_tree(pid: int) -> float:
    """What a process and all that came of it have used; of those that have ended, what was waited for."""
    total, waiting = 0.0, [pid]
    while waiting:
        each = waiting.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += cpu_seconds(each) + _seconds_of_ended(each)
        waiting += children(each)
    return total


def children(pid: int) -> list[int]:
    """The processes that it started itself, by whichever thread."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _seconds_of_ended(pid: int) -> float:
    """To a hundredth."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[13]) + int(words[14])) / os.sysconf("SC_CLK_TCK")
