"""What ruff, mypy and import-linter cannot say about this project's conventions (CONTRIBUTING.md)."""

from __future__ import annotations

import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "coterie"

ONE_MODULE_ONLY = {
    "time": {"base/clock.py"},
    "vodozemac": {"e2ee/vodo.py"},
    "picows": {"client/link.py", "server/gateway.py", "trials/floor.py", "trials/lines.py"},
}
"""Packages that a part of coterie hides from all the others."""

DATA_ONLY = {"xkcdpass"}
"""Packages that nobody imports: the word list of passphrases."""

IMPORT = re.compile(r"^ *(?:import|from) +(\w+)", re.MULTILINE)
WAITS_OR_SKIPS = re.compile(
    r"time\.sleep\(|asyncio\.sleep\((?!0\))|pytest\.skip\(|pytest\.mark\.(?:skip|skipif|xfail)\b"
)
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|ruff:)(?P<rest>.*)")
WITH_CODE_AND_REASON = re.compile(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[a-z-]+(, ?[a-z-]+)*\])\s+(-|#) \S.*")

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


@cache
def python_files() -> tuple[Path, ...]:
    return tuple(file for folder in ("src", "tests") for file in sorted((ROOT / folder).rglob("*.py")))


@cache
def project_files() -> tuple[Path, ...]:
    """Every text file of the project, whether or not this is a clone."""
    binary = {".png", ".ttf", ".otf", ".ico", ".gz", ".pyc"}
    folders = ("src", "tests", "docs", "changes", "requirements", "tools", ".ci")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*")] + list(ROOT.iterdir())
    return tuple(
        file for file in files if file.is_file() and file.suffix not in binary and file.name != ".git"
    )


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, lazily too."""
    return set(IMPORT.findall(text_of(file)))


@pytest.mark.parametrize("package", ONE_MODULE_ONLY)
def test_some_packages_are_known_to_one_part_only(package: str) -> None:
    importers = {
        file.relative_to(SOURCE).as_posix() for file in SOURCE.rglob("*.py") if package in imported(file)
    }
    assert importers == ONE_MODULE_ONLY[package]


def test_a_suppression_names_its_code_and_its_reason() -> None:
    bare = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in python_files()
        if file != Path(__file__)
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if (found := SUPPRESSION.search(line)) and not WITH_CODE_AND_REASON.match(found["rest"])
    ]
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize(
    ("comment", "fine"),
    [
        ("# noqa", False),
        ("# noqa: S608", False),
        ("# noqa: S608 - the names stand in this file", True),
        ("# type: ignore", False),
        ("# type: ignore[misc]", False),
        ("# type: ignore[misc]  # the library has no types here", True),
    ],
)
def test_what_counts_as_a_reason(comment: str, fine: bool) -> None:
    found = SUPPRESSION.search(comment)
    assert found
    assert bool(WITH_CODE_AND_REASON.match(found["rest"])) is fine


def test_no_path_of_somebodys_machine_stands_in_the_project() -> None:
    folders = ("home", "work", "root", "Users")
    machine = re.compile(r"(?<![\w.~/-])/(" + "|".join(folders) + r")/\w")
    found = [
        f"{file.relative_to(ROOT)}: {match.group()}"
        for file in project_files()
        for match in machine.finditer(file.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_locks_hold_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert packages
        assert all("==" in line and line.endswith("\\") for line in packages)


def test_modules_are_named_after_what_they_do() -> None:
    assert [file for file in python_files() if set(file.stem.split("_")) & VAGUE_NAMES] == []


def test_tests_wait_for_what_happens_and_are_never_skipped() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match.group()}"
        for file in (ROOT / "tests").rglob("*.py")
        if file not in {ROOT / "tests" / "conftest.py", Path(__file__)}
        for match in WAITS_OR_SKIPS.finditer(text_of(file))
    ]
    assert not found, "\n".join(found)


def test_what_the_code_imports_is_what_is_declared() -> None:
    """requirements/run.in and pyproject.toml name the same packages, all of them used by some module."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    name = re.compile(r"^[\w-]+", re.MULTILINE)
    in_project = {found.group() for each in declared if (found := name.match(each))}
    in_lock = set(name.findall((ROOT / "requirements" / "run.in").read_text(encoding="utf-8")))
    assert in_lock - {"flit-core"} == in_project
    imports = {name for file in SOURCE.rglob("*.py") for name in imported(file)}
    own = {
        "apsw-sqlite3mc": "apsw",
        "nats-py": "nats",
        "pillow": "PIL",
        "precis-i18n": "precis_i18n",
        "python-bidi": "bidi",
    }
    modules = {own.get(package, package): package for package in in_project - DATA_ONLY}
    assert set(modules) - imports == set()
    foreign = imports - set(sys.stdlib_module_names) - {"coterie"}
    assert foreign - set(modules) == set()
