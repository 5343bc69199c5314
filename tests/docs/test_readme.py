"""Whatever README.md tells people to type is there."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

import coterie
from coterie.cli.arguments import parse

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (coterie .*|make .*)$", README, re.MULTILINE)
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_two_commands_stand_there() -> None:
    assert "make run" in README
    assert "make test" in README
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_can_be_typed(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        assert set(words) <= TARGETS
    else:
        parse(words)


def test_every_make_target_named_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        named = re.findall(r"`make (\w+)`", document.read_text(encoding="utf-8"))
        assert set(named) <= TARGETS


def test_the_bot_uses_what_the_sdk_has() -> None:
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippet
    tree = compile(snippet.group(1), "README.md", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "coterie"
    }
    assert used
    assert used <= set(dir(coterie))
