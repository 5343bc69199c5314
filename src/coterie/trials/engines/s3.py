"""A store that speaks S3, for tests: SeaweedFS, over TLS on loopback; the program is in .engines."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials import certificates
from coterie.trials.engines import fetched

START_SECONDS = 60
STOP_SECONDS = 10
LOOK_SECONDS = 0.1
TRIES = 3
"""Between looking for free ports and taking them, another program may."""
_PARTS = ("master", "volume", "filer", "s3")
_LEFT = "/tmp/seaweedfs-{}-grpc-{}.sock"  # noqa: S108 - the program leaves these there
_ONE_VOLUME = "[master.volume_growth]\ncopy_1 = 1\n"
"""For each bucket, where it would begin with seven: when it starts again it reads them all."""
_GRANTED = ("Read", "Write", "List")
"""To who has the key: no buckets are made by it."""


class Store:
    """All parts of one such store, in one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "certificate.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: dict[str, int] = {}
        self._key, self._secret = secrets.token_hex(10), secrets.token_hex(20)

    @property
    def url(self) -> str:
        return f"https://{certificates.HOST}:{self._ports['s3']}"

    def start(self) -> None:
        """Returns when it takes files. Once it has run, it is the same store again, where it was."""
        if self._ports:
            if not self._begins():
                raise RuntimeError("the store did not start again")
            return
        certificates.make(self.certificate)
        who = {"name": "coterie", "credentials": [{"accessKey": self._key, "secretKey": self._secret}]}
        (self._folder / "master.toml").write_text(_ONE_VOLUME)
        (self._folder / "people.json").write_text(
            json.dumps({"identities": [{**who, "actions": list(_GRANTED)}]})
        )
        for _ in range(TRIES):
            self._ports = _free_ports()
            if self._begins():
                return
        raise RuntimeError("the store did not start: " + (self._folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        for part in _PARTS if self._ports else ():
            Path(_LEFT.format(part, self._ports[f"{part}.grpc"])).unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """What a client of it looks up."""
        return {
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "SSL_CERT_FILE": str(self.certificate),
        }

    def make_bucket(self, name: str) -> None:
        """As its operator does: a bucket is a folder of the store's own."""
        folder = f"http://127.0.0.1:{self._ports['filer']}/buckets/{name}/"
        asked = urllib.request.Request(folder, method="POST")
        with urllib.request.urlopen(asked, timeout=START_SECONDS):  # noqa: S310 - as above
            pass

    def _begins(self) -> bool:
        self.stop()
        data = self._folder / f"data-{self._ports['s3']}"
        data.mkdir(exist_ok=True)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours, words of ours
                [_program(), "-logtostderr", "server", *self._words(data)],
                cwd=self._folder,
                env={**os.environ, "HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self._becomes_ready(self._process)

    def _words(self, data: Path) -> Iterator[str]:
        """It would tell its makers that it is there, make any bucket that is asked for, and serve more than
        files."""
        yield from ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-filer", "-s3")
        yield from ("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=1000")
        yield from ("-s3.autoCreateBucket=false", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0")
        yield from (f"-filer.localSocket={data}.filer", f"-s3.localSocket={data}.s3")
        yield from (f"-s3.cert.file={self.certificate}", f"-s3.key.file={self.certificate}")
        yield f"-s3.config={self._folder / 'people.json'}"
        for part in _PARTS:
            yield f"-{part}.port={self._ports[part]}"
            yield f"-{part}.port.grpc={self._ports[part + '.grpc']}"

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        clock = SystemClock()
        until = clock.monotonic_seconds() + START_SECONDS
        while clock.monotonic_seconds() < until:
            with contextlib.suppress(OSError, urllib.error.URLError):
                asked = f"{self.url}/healthz"
                with urllib.request.urlopen(asked, timeout=1, context=trusting):  # noqa: S310 - on loopback
                    return self._takes_files()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
                return False
        return False

    def _takes_files(self) -> bool:
        """It says that it is well before its volumes are there. Raises OSError where they are not."""
        probe = f"http://127.0.0.1:{self._ports['filer']}/probe"
        asked = urllib.request.Request(probe, data=b"a byte", method="PUT")
        with urllib.request.urlopen(asked, timeout=START_SECONDS):  # noqa: S310 - as above
            return True


@contextlib.contextmanager
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="coterie-s3-") as folder:
        made = Store(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.stop()


def _program() -> Path:
    program = fetched().resolve() / "bin" / "weed"
    if not program.exists():
        raise Unavailable(Code.MISSING_PART, "there is no store to try it with: run `make engines`")
    program.chmod(program.stat().st_mode | 0o100)
    return program


def _free_ports() -> dict[str, int]:
    with contextlib.ExitStack() as stack:
        names = [*_PARTS, *(f"{part}.grpc" for part in _PARTS)]
        found = {name: stack.enter_context(socket.socket()) for name in names}
        for each in found.values():
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in found.items()}
