"""`coterie torture`: many talk while everything around them breaks, and the check that nothing was lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from coterie.cli.arguments import Arguments
from coterie.cli.commands.soak import tell_faults
from coterie.cli.failures import Exit
from coterie.cli.operator_arguments import TORTURE_CLIENTS, TORTURE_SECONDS
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.session import run as run_job
from coterie.cli.trial_arguments import trial_of
from coterie.cli.trial_shapes import TortureShape
from coterie.trials.torture.director import Torture, TortureResult, TortureSettings
from coterie.trials.torture.faults import Fault, Kind, fault_plan


def run(given: Arguments, output: Output) -> int:
    trial = trial_of(given, TORTURE_SECONDS, TORTURE_CLIENTS)
    settings = TortureSettings(trial.seconds, trial.clients, trial.seed)
    return run_job(_torture(settings, kinds_of(given.faults), output))


def kinds_of(words: str) -> frozenset[Kind]:
    """ "kill-server,cut": those; "all"; "none". Raises UsageError for a word that is none of them."""
    if words == "all":
        return frozenset(Kind)
    if words == "none":
        return frozenset()
    known = {kind.value: kind for kind in Kind}
    unknown = [word for word in words.split(",") if word not in known]
    if unknown:
        raise UsageError("", f"no such fault; there are: all, none, {', '.join(known)}")
    return frozenset(known[word] for word in words.split(","))


async def _torture(settings: TortureSettings, kinds: frozenset[Kind], output: Output) -> int:
    faults = fault_plan(settings.seed, settings.seconds, kinds)
    folder = Path(tempfile.mkdtemp(prefix="coterie-torture-"))
    try:
        result = await Torture(settings, faults, folder, output.tell).run()
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    if result.soak.is_clean:
        shutil.rmtree(folder)
    _tell(settings, faults, result, folder, output)
    return Exit.DONE if result.soak.is_clean else Exit.REFUSED


def _tell(
    settings: TortureSettings,
    faults: tuple[Fault, ...],
    result: TortureResult,
    folder: Path,
    output: Output,
) -> None:
    """What is wrong, then the figures."""
    tell_faults(result.soak, output)
    clean = result.soak.is_clean
    found = result.soak.figures
    if not clean:
        output.tell(f"{len(faults)} faults were planned; the logs and stores of this run lie in {folder}")
    wrong = found.altered + found.unsent + found.miscounted + found.failures + found.errors
    shape = TortureShape(
        messages=found.messages,
        kills=result.kills,
        lost=found.lost,
        doubled=found.doubled,
        reordered=found.reordered,
        unreadable=found.unreadable,
        wrong_state=wrong,
        seed=settings.seed,
        seconds=settings.seconds,
        deliveries=found.deliveries,
        broken={kind.value: count for kind, count in result.broken.items() if count},
        folder="" if clean else str(folder),
    )
    broken = ", ".join(f"{count} {kind}" for kind, count in shape.broken.items())
    verdict = "nothing lost, doubled, reordered or unreadable" if clean else "NOT as it must be"
    lines = (
        f"messages {found.messages}, deliveries {found.deliveries}, kills {result.kills}",
        f"broken: {broken or 'nothing'}",
        (
            f"lost {found.lost}, doubled {found.doubled}, reordered {found.reordered}, "
            f"unreadable {found.unreadable}, wrong state {wrong}"
        ),
        f"seed {settings.seed}: {verdict}",
    )
    output.show(shape, "\n".join(lines))
