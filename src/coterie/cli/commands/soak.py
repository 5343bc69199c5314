"""`coterie soak`: hours of use in minutes, and the check that nothing was lost (docs/trials.md)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import msgspec

from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.operator_arguments import SOAK_CLIENTS, SOAK_SECONDS
from coterie.cli.output import Output
from coterie.cli.session import run as run_job
from coterie.cli.trial_arguments import trial_of
from coterie.cli.trial_shapes import FaultShape, SoakShape
from coterie.trials.soak.director import Soak, SoakSettings
from coterie.trials.soak.figures import SoakResult

FAULTS_SHOWN = 100


def run(given: Arguments, output: Output) -> int:
    trial = trial_of(given, SOAK_SECONDS, SOAK_CLIENTS)
    return run_job(_soak(SoakSettings(trial.seconds, trial.clients, trial.seed), output))


async def _soak(settings: SoakSettings, output: Output) -> int:
    folder = Path(tempfile.mkdtemp(prefix="coterie-soak-"))
    try:
        result = await Soak(settings, folder, output.tell).run()
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    _tell(settings, result, folder, output)
    if result.is_clean:
        shutil.rmtree(folder)
        return Exit.DONE
    output.tell(f"the logs and stores of this run lie in {folder}")
    return Exit.REFUSED


def _tell(settings: SoakSettings, result: SoakResult, folder: Path, output: Output) -> None:
    """What is wrong, then the figures."""
    tell_faults(result, output)
    figures = msgspec.structs.asdict(result.figures)
    verdict = "nothing lost, doubled, reordered or unreadable" if result.is_clean else "NOT as it must be"
    lines = [f"{name.replace('_', ' '):>12}  {number}" for name, number in figures.items()]
    kept = "" if result.is_clean else str(folder)
    shape = SoakShape(seed=settings.seed, seconds=settings.seconds, folder=kept, **figures)
    output.show(shape, "\n".join((*lines, f"seed {settings.seed}: {verdict}")))


def tell_faults(result: SoakResult, output: Output) -> None:
    """Each thing that is wrong; of very many the first."""
    for fault in result.faults[:FAULTS_SHOWN]:
        _fault(fault.kind.value, fault.where, fault.what, output)
    for failure in result.failures[:FAULTS_SHOWN]:
        _fault("failure", "client", failure, output)
    for error in result.errors[:FAULTS_SHOWN]:
        _fault("error", "log", error, output)


def _fault(kind: str, where: str, what: str, output: Output) -> None:
    output.show(FaultShape(fault=kind, where=where, what=what), f"{kind}: {where}: {what}")
