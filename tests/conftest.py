"""The display of the window tests: an X server that belongs to this run alone, and what is said without one.

A test that asks for the fixture `display` carries the marker of that name. Where there is no Xvfb or no Tk,
these tests do not run and a sentence of its own at the end says how many; with COTERIE_REQUIRE_DISPLAY=1 they
fail instead.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from hypothesis import HealthCheck, settings

from coterie.base.signing import IdentityKeys
from tests.engines.fixtures import postgres_database as postgres_database
from tests.engines.fixtures import postgres_engine as postgres_engine
from tests.engines.fixtures import s3_store as s3_store

SCREEN = "1400x1000x24"
STOP_SECONDS = 10
NATIVE = sys.platform in {"darwin", "win32"}
"""Tk draws without an X server there."""

settings.register_profile(
    "coterie", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# A test is too slow when pytest's timeout says so: how busy a machine is says nothing about one example.
settings.register_profile("quick", settings.get_profile("coterie"), max_examples=20)
# For `make quick`; tests.examples says what counts for a test that has a number of its own.
settings.load_profile("coterie")

_unread_files: list[Path] = []
"""Test modules that cannot even be imported without Tk."""


RSA_KEYS = 4
"""So many different ones are drawn by each process of the tests: one takes 130 ms."""


@pytest.fixture(autouse=True, scope="session")
def few_rsa_keys() -> Iterator[None]:
    """Identities beyond the first few have the RSA half of one before them, and one half of their own."""
    draw = IdentityKeys.generate
    drawn: list[rsa.RSAPrivateKey] = []

    def generate() -> IdentityKeys:
        if len(drawn) < RSA_KEYS:
            keys = draw()
            drawn.append(keys._rsa)
            return keys
        drawn.append(drawn.pop(0))
        return IdentityKeys(drawn[-1], mldsa.MLDSA65PrivateKey.generate())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IdentityKeys, "generate", generate)
        yield


@pytest.fixture(autouse=True, scope="session")
def keys_loaded_once() -> Iterator[None]:
    """A private RSA key that was loaded is not checked again by the same process: that takes 50 ms. What is
    refused is looked at each time."""
    load = serialization.load_der_private_key
    loaded: dict[bytes, PrivateKeyTypes] = {}

    def load_once(data: bytes, password: None) -> PrivateKeyTypes:
        if data not in loaded:
            loaded[data] = load(data, password)
        return loaded[data]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialization, "load_der_private_key", load_once)
        yield


def pytest_collection_finish() -> None:
    """The thousands of tests stay until the end: the garbage collector need not look through them again."""
    gc.collect()
    gc.freeze()


def missing_part() -> str | None:
    """What the window tests lack here, as half a sentence; None where they can run."""
    if importlib.util.find_spec("tkinter") is None or importlib.util.find_spec("_tkinter") is None:
        return "this Python has no Tk (Debian and Ubuntu: apt-get install python3-tk)"
    if not NATIVE and shutil.which("Xvfb") is None:
        return "there is no Xvfb (Debian and Ubuntu: apt-get install xvfb; Fedora: xorg-x11-server-Xvfb)"
    return None


def required() -> bool:
    """Whether this run may not leave out a window test."""
    return os.environ.get("COTERIE_REQUIRE_DISPLAY") == "1"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    of_the_window = collection_path.suffix == ".py" and "desktop" in collection_path.parts[-3:-1]
    if of_the_window and importlib.util.find_spec("_tkinter") is None and not required():
        _unread_files.append(collection_path)
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "display" in getattr(item, "fixturenames", ()):
            item.add_marker("display")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("display") and (missing := missing_part()):
        if required():
            pytest.fail(f"window test cannot run: {missing}")
        pytest.skip(f"window test: {missing}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "window test: " in str(report.longrepr)
    ]
    if left_out or _unread_files:
        what = (
            f"{len(left_out)} window tests" if left_out else f"The window tests ({len(_unread_files)} files)"
        )
        terminalreporter.write_line(f"{what} did not run: {missing_part()}.", yellow=True)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display that no other program draws on; $DISPLAY is set to it meanwhile."""
    if NATIVE:
        yield ""
        return
    program = shutil.which("Xvfb")
    assert program is not None
    reads, writes = os.pipe()
    command = [program, "-displayfd", str(writes), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        command,
        pass_fds=(writes,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    before = os.environ.get("DISPLAY")
    try:
        with os.fdopen(reads) as ready:
            number = ready.readline().strip()
        assert number, "Xvfb ended before it was ready"
        os.environ["DISPLAY"] = f":{number}"
        yield f":{number}"
    finally:
        if before is None:
            os.environ.pop("DISPLAY", None)
        else:
            os.environ["DISPLAY"] = before
        server.terminate()
        server.wait(STOP_SECONDS)
