"""How far `coterie listen` has printed, in a file of the profile: what was printed is not printed again.

The file is mapped into memory: a mark costs next to nothing and outlives a process that is killed, which so
prints nothing twice and leaves nothing out. After a power cut some lines may come again, under the same ids.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from coterie.base.codes import Code
from coterie.base.errors import Unavailable

FILE = "listened"
_BYTES = 8


class Listened:
    """order: of the last message printed (Message.order); 0 where none ever was."""

    def __init__(self, folder: Path) -> None:
        try:
            handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.fstat(handle).st_size != _BYTES:
                    os.ftruncate(handle, 0)
                    os.ftruncate(handle, _BYTES)
                self._map = mmap.mmap(handle, _BYTES)
            finally:
                os.close(handle)
        except OSError as error:
            raise Unavailable(Code.DISK, f"the mark of what was printed: {error.strerror}") from error

    @property
    def order(self) -> int:
        return int.from_bytes(self._map[:], "big")

    @order.setter
    def order(self, order: int) -> None:
        self._map[:] = order.to_bytes(_BYTES, "big")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._map.close()
