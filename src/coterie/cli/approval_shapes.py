"""The JSON objects of `login --approve` and `devices approve`."""

from __future__ import annotations

from coterie.cli.chat_shapes import EmojiShape
from coterie.cli.shapes import Shape
from coterie.client.events import Emoji


class ApprovalShape(Shape, frozen=True, kw_only=True):
    """state: asked (then code: the new device waits), wants (then device and device_name: one wants to join),
    compare (then emoji: answer by a line yes or no on standard input), code-given (nothing is to be
    compared)."""

    event: str
    state: str
    code: str | None = None
    device: str | None = None
    device_name: str | None = None
    emoji: tuple[EmojiShape, ...] = ()


def compare_shape(emoji: tuple[Emoji, ...]) -> ApprovalShape:
    return ApprovalShape(
        event="approval",
        state="compare",
        emoji=tuple(EmojiShape(emoji=each.sign, name=each.name) for each in emoji),
    )
