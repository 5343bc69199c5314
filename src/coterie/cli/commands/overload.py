"""`coterie overload`: what a server does with three times as much as it can take (docs/trials.md)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.operator_arguments import OVERLOAD_CLIENTS, OVERLOAD_SECONDS
from coterie.cli.output import Output
from coterie.cli.session import run as run_job
from coterie.cli.trial_arguments import trial_of
from coterie.cli.trial_shapes import OverloadShape
from coterie.trials.machine import can_measure_processes
from coterie.trials.overload import Overload, OverloadSettings
from coterie.trials.overload_result import OverloadResult


def run(given: Arguments, output: Output) -> int:
    trial = trial_of(given, OVERLOAD_SECONDS, OVERLOAD_CLIENTS)
    if not can_measure_processes():
        raise Unavailable(
            Code.MISSING_PART, "what a server uses can be seen only where there is /proc (Linux)"
        )
    import uvloop

    return run_job(_overload(OverloadSettings(trial.seconds, trial.clients), output), uvloop.new_event_loop)


async def _overload(settings: OverloadSettings, output: Output) -> int:
    with tempfile.TemporaryDirectory(prefix="coterie-overload-", ignore_cleanup_errors=True) as name:
        result = await Overload(settings, SystemClock(), output.tell).run(Path(name) / "server")
    _tell(result, output)
    return Exit.REFUSED if result.missed() else Exit.DONE


def _tell(result: OverloadResult, output: Output) -> None:
    """The figures, then what is not as it must be."""
    figures = msgspec.structs.asdict(result)
    missed = result.missed()
    lines = [f"{name.replace('_', ' '):>18}  {_told(value)}" for name, value in figures.items()]
    verdict = [f"NOT as it must be: {each}" for each in missed] or ["as it must be"]
    output.show(OverloadShape(missed=missed, **figures), "\n".join((*lines, *verdict)))


def _told(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
