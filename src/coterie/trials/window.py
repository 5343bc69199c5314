"""The window's figures come from the window's own measuring program, where this coterie has one."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from asyncio.subprocess import DEVNULL, PIPE

import msgspec

PROGRAM = "coterie.desktop.measure"
WINDOW_SECONDS = 300.0


class WindowLine(msgspec.Struct, frozen=True):
    """One JSON object as that program printed it."""

    fields: dict[str, object]

    def told(self) -> str:
        """For a person: name=value."""
        return "  ".join(f"{name}={value}" for name, value in self.fields.items())


_decoder = msgspec.json.Decoder(dict[str, object])


async def window_lines() -> list[WindowLine]:
    """What it prints; nothing where there is no such program, or no display for it."""
    if importlib.util.find_spec(PROGRAM) is None:
        return []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, "--json", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(WINDOW_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return []
    lines = []
    for line in said.splitlines():
        try:
            lines.append(WindowLine(_decoder.decode(line)))
        except msgspec.DecodeError:
            continue
    return lines
