"""Standard output for a command that runs on while nobody reads: a full pipe holds up the printing alone."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Callable

WHOLE_BYTES = 4096
"""What a pipe that has room takes whole and at once, on every system."""


def nothing() -> None:
    """For lines that need no note."""


class Printer:
    """Prints line by line, one at a time."""

    def __init__(self) -> None:
        self._handle: int | None = None
        try:
            handle = sys.stdout.fileno()
            select.select((), (handle,), (), 0)
            self._handle = handle
        except (OSError, ValueError):
            return

    async def line(self, line: str, note: Callable[[], None] = nothing) -> None:
        """Print a line; note is called right before its end is written, with nothing in between.

        So who has read the line finds it noted, even if it kills this process at that moment. An interruption
        comes before the line or after it. Raises BrokenPipeError where nobody reads any more.
        """
        data = f"{line}\n".encode(sys.stdout.encoding, "backslashreplace")
        if self._handle is None:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            note()
            return
        await self._room(self._handle)
        try:
            while len(data) > WHOLE_BYTES:
                data = data[os.write(self._handle, data[:WHOLE_BYTES]) :]
                await self._room(self._handle)
        finally:
            note()
            while data:
                data = data[os.write(self._handle, data) :]

    async def _room(self, handle: int) -> None:
        """Return when a write of WHOLE_BYTES would not wait."""
        if select.select((), (handle,), (), 0)[1]:
            return
        loop = asyncio.get_running_loop()
        there: asyncio.Future[None] = loop.create_future()

        def writable() -> None:
            if not there.done():
                there.set_result(None)

        loop.add_writer(handle, writable)
        try:
            await there
        finally:
            loop.remove_writer(handle)
