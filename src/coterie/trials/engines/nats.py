"""NATS servers for tests and trials, on loopback; the program is in .engines or COTERIE_TEST_NATS_BIN."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.engines import fetched

START_SECONDS = 30
STOP_SECONDS = 10
LOOK_SECONDS = 0.02


class Node:
    """One nats-server, on the same port whenever it is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.pid

    def start(self) -> None:
        """Returns when it accepts connections."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours, words of ours
                [_program(), "-a", "127.0.0.1", "-p", str(self.port or -1), "--ports_file_dir", self._folder],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await_ready(self._process)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        ports = self._folder / f"nats-server_{process.pid}.ports"
        until = SystemClock().monotonic_seconds() + START_SECONDS
        while SystemClock().monotonic_seconds() < until:
            with contextlib.suppress(FileNotFoundError, IndexError):
                self.port = int(ports.read_text().split("nats://127.0.0.1:", 1)[1].split('"', 1)[0])
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise RuntimeError(f"NATS ended with {process.wait(LOOK_SECONDS)}")
        self.kill()
        raise RuntimeError("NATS did not start in time")


@contextlib.contextmanager
def node() -> Iterator[Node]:
    with tempfile.TemporaryDirectory(prefix="coterie-nats-") as folder:
        made = Node(Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.kill()


def _program() -> Path:
    named = os.environ.get("COTERIE_TEST_NATS_BIN")
    program = Path(named) if named else fetched() / "embedded_nats" / "bin" / "nats-server"
    if not program.exists():
        raise Unavailable(Code.MISSING_PART, "there is no NATS to try it with: run `make engines`")
    program.chmod(program.stat().st_mode | 0o100)
    return program
