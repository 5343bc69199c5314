"""The layer of SQLite between its files and the system's, below the encryption: for all databases that this
process opens while a TrialDisk is in use.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import count
from pathlib import Path
from random import Random  # noqa: TID251 - a trial that can be run again; nothing secret is drawn
from types import TracebackType
from typing import Self

import apsw

from coterie.trials.disk.platter import Cut, Platter, read

_SYSTEM = "unix"
_ENCRYPTING = "multipleciphers-"
"""Before the name of a layer: the one that encrypts, on top of it. It comes into being with its first use."""
_TO_WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
_numbers = count(1)


class Fault(Enum):
    """What is wrong with the disk."""

    FULL = "full"
    WRITE_PROTECTED = "write-protected"
    UNREADABLE = "unreadable"
    SPOILED = "spoiled"
    """What is read back differs by a bit from what was written."""
    UNWRITABLE = "unwritable"
    CANNOT_SYNC = "cannot-sync"


class TrialDisk:
    """Use it with `with`: every database opened meanwhile lies on it, encrypted or not.

    fault: what is wrong now, under: in which folder alone. at_sync: called before and after each file is
    synced, and before it is removed.
    Files go on to lie where they are, for other programs too; what a power cut would leave is in left_by().
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.under: Path | None = None
        self.at_sync: Callable[[], None] = _nothing
        self._platters: dict[Path, Platter] = {}
        self._layer = _Layer(self)

    def __enter__(self) -> Self:
        name = _ENCRYPTING + self._layer.name
        apsw.Connection(":memory:", vfs=name).close()
        apsw.set_default_vfs(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        apsw.set_default_vfs(_ENCRYPTING + _SYSTEM)

    def left_by(self, cut: Cut, seed: int = 0) -> dict[Path, bytes]:
        """All files as they would be if the power went now. seed: which sectors are written."""
        chance = Random(seed)  # noqa: S311 - sectors of a trial
        left = ((path, platter.after(cut, chance)) for path, platter in self._platters.items())
        return {path: content for path, content in left if content is not None}

    def platter(self, path: Path) -> Platter:
        """Of the file at that path, which exists or is made now."""
        platter = self._platters.get(path)
        if platter is None:
            platter = self._platters[path] = Platter(read(path))
        elif not path.exists():
            platter.made_again()
        return platter

    def removed(self, path: Path, *, synced: bool) -> None:
        self.at_sync()
        if path in self._platters:
            self._platters[path].remove()
        if synced:
            self._folder_synced(path.parent)

    def synced(self, path: Path, platter: Platter) -> None:
        """Raises what a disk with this fault would."""
        self.at_sync()
        if self._fault(path) is Fault.CANNOT_SYNC:
            raise apsw.IOError
        if platter.sync():
            self._folder_synced(path.parent)
        self.at_sync()

    def _fault(self, path: Path) -> Fault | None:
        return self.fault if self.under is None or path.is_relative_to(self.under) else None

    def _folder_synced(self, folder: Path) -> None:
        for path, platter in self._platters.items():
            if path.parent == folder:
                platter.folder_synced()

    def opening(self, path: Path, flags: list[int]) -> list[int]:
        """How a file is opened on a disk with this fault."""
        if self._fault(path) is not Fault.WRITE_PROTECTED:
            return flags
        if not path.exists():
            raise apsw.CantOpenError
        protected = flags[0] & ~_TO_WRITE | apsw.SQLITE_OPEN_READONLY
        return [protected, protected]

    def read(self, path: Path, content: bytes) -> bytes:
        match self._fault(path):
            case Fault.UNREADABLE:
                raise apsw.IOError
            case Fault.SPOILED:
                return content[:-1] + bytes((content[-1] ^ 1,)) if content else content
            case _:
                return content

    def writing(self, path: Path) -> None:
        match self._fault(path):
            case Fault.FULL:
                raise apsw.FullError
            case Fault.WRITE_PROTECTED:
                raise apsw.ReadOnlyError
            case Fault.UNWRITABLE:
                raise apsw.IOError
            case _:
                pass


class _Layer(apsw.VFS):
    def __init__(self, disk: TrialDisk) -> None:
        self.name = f"trial-{next(_numbers)}"
        self._disk = disk
        super().__init__(self.name, _SYSTEM)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's
        if name is None:
            return apsw.VFSFile(_SYSTEM, name, flags)
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        opened = self._disk.opening(path, flags)
        file = _File(self._disk, path, name, opened)
        flags[1] = opened[1]
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's
        self._disk.removed(Path(filename), synced=syncdir)
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: TrialDisk, path: Path, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._disk = disk
        self._path = path
        self._platter = disk.platter(path)
        super().__init__(_SYSTEM, name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - apsw's
        return self._disk.read(self._path, super().xRead(amount, offset))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's
        self._disk.writing(self._path)
        super().xWrite(data, offset)
        self._platter.write(offset, data)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's
        self._disk.writing(self._path)
        super().xTruncate(newsize)
        self._platter.resize(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 - apsw's
        self._disk.synced(self._path, self._platter)


def _nothing() -> None:
    pass
