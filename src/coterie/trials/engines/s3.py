"""A store that speaks S3, for tests: moto, over TLS on loopback; it is in .engines."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coterie.base.clock import SystemClock
from coterie.trials.engines import fetched

START_SECONDS = 30
STOP_SECONDS = 10
LOOK_SECONDS = 0.05
_PROGRAM = "import sys; from moto.server import main; main(sys.argv[1:])"
_VALID_FROM = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
_RUNS = re.compile(r"Running on https://127\.0\.0\.1:(\d+)")


class Store:
    """One such store. What it was given is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "certificate.pem"
        self._key = folder / "key.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Returns when it accepts connections."""
        _certify(self.certificate, self._key)
        words = ("-H", "127.0.0.1", "-p", "0", "-c", str(self.certificate), "-k", str(self._key))
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
                self.url = f"https://127.0.0.1:{found[1]}"
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


def _certify(certificate: Path, private: Path) -> None:
    """For this machine alone, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a store of a test")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
