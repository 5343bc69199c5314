"""`coterie bench`: figures of speed, beside what the same work costs without coterie."""

from __future__ import annotations

from typing import assert_never

import msgspec

from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.trials.bench import Line, Plan
from coterie.trials.bench import run as measure
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
    measure(Plan(given.scale, tuple(given.only), seed, peers), show)
    if not output.as_json:
        lines = markdown(figures) if given.markdown else table(figures)
        for each in lines:
            output.line(each)
    return Exit.DONE


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
