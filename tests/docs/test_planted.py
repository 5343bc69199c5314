"""Each planted bug still stands for a place of the code: else the torture would be tried against nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.plant_bugs import Bug, bugs, plant

PACKAGE = Path(__file__).parents[2] / "src" / "coterie"


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_each_bug_can_be_planted(bug: Bug, tmp_path: Path) -> None:
    for edit in bug.edits:
        file = tmp_path / edit.file
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / edit.file, file)
    plant(bug, tmp_path)
    for edit in bug.edits:
        source = (tmp_path / edit.file).read_text(encoding="utf-8")
        assert edit.new in source
        compile(source, edit.file, "exec")
