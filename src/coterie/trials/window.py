"""The window's figures come from the window's own measuring program, where this coterie has one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from coterie.trials.figures import Figure, Target
from coterie.trials.trial import Trial

PROGRAM = "coterie.desktop.measure"
WINDOW_SECONDS = 300.0
SCREEN = "1440x900x24"


class _Measured(msgspec.Struct, frozen=True):
    """What that program says of a figure."""

    what: str
    text: str
    unit: str
    median: float
    min: float
    max: float
    target: float


_decoder = msgspec.json.Decoder(_Measured)


async def run(trial: Trial) -> list[Figure]:
    """Nothing where there is neither a display nor Xvfb to make one."""
    async with _display() as display:
        said = await _said(display, trial.scale.window_rounds) if display else b""
    figures = []
    for line in said.splitlines():
        try:
            measured = _decoder.decode(line)
        except msgspec.MsgspecError:
            continue
        figures.append(
            Figure(
                name=f"window.{measured.what}",
                what=measured.text.strip(),
                unit=measured.unit or "items",
                values=(measured.min, measured.median, measured.max),
                targets=(Target(measured.target),),
            )
        )
    return figures


async def _said(display: str, rounds: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROGRAM,
        "--json",
        "--rounds",
        str(rounds),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        env=os.environ | {"DISPLAY": display},
    )
    try:
        async with asyncio.timeout(WINDOW_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return b""
    return said


@asynccontextmanager
async def _display() -> AsyncIterator[str]:
    """The display there is, or one of our own that nobody sees; "" where there can be none."""
    present, program = os.environ.get("DISPLAY", ""), shutil.which("Xvfb")
    if present or program is None:
        yield present
        return
    reads, writes = os.pipe()
    words = ("-displayfd", str(writes), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset")
    server = await asyncio.create_subprocess_exec(
        program, *words, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, pass_fds=[writes]
    )
    os.close(writes)
    try:
        with os.fdopen(reads, "rb") as number:
            line = await asyncio.to_thread(number.readline)
        yield ":" + line.decode().strip() if line else ""
    finally:
        server.terminate()
        await server.wait()
