"""Each import contract of pyproject.toml, broken on purpose in a copy: lint-imports has to notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BREAKS = [
    ("layers", "base/ids.py", "import coterie.wire.codec"),
    ("layers", "wire/codec.py", "from coterie.ledger import tree"),
    ("layers", "client/events.py", "from coterie.screens import theme"),
    ("layers", "server/turns.py", "from coterie.trials import figures"),
    ("layers", "trials/window.py", "from coterie.desktop import window"),
    ("layers", "errands/__init__.py", "from coterie.base import ids"),
    ("server-cannot-read", "server/policy.py", "import vodozemac"),
    ("server-cannot-read", "server/policy.py", "from coterie.e2ee import group"),
    ("server-cannot-read", "server/policy.py", "from coterie.client import events"),
    ("server-cannot-read", "server/policy.py", "from coterie.content import padding"),
    ("screens-know-no-server", "screens/theme.py", "from coterie.server import policy"),
    ("pure", "wire/session.py", "import time"),
    ("pure", "client/core/outbox.py", "import asyncio"),
    ("pure", "server/policy.py", "import apsw"),
    ("pure", "screens/theme.py", "def late() -> None:\n    import os"),
    ("one-toolkit-each", "cli/__init__.py", "import tkinter.ttk"),
    ("one-toolkit-each", "client/link.py", "import textual"),
    ("one-toolkit-each", "trials/window.py", "import tkinter"),
    ("desktop-is-tk", "desktop/window.py", "import textual"),
    ("no-cycles", "base/ids.py", "from coterie.base import conversations"),
]


@pytest.fixture(scope="module")
def contracts() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]}


LINT_IMPORTS = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(sys.argv[1], tuple(sys.argv[2:]), no_cache=True, no_logo=True))
"""


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Hold the package in this folder to some contracts, or to all."""
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, str(ROOT / "pyproject.toml"), *contracts],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", "assets")
    shutil.copytree(ROOT / "src" / "coterie", tmp_path / "coterie", ignore=ignore)
    return tmp_path


def test_the_contracts_are_kept_as_they_stand(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "path", "line"), BREAKS)
def test_a_broken_contract_is_reported(copy: Path, contract: str, path: str, line: str) -> None:
    file = copy / "coterie" / path
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as end:
        end.write(f"\n{line}\n")
    result = lint(copy, contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 broken" in result.stdout
    broken_module = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    assert f".{broken_module}" in result.stdout


def test_every_contract_is_broken_once(contracts: set[str]) -> None:
    assert {contract for contract, _, _ in BREAKS} == contracts
