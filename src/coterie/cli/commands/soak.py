"""`coterie soak`: hours of use in minutes, and the check that nothing was lost (docs/trials.md)."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from pathlib import Path

import msgspec

from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.session import run as run_job
from coterie.cli.trial_shapes import FaultShape, SoakShape
from coterie.trials.soak.director import Soak, SoakSettings
from coterie.trials.soak.figures import SoakResult

LEAST_CLIENTS = 2
LEAST_SECONDS = 1.0
SEED_BITS = 32
FAULTS_SHOWN = 100


def run(given: Arguments, output: Output) -> int:
    if given.clients < LEAST_CLIENTS or given.soak_seconds < LEAST_SECONDS:
        raise UsageError("", f"a soak takes {LEAST_CLIENTS} clients and {LEAST_SECONDS:g} second at least")
    seed = secrets.randbits(SEED_BITS) if given.seed is None else given.seed
    return run_job(_soak(SoakSettings(given.soak_seconds, given.clients, seed), output))


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
    for fault in result.faults[:FAULTS_SHOWN]:
        _fault(fault.kind.value, fault.where, fault.what, output)
    for failure in result.failures[:FAULTS_SHOWN]:
        _fault("failure", "client", failure, output)
    for error in result.errors[:FAULTS_SHOWN]:
        _fault("error", "log", error, output)
    figures = msgspec.structs.asdict(result.figures)
    verdict = "nothing lost, doubled, reordered or unreadable" if result.is_clean else "NOT as it must be"
    lines = [f"{name.replace('_', ' '):>12}  {number}" for name, number in figures.items()]
    kept = "" if result.is_clean else str(folder)
    shape = SoakShape(seed=settings.seed, seconds=settings.seconds, folder=kept, **figures)
    output.show(shape, "\n".join((*lines, f"seed {settings.seed}: {verdict}")))


def _fault(kind: str, where: str, what: str, output: Output) -> None:
    output.show(FaultShape(fault=kind, where=where, what=what), f"{kind}: {where}: {what}")
