"""What is secret, or what people said, never shows in a repr, nor in a log that prints one."""

from __future__ import annotations

from typing import Any

import msgspec


class Quiet(msgspec.Struct, frozen=True):
    """Base of such a type: its repr is its name and nothing else."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []
