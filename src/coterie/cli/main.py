"""The command `coterie`: reads the command line, loads the one command named, ends with its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from coterie.cli.arguments import Arguments, parse
from coterie.cli.output import Output, print_anything
from coterie.cli.parser import UsageError

WITHOUT_COMMAND = "app"

Run = Callable[[Arguments, Output], int]
"""What each module of coterie.cli.commands has: run(given, output) -> exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. argv: without the program's name, None for the process's own."""
    words = sys.argv[1:] if argv is None else list(argv)
    print_anything()
    try:
        return _main(words)
    except BrokenPipeError:
        _let_go_of_stdout()
        return _exit("BROKEN_PIPE")
    except KeyboardInterrupt:
        return _exit("INTERRUPTED")


def _main(words: list[str]) -> int:
    try:
        given = parse(words)
    except UsageError as error:
        return _misused(error, words)
    from coterie.cli.failures import report, set_up_logging

    set_up_logging(verbose=given.verbose)
    output = Output(as_json=given.json)
    try:
        return _command(given.command or WITHOUT_COMMAND)(given, output)
    except UsageError as error:
        return _misused(error, words)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person sees one sentence
        return report(error, output, verbose=given.verbose)


def _command(name: str) -> Run:
    run: Run = import_module(f"coterie.cli.commands.{name.replace('-', '_')}").run
    return run


def _misused(error: UsageError, words: list[str]) -> int:
    """words: asked for --json themselves, because what does not parse has no arguments yet."""
    from coterie.base.codes import Code
    from coterie.cli.failures import refuse

    options = words[: words.index("--")] if "--" in words else words
    output = Output(as_json="--json" in options)
    if error.usage and not output.as_json:
        sys.stderr.write(error.usage)
    refuse(Code.USAGE.value, error.hint, output)
    return _exit("USAGE")


def _exit(name: str) -> int:
    from coterie.cli.failures import Exit

    return Exit[name]


def _let_go_of_stdout() -> None:
    """Nobody reads any more: what is still buffered must not complain at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
