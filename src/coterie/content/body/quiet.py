"""What people said never shows in a repr."""

from __future__ import annotations

from typing import Any

import msgspec


class Quiet(msgspec.Struct, frozen=True):
    """Base of every body: its repr is its type and nothing else."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []
