"""Real processes of coterie for tests: a server, and people with homes of their own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

Line = dict[str, Any]
"""One JSON object of the command line, as a script sees it."""

COMMAND = (sys.executable, "-m", "coterie.cli")
RUN_SECONDS = 300
STOP_SECONDS = 60


def environment() -> dict[str, str]:
    """Ours, without anything that would change where coterie looks."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COTERIE_")} | {
        "PYTHONUTF8": "1"
    }


class Ended:
    """A command that has run. lines: its JSON objects."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out
        self.err = err.decode()

    @property
    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def line(self) -> Line:
        (line,) = self.lines
        return line


class Running:
    """A command that is running; its lines are read as they come."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self._stdout: IO[bytes] = process.stdout
        self.said: list[Line] = []

    def next(self) -> Line | None:
        """The next line; None at the end."""
        line = self._stdout.readline()
        if not line.endswith(b"\n"):
            return None
        self.said.append(json.loads(line))
        return self.said[-1]

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line of that kind."""
        while (line := self.next()) is not None:
            if wanted(line):
                return line
        raise AssertionError(f"the command ended before it said so: {self.said[-5:]}")

    def until_live(self) -> None:
        self.until(lambda line: line.get("event") == "link" and line["state"] == "live")

    def message(self) -> Line:
        return self.until(lambda line: line.get("event") == "message")

    def messages(self, count: int) -> list[Line]:
        return [self.message() for _ in range(count)]

    def rest(self) -> list[Line]:
        """All lines up to the end of the process."""
        while self.next() is not None:
            pass
        self.process.wait()
        return self.said

    def kill(self) -> None:
        """kill -9, as by a power cut."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        return self.process.returncode


class Server:
    """One server on one data folder, on the same port whenever it is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.invite = ""
        self.listen = "127.0.0.1:0"
        self.metrics = ""
        self.command: tuple[str, ...] = COMMAND
        """What `serve` is said to."""
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def fingerprint(self) -> str:
        return self.invite.partition("#v1.")[2]

    def start(self, *options: str) -> None:
        """Returns when it accepts connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        where = ("--data", str(self.data), "--listen", self.listen)
        read, write = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, "serve", "--json", *where, "--ready-fd", str(write), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write],
                env=environment(),
            )
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            line = ready.readline()
        assert line, f"the server did not start: {self.log.read_text()}"
        said = json.loads(line)
        assert said["ready"] is True
        self.listen, self.invite, self.metrics = said["listen"], said["invite"], said["metrics"]

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def behind(self, port: int) -> str:
        """The invite by way of a proxy on that port."""
        return f"coterie://127.0.0.1:{port}/#v1.{self.fingerprint}"


class Client:
    """One home on one machine, with its password in a file."""

    def __init__(self, folder: Path, name: str, password: str | None = None) -> None:
        self.name = name
        self.home = folder / "home"
        self.password_file = folder / "password"
        folder.mkdir(parents=True, exist_ok=True)
        self.set_password(password or secrets.token_urlsafe(24))

    def set_password(self, password: str) -> None:
        self.password_file.write_text(password + "\n")

    def command(self, *words: str) -> list[str]:
        where = ["--home", str(self.home), "--password-file", str(self.password_file)]
        return [*COMMAND, "--json", *where, *words]

    def run(self, *words: str, stdin: bytes = b"") -> Ended:
        """One command, to its end."""
        return self.run_command(self.command(*words), stdin)

    def run_command(self, command: list[str], stdin: bytes = b"") -> Ended:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env=environment(),
            timeout=RUN_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: bytes = b"") -> list[Line]:
        """One command that has to go well; its lines."""
        ended = self.run(*words, stdin=stdin)
        assert ended.code == 0, (words[0], ended.code, ended.out[-2000:], ended.err[-2000:])
        return ended.lines

    def sign_up(self, invite: str, *options: str) -> Line:
        (line,) = self.ok("signup", self.name, "--server", invite, *options)
        return line

    def send(self, target: str, text: str) -> Line:
        (line,) = self.ok("send", target, text)
        assert line["state"] == "sent"
        return line

    @contextmanager
    def running(self, *words: str) -> Iterator[Running]:
        """A command that runs until the end of the block."""
        process = subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        running = Running(process)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    @contextmanager
    def listening(self, *options: str) -> Iterator[Running]:
        """`coterie listen`, live when the block begins; what had waited may have been said before."""
        with self.running("listen", *options) as running:
            running.until_live()
            yield running

    def waiting(self, count: int) -> list[Line]:
        """The messages that have waited for this person."""
        lines = self.ok("listen", "--count", str(count))
        return [line for line in lines if line["event"] == "message"]
