"""Asking the person whether both devices show the same."""

from __future__ import annotations

from typing import Self

from coterie.cli.approval_shapes import compare_shape
from coterie.cli.output import Output
from coterie.cli.questions import word_of
from coterie.cli.standard_input import read_lines
from coterie.client.events import Emoji
from coterie.screens.approval_texts import ApprovalText


def emoji_lines(emoji: tuple[Emoji, ...]) -> str:
    """One below the other, with their names."""
    return "\n".join(f"  {each.sign}  {each.name}" for each in emoji)


class Answers:
    """The lines of standard input that are a yes or a no."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines: list[bytes] = []
        self._more = read_lines()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._more.aclose()

    async def same(self, emoji: tuple[Emoji, ...]) -> bool:
        """Show the emoji; whether the person says that the other device shows the same. The end of standard
        input is a no."""
        self._output.show(compare_shape(emoji), emoji_lines(emoji))
        self._output.tell(ApprovalText.COMPARE.value)
        while (line := await self._line()) is not None:
            said = word_of(line)
            if said is not None:
                return said
            self._output.tell(ApprovalText.YES_OR_NO.value)
        return False

    async def _line(self) -> bytes | None:
        while not self._lines:
            try:
                self._lines = await anext(self._more)
            except StopAsyncIteration:
                return None
        return self._lines.pop(0)
