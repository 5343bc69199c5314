"""Which rows are seen, and where: the scroll position is an anchor row and the pixels of it that are hidden.

Rows are laid out only when they come near, so neither opening nor scrolling depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

R = TypeVar("R")

END_GAP_PX: Final = 8
"""Below the newest row."""


class Viewport(Generic[R]):
    """height_of: the height of a row in pixels, from a cache."""

    def __init__(self, height_of: Callable[[R], int]) -> None:
        self._height_of = height_of
        self.rows: list[R] = []
        self.height = 1
        self.index = 0
        """The row at the top."""
        self.offset = 0
        """How many of its pixels are above the top; negative: there is room above it."""
        self.last = 0
        """The last row that is seen, as placed last."""
        self.at_end = True
        """The newest row is in view and stays so when rows are added."""

    def reset(self, rows: Sequence[R], focus: int | None) -> None:
        """Other rows; begin at the row focus, or at the end."""
        self.rows = list(rows)
        self.index, self.offset, self.at_end = focus or 0, 0, focus is None

    def insert(self, index: int, rows: Sequence[R]) -> None:
        """What is seen stays where it is."""
        self.at_end = self.at_end and index < len(self.rows)
        self.rows[index:index] = rows
        if index <= self.index:
            self.index += len(rows)

    def append(self, rows: Sequence[R]) -> None:
        self.rows.extend(rows)

    def update(self, index: int, row: R) -> None:
        self.rows[index] = row

    def remove(self, index: int, count: int) -> None:
        del self.rows[index : index + count]
        if index + count <= self.index:
            self.index -= count
        elif index <= self.index:
            self.index, self.offset = min(index, max(0, len(self.rows) - 1)), 0

    def scroll(self, pixels: int) -> None:
        """Move down (up: negative) by pixels."""
        self.at_end = False
        self.offset += pixels

    def to_end(self) -> None:
        self.at_end = True

    def to_row(self, index: int) -> None:
        """Put the row at the top."""
        self.index, self.offset, self.at_end = min(max(index, 0), max(0, len(self.rows) - 1)), 0, False

    def place(self) -> list[tuple[int, int]]:
        """(index, y of its top) of every row that is seen, from top to bottom. Corrects the position."""
        if not self.rows:
            return []
        if not self.at_end:
            self._settle()
            placed = self._down()
            last, y = placed[-1]
            self.last = last
            if last < len(self.rows) - 1 or y + self._height(last) + END_GAP_PX > self.height:
                return placed
        self.at_end = True
        self.last = len(self.rows) - 1
        return self._up()

    def _height(self, index: int) -> int:
        return self._height_of(self.rows[index])

    def _settle(self) -> None:
        """Bring the anchor to the row that really is at the top."""
        while self.offset < 0 and self.index > 0:
            self.index -= 1
            self.offset += self._height(self.index)
        self.offset = max(self.offset, 0)
        while self.index < len(self.rows) - 1 and self.offset >= (height := self._height(self.index)):
            self.offset -= height
            self.index += 1

    def _down(self) -> list[tuple[int, int]]:
        placed: list[tuple[int, int]] = []
        index, y = self.index, -self.offset
        while index < len(self.rows) and (y < self.height or not placed):
            placed.append((index, y))
            y += self._height(index)
            index += 1
        return placed

    def _up(self) -> list[tuple[int, int]]:
        placed: list[tuple[int, int]] = []
        index, y = len(self.rows), self.height - END_GAP_PX
        while index > 0 and (y > 0 or not placed):
            index -= 1
            y -= self._height(index)
            placed.append((index, y))
        placed.reverse()
        self.index, self.offset = placed[0][0], -placed[0][1]
        return placed
