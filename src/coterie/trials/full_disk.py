"""A disk that is full while a switch says so, for the databases of one process of a trial.

trials/disk has more faults, and remembers what a power cut would leave; this one costs next to nothing and is
moved by another process, through a file of one byte.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Self

import apsw

_SYSTEM = "unix"
_ENCRYPTING = "multipleciphers-"
_NAME = "filling"


class Switch:
    """On or off, in a file of its own."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 1)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file, and it is off."""
        path.write_bytes(bytes(1))
        return cls(path)

    @property
    def is_on(self) -> bool:
        return self._map[0] != 0

    def turn(self, *, on: bool) -> None:
        self._map[0] = int(on)

    def close(self) -> None:
        self._map.close()


def fill_when_told(switch: Switch) -> None:
    """From now on every database that this process opens finds no room while the switch is on."""
    layer = _Layer(switch)
    _LAYERS.append(layer)
    apsw.Connection(":memory:", vfs=_ENCRYPTING + layer.name).close()
    apsw.set_default_vfs(_ENCRYPTING + layer.name)


_LAYERS: list[apsw.VFS] = []
"""SQLite does not keep them alive."""


class _Layer(apsw.VFS):
    def __init__(self, switch: Switch) -> None:
        self.name = _NAME
        self._switch = switch
        super().__init__(self.name, _SYSTEM)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's
        if name is None:
            return apsw.VFSFile(_SYSTEM, name, flags)
        return _File(self._switch, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, switch: Switch, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._switch = switch
        super().__init__(_SYSTEM, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's
        if self._switch.is_on:
            raise apsw.FullError
        super().xWrite(data, offset)
