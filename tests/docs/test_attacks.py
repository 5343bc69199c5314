"""The table of attacks in docs/security.md says what tools/defences.toml says, and both name what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.break_defences import Defence, defences, main, table, without

ROOT = Path(__file__).parents[2]
DEFENCES = defences()


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: f"{defence.attack}, {defence.function}")
def test_each_defence_and_its_test_exist(defence: Defence) -> None:
    """The line stands once in its function, and the code without it is still code."""
    file, _, name = defence.test.partition("::")
    assert re.search(rf"def {name}\(", (ROOT / file).read_text(encoding="utf-8"))
    source = (ROOT / "src" / "coterie" / defence.file).read_text(encoding="utf-8")
    broken = without(source, defence)
    assert broken != source
    compile(broken, defence.file, "exec")


def test_the_table_is_the_list() -> None:
    """After a change: python -m tools.break_defences --table prints the rows anew."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| .* \| rule .*: `", line)]
    assert rows == table(DEFENCES)


ENTRY = """
[[defence]]
attack = "Nothing"
rule = "4"
file = "content/padding.py"
function = "padded_size"
line = "padded *= 2"
instead = "{instead}"
test = "tests/content/test_padding.py"
"""


@pytest.mark.slow
def test_a_defence_that_nobody_misses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of the tree changes by it, nor of what is measured as covered."""
    measured = tmp_path / "measured"
    settings = tmp_path / "coverage.toml"
    settings.write_text(f"[tool.coverage.run]\ndata_file = '{measured}'\nsource_pkgs = ['coterie.content']\n")
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(settings))
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    file = ROOT / "src" / "coterie" / "content" / "padding.py"
    before = file.read_bytes(), file.stat().st_mtime_ns
    listed = tmp_path / "defences.toml"
    listed.write_text(ENTRY.format(instead="padded += padded") + ENTRY.format(instead="padded *= 4"))
    assert main([], listed) == 1
    said = capsys.readouterr().out
    assert "not noticed by tests/content/test_padding.py" in said
    assert "1 of 2 defences" in said
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert not measured.exists()
    assert main(["Atlantis"], listed) == 1
