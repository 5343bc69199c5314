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
from coterie.trials.torture.faults import KINDS, Fault, Kind, On, fault_plan, read_plan, written_plan
from coterie.trials.torture.shrinking import shrunk

PLAN_FILE = "plan.jsonl"


def run(given: Arguments, output: Output) -> int:
    trial = trial_of(given, TORTURE_SECONDS, TORTURE_CLIENTS)
    settings = TortureSettings(trial.seconds, trial.clients, trial.seed, On(given.on))
    if given.plan is None:
        faults = fault_plan(trial.seed, trial.seconds, kinds_of(given.faults, settings.on))
    else:
        faults = _planned(given.plan)
    return run_job(_torture(settings, faults, given.shrink, output))


def kinds_of(words: str, on: On) -> frozenset[Kind]:
    """ "kill-server,cut": those; "all" that there are on it; "none". Raises UsageError for any other word."""
    if words == "all":
        return KINDS[on]
    if words == "none":
        return frozenset()
    known = {kind.value: kind for kind in Kind if kind in KINDS[on]}
    unknown = [word for word in words.split(",") if word not in known]
    if unknown:
        raise UsageError("", f"no such fault; there are: all, none, {', '.join(known)}")
    return frozenset(known[word] for word in words.split(","))


def _planned(file: Path) -> tuple[Fault, ...]:
    try:
        return read_plan(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError("", "the plan cannot be read") from None


async def _torture(settings: TortureSettings, faults: tuple[Fault, ...], tries: int, output: Output) -> int:
    result, folder = await _played(settings, faults, output)
    clean = result.soak.is_clean
    tell_faults(result.soak, output)
    if not clean:
        output.tell(f"the logs and stores of this run lie in {folder}")
        if tries:
            await _shrink(settings, faults, tries, folder, output)
    _tell(settings, result, folder, output)
    return Exit.DONE if clean else Exit.REFUSED


async def _played(
    settings: TortureSettings, faults: tuple[Fault, ...], output: Output
) -> tuple[TortureResult, Path]:
    """The folder stays only where something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="coterie-torture-"))
    try:
        result = await Torture(settings, faults, folder, output.tell).run()
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    if result.soak.is_clean:
        shutil.rmtree(folder)
    return result, folder


async def _shrink(
    settings: TortureSettings, faults: tuple[Fault, ...], tries: int, folder: Path, output: Output
) -> None:
    """Fewer faults that still fail, as a plan to play again."""

    async def fails(fewer: tuple[Fault, ...]) -> bool:
        output.tell(f"shrinking: {len(fewer)} of {len(faults)} faults")
        result, kept = await _played(settings, fewer, output)
        if not result.soak.is_clean:
            shutil.rmtree(kept)
        return not result.soak.is_clean

    found = await shrunk(faults, fails, tries)
    plan = folder / PLAN_FILE
    plan.write_text(written_plan(found), encoding="utf-8")
    output.tell(f"it takes these {len(found)} faults (--plan {plan}):")
    output.tell(written_plan(found).rstrip())


def _tell(
    settings: TortureSettings,
    result: TortureResult,
    folder: Path,
    output: Output,
) -> None:
    """The figures."""
    clean = result.soak.is_clean
    found = result.soak.figures
    told = found.unsent + found.misstated + found.miscounted
    wrong = found.altered + told + found.failures + found.errors
    shape = TortureShape(
        messages=found.messages,
        kills=result.kills,
        lost=found.lost,
        doubled=found.doubled,
        reordered=found.reordered,
        unreadable=found.unreadable,
        wrong_state=wrong,
        seed=settings.seed,
        on=settings.on,
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
        f"seed {settings.seed} on {settings.on}: {verdict}",
    )
    output.show(shape, "\n".join(lines))
