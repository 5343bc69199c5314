"""Standard input as messages, without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.limits import TEXT_BYTES

CHUNK_BYTES = 1 << 16
NEWLINE = b"\n"


def read_text() -> str:
    """All of it, without the newline at its end. Raises Refused: too-large, usage where it is not UTF-8."""
    data = sys.stdin.buffer.read(TEXT_BYTES + len(NEWLINE) + 1)
    if len(data) > TEXT_BYTES + len(NEWLINE):
        raise Refused(Code.TOO_LARGE)
    return as_text(data.removesuffix(NEWLINE) or data)


def as_text(data: bytes) -> str:
    """Raises Refused(usage) where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Code.USAGE, "what came is not UTF-8 text") from None


async def read_lines() -> AsyncGenerator[list[bytes], None]:
    """Lines as they come, without their ends: all that are there at a time."""
    rest = b""
    while chunk := await _read():
        *lines, rest = (rest + chunk).split(NEWLINE)
        if lines:
            yield [_stripped(line) for line in lines]
    if rest:
        yield [_stripped(rest)]


def _stripped(line: bytes) -> bytes:
    return line.removesuffix(b"\r") if sys.platform == "win32" else line


async def _read() -> bytes:
    """What is there now, b"" at the end. A file answers at once; all else is waited for."""
    handle = sys.stdin.fileno()
    if sys.platform == "win32":
        return await asyncio.to_thread(os.read, handle, CHUNK_BYTES)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        await _readable(handle)
    return os.read(handle, CHUNK_BYTES)


async def _readable(handle: int) -> None:
    """Return when a read would not wait. A terminal shared with others stays as it is."""
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not there.done():
            there.set_result(None)

    try:
        loop.add_reader(handle, readable)
    except PermissionError:
        return
    try:
        await there
    finally:
        loop.remove_reader(handle)
