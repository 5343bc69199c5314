"""No file of code grows past 400 lines: it is split by job before that (CONTRIBUTING.md, convention 8)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
HARD_LIMIT_LINES = 400


def test_no_file_is_longer_than_the_hard_limit() -> None:
    files = [file for folder in ("src", "tests") for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    sizes = {file.relative_to(ROOT): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {str(file): lines for file, lines in sizes.items() if lines > HARD_LIMIT_LINES} == {}
