"""How far `coterie listen` has printed, in a file of the profile: what was printed is not printed again.

Written after each line without waiting for the disk, so a process that is killed prints nothing twice and
leaves nothing out; after a power cut some lines may come again, under the same ids.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
            self._handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
            kept = os.read(self._handle, _BYTES)
        except OSError as error:
            raise Unavailable(Code.DISK, f"the mark of what was printed: {error.strerror}") from error
        self.order = int.from_bytes(kept, "big") if len(kept) == _BYTES else 0

    def printed(self, order: int) -> None:
        """A message is printed: has been, or is at once."""
        if order > self.order:
            self._keep(order)

    @contextmanager
    def printing(self, order: int) -> Iterator[None]:
        """A message is printed inside the block; where that fails it was not."""
        before = self.order
        self.printed(order)
        try:
            yield
        except BaseException:
            self._keep(before)
            raise

    def _keep(self, order: int) -> None:
        self.order = order
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, order.to_bytes(_BYTES, "big"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)
