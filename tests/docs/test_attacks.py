"""The table of attacks in docs/security.md says what tools/defences.toml says, and both name what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFENCES = tomllib.loads((ROOT / "tools" / "defences.toml").read_text(encoding="utf-8"))["defence"]
TABLE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "defence", DEFENCES, ids=lambda defence: f"{defence['attack']}, {defence['function']}"
)
def test_each_defence_and_its_test_exist(defence: dict[str, str]) -> None:
    file, _, name = defence["test"].partition("::")
    assert re.search(rf"def {name}\(", (ROOT / file).read_text(encoding="utf-8"))
    source = (ROOT / "src" / "coterie" / defence["file"]).read_text(encoding="utf-8")
    assert defence["line"] in [line.strip() for line in source.splitlines()]
    where = f"rule {defence['rule']}: `{defence['file']}` `{defence['function']}`"
    line = defence["line"].replace("|", "\\|")
    assert f"| {defence['attack']} | {where} | `{defence['test']}` | `{line}` |" in TABLE


def test_the_table_has_nothing_else() -> None:
    rows = [line for line in TABLE.splitlines() if re.match(r"\| .* \| rule .*: `", line)]
    assert len(rows) == len(DEFENCES)
