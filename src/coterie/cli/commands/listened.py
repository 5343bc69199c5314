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
        self.order = int.from_bytes(self._map[:], "big")

    def printed(self, order: int) -> None:
        """A message has been printed."""
        if order > self.order:
            self.order = order
            self._map[:] = order.to_bytes(_BYTES, "big")

    def print_now(self, order: int, stdout: int, line: bytes) -> None:
        """Note the message as printed and print it, with nothing in between: who reads the line may kill this
        process at that moment. Only for what a pipe takes whole and at once."""
        before, self.order = self._map[:], order
        self._map[:] = order.to_bytes(_BYTES, "big")
        try:
            os.write(stdout, line)
        except OSError:
            self._map[:] = before
            self.order = int.from_bytes(before, "big")
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._map.close()
