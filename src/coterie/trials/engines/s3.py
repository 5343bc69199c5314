"""A store that speaks S3, for tests: moto, over TLS on loopback; it is in .engines."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.trials import certificates
from coterie.trials.engines import fetched

START_SECONDS = 30
STOP_SECONDS = 10
LOOK_SECONDS = 0.05
_PROGRAM = "import sys; from moto.server import main; main(sys.argv[1:])"
_RUNS = re.compile(r"Running on https://127\.0\.0\.1:(\d+)")


class Store:
    """One such store. What it was given is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "certificate.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Returns when it accepts connections."""
        certificates.make(self.certificate)
        words = ("-H", "127.0.0.1", "-p", "0", "-c", str(self.certificate), "-k", str(self.certificate))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours, words of ours
                [sys.executable, "-c", _PROGRAM, *words],
                env={**os.environ, "PYTHONPATH": str(fetched().resolve())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await_ready(self._process)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def environment(self) -> dict[str, str]:
        """What a client of it looks up."""
        return {
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "SSL_CERT_FILE": str(self.certificate),
        }

    def make_bucket(self, name: str) -> None:
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        asked = urllib.request.Request(f"{self.url}/{name}", method="PUT")  # noqa: S310 - on loopback
        with urllib.request.urlopen(asked, timeout=START_SECONDS, context=trusting):  # noqa: S310 - as above
            pass

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = SystemClock().monotonic_seconds() + START_SECONDS
        while SystemClock().monotonic_seconds() < until:
            found = _RUNS.search((self._folder / "log").read_text(errors="replace"))
            if found:
                self.url = f"https://{certificates.HOST}:{found[1]}"
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise RuntimeError(f"the store ended with {process.wait(LOOK_SECONDS)}")
        self.stop()
        raise RuntimeError("the store did not start in time")


@contextlib.contextmanager
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="coterie-s3-") as folder:
        made = Store(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.stop()
