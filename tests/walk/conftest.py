"""The village, for the walk."""

from __future__ import annotations

from tests.village.conftest import village

__all__ = ["village"]
