"""Blobs in a folder: what a kill leaves, and what is on the disk before it is said to be."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import BlobId
from coterie.server.blobs.directory import COMING, DirectoryBlobs
from tests.server.blobs import killed_program

BLOB = BlobId(bytes(16))


async def two_chunks() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


async def put(blobs: DirectoryBlobs) -> None:
    await blobs.put(BLOB, 6, hashlib.sha256(b"onetwo").digest(), two_chunks())


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def kill_a_program_that_puts(folder: Path) -> None:
    """Once it has taken the first chunk."""
    program = subprocess.Popen(
        [sys.executable, killed_program.__file__, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "taken\n"
    finally:
        program.kill()
        program.communicate()


@pytest.mark.asyncio
async def test_what_a_killed_server_left_is_not_there_and_goes_with_the_next_start(tmp_path: Path) -> None:
    kill_a_program_that_puts(tmp_path)
    assert [path.parent.name for path in files_of(tmp_path)] == [COMING], "written, and under no name"
    blobs = DirectoryBlobs(tmp_path)
    assert files_of(tmp_path) == []
    with pytest.raises(Refused) as caught:
        await blobs.read(BLOB, 0, 1)
    assert caught.value.code is Code.UNKNOWN_FILE
    await blobs.close()


@pytest.mark.asyncio
async def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    blobs = DirectoryBlobs(tmp_path)
    whole = tmp_path / BLOB.hex()
    fsync = os.fsync

    def seen(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        steps.append(f"{kind} {'with' if whole.exists() else 'without'} its name")
        if kind == "file":
            assert os.fstat(handle).st_size == 6
        fsync(handle)

    monkeypatch.setattr(os, "fsync", seen)
    await put(blobs)
    assert steps == ["file without its name", "folder with its name"]
    await blobs.close()


@pytest.mark.asyncio
async def test_only_the_owner_reads(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path / "blobs")
    await put(blobs)
    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0
    assert (tmp_path / "blobs" / BLOB.hex()).stat().st_mode & 0o077 == 0
    await blobs.close()


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"")
    with pytest.raises(Unavailable) as caught:
        DirectoryBlobs(tmp_path / "blobs")
    assert caught.value.code is Code.DISK
    folder = tmp_path / "taken"
    blobs = DirectoryBlobs(folder)
    (folder / COMING).rmdir()
    with pytest.raises(Unavailable):
        await put(blobs)
    await blobs.close()
