"""The version that `coterie --version` says; a test holds it equal to pyproject.toml."""

from __future__ import annotations

VERSION = "0.1.0"
