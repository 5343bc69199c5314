"""How quick the window is, beside its targets: a real window, real keys, a real store and a real server.

    python -m coterie.desktop.measure [--rounds N] [--json]

Makes a server and an account with 10,000 messages in a folder that goes away again, and opens the window on
it, several times. Needs a display on which the window may come up, and Linux or macOS.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Unavailable
from coterie.desktop.measuring.account import Account, account
from coterie.desktop.measuring.figures import Round, figures, table
from coterie.desktop.measuring.threads import Threads
from coterie.desktop.window import open_root

ROUNDS: Final = 3
BEAT_SECONDS: Final = 0.01
KEY_EVERY: Final = 5
BATCH_EVERY: Final = 2
BATCH: Final = 10
"""Messages every BATCH_EVERY beats: 500 a second."""
ARRIVING_SECONDS: Final = 2.5
ROUND_SECONDS: Final = 180


async def measure(rounds: int, enough: Callable[[list[Round]], bool] = lambda _: False) -> list[Round]:
    """So many rounds, one after the other, or fewer where enough() says so.

    Raises Unavailable where there is no display, and where a window or a server does not come up.
    """
    if sys.platform == "win32":
        raise Unavailable(Code.MISSING_PART, "measured on Linux and macOS")
    open_root().destroy()
    done: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="coterie-measure-") as folder:
        async with account(Path(folder)) as prepared:
            while len(done) < rounds and not enough(done):
                done.append(await _round(prepared))
    return done


async def _round(prepared: Account) -> Round:
    """One window in a process of its own."""
    clock = SystemClock()
    words = (str(clock.monotonic_seconds()), str(prepared.home), prepared.invite, prepared.peer)
    window = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "coterie.desktop.measuring.window",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"COTERIE_THEME": "dark"},
    )
    assert window.stdin is not None
    assert window.stdout is not None
    try:
        async with asyncio.timeout(ROUND_SECONDS):
            if not await window.stdout.readline():
                raise Unavailable(Code.MISSING_PART, "the window ended early")
            await _beat(window.stdin, prepared, clock, Threads(window.pid))
            line = await window.stdout.readline()
            await window.wait()
    finally:
        if window.returncode is None:
            window.kill()
            await window.wait()
    if not line:
        raise Unavailable(Code.MISSING_PART, "the window ended early")
    return msgspec.json.decode(line, type=Round)


async def _beat(out: asyncio.StreamWriter, prepared: Account, clock: SystemClock, threads: Threads) -> None:
    """Beats, keys and messages at their moments."""
    began = clock.monotonic_seconds()
    async with asyncio.TaskGroup() as tasks:
        for beat in range(round(ARRIVING_SECONDS / BEAT_SECONDS)):
            await clock.wait_until(began + beat * BEAT_SECONDS)
            if beat % BATCH_EVERY == 0:
                for number in range(BATCH):
                    said = f"message {beat * BATCH + number} of many that arrive in a short time"
                    tasks.create_task(prepared.bob.post("everyone", said))
            kind = "t" if beat % KEY_EVERY else "k"
            out.write(f"{kind} {clock.monotonic_seconds()} {threads.ran()}\n".encode())
        out.write(b".\n")
        await out.drain()
    threads.close()


def main(words: list[str]) -> int:
    """The exit code: 0, or 3 where it cannot be measured here."""
    parser = argparse.ArgumentParser(prog="python -m coterie.desktop.measure", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"how many ({ROUNDS})")
    parser.add_argument("--json", action="store_true", help="one JSON object for each figure")
    given = parser.parse_args(words)
    try:
        found = asyncio.run(measure(max(1, given.rounds)))
    except CoterieError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    if given.json:
        for figure in figures(found):
            sys.stdout.write(msgspec.json.encode(figure).decode() + "\n")
    else:
        sys.stdout.write(table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
