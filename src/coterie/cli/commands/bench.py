"""`coterie bench`: figures of speed, beside what the same work costs without coterie."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.trials.bench import Line, Plan
from coterie.trials.bench import run as measure
from coterie.trials.charts import charts
from coterie.trials.figures import Figure, line_of, markdown, table
from coterie.trials.machine import MachineLine
from coterie.trials.peers.against import Absent


def run(given: Arguments, output: Output) -> int:
    figures: list[Figure] = []

    def show(line: Line) -> None:
        match line:
            case MachineLine():
                _show_machine(line, given, output)
            case Figure():
                figures.append(line)
                if output.as_json:
                    output.line(_json(line_of(line)))
            case Absent():
                output.line(_json(line) if output.as_json else f"Not measured: {line.peer}: {line.why}")
            case _:
                assert_never(line)

    seed = 1 if given.seed is None else given.seed
    peers = tuple(given.against.split(",")) if given.against else ()
    plan = Plan(given.scale, tuple(given.only), seed, tuple(given.on.split(",")), peers)
    measure(plan, show)
    if not output.as_json:
        lines = markdown(figures) if given.markdown else table(figures)
        for each in lines:
            output.line(each)
    if given.charts is not None:
        _write_charts(given.charts, figures, output)
    return Exit.DONE


def _write_charts(folder: Path, figures: list[Figure], output: Output) -> None:
    """Raises Unavailable(disk)."""
    made = charts(figures)
    if not made:
        output.tell("no chart: nothing was measured at two loads or sizes")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(Code.DISK, f"the charts could not be written ({error.strerror})") from error


def _show_machine(line: MachineLine, given: Arguments, output: Output) -> None:
    if output.as_json:
        output.line(_json(line))
        return
    versions = ", ".join(f"{name} {version}" for name, version in line.versions.items())
    machine = f"{line.machine}, {line.cores} cores, {line.system}, Python {line.python}"
    machine += f", {versions}; an fsync takes {line.fsync_ms:g} ms."
    for sentence in (machine, f"Durability: {line.durability}."):
        output.line(sentence)
        if given.markdown:
            output.line("")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8")
