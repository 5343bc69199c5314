"""Takes each defence out, one at a time, and sees whether its test notices: `make mutants ARGS=word`.

The list is tools/defences.toml. Everything happens in copies in a temporary folder, so the tree is never
touched, whatever ends this program. Ends with 1 where a test did not notice, or fails on the whole code.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tools" / "defences.toml"
ENGINES = ".engines"
"""Programs that some tests run against; not changed, so not copied."""
COPIED = ("src", "tests", "pyproject.toml")
COPIES = 2
TEST_SECONDS = 180
PASSED, FAILED = 0, 1
"""How pytest ends."""


@dataclass(frozen=True)
class Defence:
    """A line of code that stops an attack, what stands there once it is taken out, and the test that notices.

    file: below src/coterie. function: where the line is, Class.method or a function; the line is the only one
    of it that reads so.
    """

    attack: str
    rule: str
    file: str
    function: str
    line: str
    instead: str
    test: str

    @property
    def name(self) -> str:
        return f"{self.attack}: {self.file} {self.function}: {self.line}"


def defences(path: Path = LIST) -> list[Defence]:
    """The list, in its order."""
    return [Defence(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["defence"]]


def without(source: str, defence: Defence) -> str:
    """The source with the defence taken out. LookupError where its line is not there exactly once."""
    lines = source.splitlines(keepends=True)
    if defence.function not in (places := _places(source)):
        raise LookupError(f"no function {defence.function}")
    start, end = places[defence.function]
    found = [number for number in range(start, end) if lines[number].strip() == defence.line]
    if len(found) != 1:
        raise LookupError(f"{len(found)} such lines: {defence.name}")
    line = lines[found[0]]
    indent = line[: len(line) - len(line.lstrip())]
    lines[found[0]] = f"{indent}{defence.instead}\n"
    return "".join(lines)


@cache
def _places(source: str) -> dict[str, tuple[int, int]]:
    """First and one past the last line number, from 0, of each function and class, by its dotted name."""
    return dict(_places_in(ast.parse(source).body, ""))


def _places_in(body: list[ast.stmt], before: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = before + node.name
            yield name, (node.lineno - 1, node.end_lineno or node.lineno)
            yield from _places_in(node.body, f"{name}.")


def table(listed: list[Defence]) -> list[str]:
    """The rows of the table in docs/security.md."""
    rows = []
    for each in listed:
        line = each.line.replace("|", "\\|")
        where = f"rule {each.rule}: `{each.file}` `{each.function}`"
        rows.append(f"| {each.attack} | {where} | `{each.test}` | `{line}` |")
    return rows


class Copies:
    """Copies of what the tests need; each is used by one run at a time."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            copy = folder / str(number)
            for name in COPIED:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy2(source, copy / name)
            (copy / ENGINES).symlink_to(ROOT / ENGINES)
            self._free.put(copy)

    def ended(self, tests: list[str], broken: Defence | None = None) -> int:
        """How pytest ends on the whole code, or on code without one defence."""
        copy = self._free.get()
        try:
            if broken is None:
                return _pytest(copy, tests)
            file = copy / "src" / "coterie" / broken.file
            whole = file.read_text(encoding="utf-8")
            file.write_text(without(whole, broken), encoding="utf-8")
            try:
                return _pytest(copy, tests)
            finally:
                file.write_text(whole, encoding="utf-8")
        finally:
            self._free.put(copy)


def _pytest(copy: Path, tests: list[str]) -> int:
    # What runs there is broken on purpose: it does not count as covered.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**kept, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(  # noqa: S603 - this program's own words and those of the list
            command, cwd=copy, env=environment, capture_output=True, timeout=TEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return FAILED
    return ended.returncode


def main(words: list[str], path: Path = LIST) -> int:
    """Try every defence whose name holds all words."""
    if words == ["--table"]:
        print("\n".join(table(defences(path))))
        return 0
    chosen = [each for each in defences(path) if all(word.lower() in each.name.lower() for word in words)]
    if not chosen:
        print(f"no defence is called {' '.join(words)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="coterie-mutants-") as folder:
        copies = Copies(Path(folder), COPIES)
        if copies.ended(sorted({each.test for each in chosen})) != PASSED:
            print("the tests do not pass on the whole code")
            return 1
        with ThreadPoolExecutor(COPIES) as pool:
            ends = list(pool.map(lambda each: copies.ended([each.test], each), chosen))
    missed = [each for each, end in zip(chosen, ends, strict=True) if end != FAILED]
    for each in missed:
        print(f"not noticed by {each.test}\n    {each.name}")
    print(
        f"{len(chosen) - len(missed)} of {len(chosen)} defences are missed by their tests once they are out"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
