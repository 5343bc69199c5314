"""Printing while somebody reads slowly, not at all, or no more."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

import pytest

from coterie.cli.standard_output import WHOLE_BYTES, Printer


class Pipe(NamedTuple):
    read: int
    write: int
    noted: list[str]


@contextmanager
def printing_to(stdout: TextIO) -> Iterator[None]:
    """pytest puts back its own standard output between a fixture and its test, so this is none."""
    before, sys.stdout = sys.stdout, stdout
    try:
        yield
    finally:
        sys.stdout = before


@contextmanager
def piped() -> Iterator[Pipe]:
    """Standard output goes there."""
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="utf-8") as stdout, printing_to(stdout):
        yield Pipe(read, write, [])


def fill(pipe: Pipe) -> int:
    """Write until there is no room; how much."""
    os.set_blocking(pipe.write, False)
    written = 0
    try:
        while True:
            written += os.write(pipe.write, b"x" * WHOLE_BYTES)
    except BlockingIOError:
        os.set_blocking(pipe.write, True)
        return written


@pytest.mark.asyncio
async def test_a_line_is_noted_and_printed() -> None:
    with piped() as pipe:
        await Printer().line("hällo", lambda: pipe.noted.append("noted"))
        assert (os.read(pipe.read, 100), pipe.noted) == ("hällo\n".encode(), ["noted"])


@pytest.mark.asyncio
async def test_a_full_pipe_holds_up_the_line_and_nothing_else() -> None:
    with piped() as pipe:
        full = fill(pipe)
        async with asyncio.TaskGroup() as tasks:
            printing = tasks.create_task(Printer().line("late", lambda: pipe.noted.append("noted")))
            for _ in range(5):
                await asyncio.sleep(0)
            assert (printing.done(), pipe.noted) == (False, [])
            while full:
                full -= len(os.read(pipe.read, full))
        assert (os.read(pipe.read, 100), pipe.noted) == (b"late\n", ["noted"])


@pytest.mark.asyncio
async def test_a_line_that_is_given_up_while_it_waits_is_neither_printed_nor_noted() -> None:
    with piped() as pipe:
        full = fill(pipe)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await Printer().line("never", lambda: pipe.noted.append("noted"))
        assert pipe.noted == []
        while full:
            full -= len(os.read(pipe.read, full))
        os.set_blocking(pipe.read, False)
        with pytest.raises(BlockingIOError):
            os.read(pipe.read, 1)


@pytest.mark.asyncio
async def test_a_long_line_comes_whole_however_slowly_it_is_read() -> None:
    with piped() as pipe:
        line = "0123456789" * 50_000
        read = bytearray()
        async with asyncio.TaskGroup() as tasks:
            printing = tasks.create_task(Printer().line(line, lambda: pipe.noted.append("noted")))
            while not read.endswith(b"\n"):
                await asyncio.sleep(0)
                assert bool(pipe.noted) == printing.done()
                read += os.read(pipe.read, 3000)
        assert (read.decode(), pipe.noted) == (line + "\n", ["noted"])


@pytest.mark.asyncio
async def test_nobody_reading_any_more_is_told() -> None:
    with piped() as pipe:
        os.close(pipe.read)
        with pytest.raises(BrokenPipeError):
            await Printer().line("to nobody")


@pytest.mark.asyncio
async def test_a_file_always_has_room(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    with file.open("w", encoding="ascii") as stdout, printing_to(stdout):
        await Printer().line("\N{SNOWMAN}" * 3000)
    assert file.read_text("ascii") == "\\u2603" * 3000 + "\n"
