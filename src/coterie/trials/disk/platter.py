"""What a file would hold after a power cut: what was synced, and of the rest whatever the disk had got to.

Between two syncs a disk writes when and in which order it likes, sector by sector. A model, kept beside the
real file: the real one is what a process sees that goes on.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from random import Random  # noqa: TID251 - a trial that can be run again; nothing secret is drawn

import msgspec

SECTORS = (512, 4096)
"""Sizes of what a disk writes whole or not at all, in bytes."""


class Cut(Enum):
    """What becomes of the writes that were not synced."""

    NOTHING_REACHED_IT = "nothing"
    SOME_SECTORS_DID = "some"
    ALL_DID = "all"


class _Write(msgspec.Struct, frozen=True):
    offset: int
    data: bytes


class _Resize(msgspec.Struct, frozen=True):
    size: int


_Change = _Write | _Resize


class Platter:
    """One file. What was there before it was opened here counts as synced."""

    def __init__(self, synced: bytes | None) -> None:
        """synced: what the file held before it was opened here; None: it is made now."""
        self._synced = synced
        self._changes: list[_Change] = []
        self._removed = False
        self._new = synced is None

    @property
    def unsynced(self) -> int:
        """How many changes a power cut may undo."""
        return len(self._changes)

    def write(self, offset: int, data: bytes) -> None:
        self._changes.append(_Write(offset, bytes(data)))

    def resize(self, size: int) -> None:
        self._changes.append(_Resize(size))

    def sync(self) -> bool:
        """Whether it was the first time for a file that was made here: its name is written then, and with it
        all that has changed in its folder, as SQLite does for its logs."""
        content = bytearray(self._synced or b"")
        for change in self._changes:
            _apply(content, change)
        self._synced = bytes(content)
        self._changes.clear()
        first, self._new = self._new, False
        return first

    def remove(self) -> None:
        """The name goes, whenever the disk gets to it."""
        self._changes = [_Resize(0)]
        self._removed = True

    def folder_synced(self) -> None:
        """If it was removed, it is."""
        if self._removed:
            self._synced = None

    def made_again(self) -> None:
        """A new file under the name of one that was removed."""
        self._removed = False
        self._new = True

    def after(self, cut: Cut, chance: Random) -> bytes | None:
        """What stands there when the power comes back; None: no file of this name."""
        if self._synced is None and (cut is Cut.NOTHING_REACHED_IT or not chance.getrandbits(1)):
            return None
        if self._removed:
            stays = cut is Cut.NOTHING_REACHED_IT or (cut is not Cut.ALL_DID and chance.getrandbits(1))
            return self._synced if stays else None
        content = bytearray(self._synced or b"")
        if cut is not Cut.NOTHING_REACHED_IT:
            for change in self._changes:
                for part in _parts(change, chance.choice(SECTORS)):
                    if cut is Cut.ALL_DID or chance.getrandbits(1):
                        _apply(content, part)
        return bytes(content)


def _parts(change: _Change, sector: int) -> list[_Change]:
    """A write, cut where sectors end."""
    if isinstance(change, _Resize):
        return [change]
    parts: list[_Change] = []
    at = change.offset
    end = change.offset + len(change.data)
    while at < end:
        until = min(end, (at // sector + 1) * sector)
        parts.append(_Write(at, change.data[at - change.offset : until - change.offset]))
        at = until
    return parts


def _apply(content: bytearray, change: _Change) -> None:
    size = change.size if isinstance(change, _Resize) else change.offset
    if isinstance(change, _Resize):
        del content[size:]
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, _Write):
        content[size : size + len(change.data)] = change.data


def read(path: Path) -> bytes | None:
    """What a file holds now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
