"""Documents are held to each other and to the code that they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "coterie"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
CODE = [*SOURCE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
SECTION = re.compile(
    r"docs/protocol\.md(?:,)? (?P<cited>\d+(?:\.\d+)?|[A-Z][A-Za-z ]*?)(?=[.,;:)\]\"\n]| and |$)"
)
RULES = re.compile(r"encryption rules? (\d+(?:(?:-|, | and )\d+)*)")
RULE = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The names under which a forge offers a document's headings."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_sections_that_code_cites_exist() -> None:
    headings = HEADING.findall((ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"))
    known = {part for heading in headings for part in heading.split(" ", 1)}
    found = {
        cited["cited"]: file for file in CODE for cited in SECTION.finditer(file.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    assert {str(file.relative_to(ROOT)): cited for cited, file in found.items() if cited not in known} == {}


def test_rules_that_code_cites_exist() -> None:
    numbers = [
        int(number) for number in RULE.findall((ROOT / "docs" / "rules.md").read_text(encoding="utf-8"))
    ]
    assert numbers == list(range(1, 29))
    cited = {
        int(number)
        for file in CODE
        for numbers_cited in RULES.findall(file.read_text(encoding="utf-8"))
        for number in re.findall(r"\d+", numbers_cited)
    }
    assert len(cited) > 10
    assert cited <= set(numbers)


def test_the_walk_names_modules_that_exist() -> None:
    walk = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d+\. `([\w/]+)`", walk, re.MULTILINE)
    assert len(steps) > 15
    assert [step for step in steps if not (SOURCE / f"{step}.py").is_file()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, file in enumerate(files, 1):
        assert file.name.startswith(f"{number:04}-")
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_no_file_named_in_a_document_is_missing() -> None:
    named = re.compile(
        r"`((?:src|tests|docs|base|wire|ledger|content|e2ee|client|server|screens|desktop|cli)/[\w/.]+)`"
    )
    missing = [
        f"{document.relative_to(ROOT)}: {path}"
        for document in DOCUMENTS
        for path in named.findall(document.read_text(encoding="utf-8"))
        if not any((base / name).exists() for base in (ROOT, SOURCE) for name in (path, f"{path}.py"))
    ]
    assert missing == []
