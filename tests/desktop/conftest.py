"""A display of our own for the window tests, and a root on it whose callback errors fail the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tkinter as tk
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType

import pytest

from coterie.desktop.bridge import Bridge

WAIT_MS = 20_000
"""How long a test waits for a window to get into a state before it fails."""


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of an X display that belongs to these tests alone."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed: the window tests did not run (install the package xvfb)")
    reads, writes = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writes), "-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(writes,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    try:
        with os.fdopen(reads) as ready:
            number = ready.readline().strip()
        assert number, "Xvfb ended before it was ready"
        name = f":{number}"
        before = os.environ.get("DISPLAY")
        os.environ["DISPLAY"] = name
        yield name
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def failures() -> list[BaseException]:
    """What callbacks raised; a test that expects an error takes it out."""
    return []


@pytest.fixture
def root(display: str, failures: list[BaseException]) -> Iterator[tk.Tk]:
    """A fresh Tk root; any error in one of its callbacks fails the test."""
    del display
    root = tk.Tk()

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        del kind, trace
        failures.append(error)

    root.report_callback_exception = report
    root.geometry("910x700+0+0")
    yield root
    root.update()
    root.destroy()
    told = ["".join(traceback.format_exception(error)) for error in failures]
    assert not told, "errors in callbacks:\n" + "\n".join(told)


Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def wait(root: tk.Tk) -> Wait:
    """wait(condition): let the window live until the condition holds; fails after WAIT_MS."""

    def until(condition: Callable[[], bool]) -> None:
        late: list[bool] = []
        timer = root.after(WAIT_MS, late.append, True)
        ticking: list[str] = []

        def tick() -> None:
            ticking[:] = [root.after(3, tick)]

        tick()
        try:
            while not condition():
                assert not late, "the window did not get there in time"
                root.tk.dooneevent(0)
        finally:
            root.after_cancel(timer)
            root.after_cancel(ticking[0])

    return until


@pytest.fixture
def bridge(root: tk.Tk) -> Iterator[Bridge]:
    bridge = Bridge(root)
    bridge.start()
    yield bridge
    bridge.stop()
