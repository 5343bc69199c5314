"""`coterie bench`: every trial of speed, one after the other."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.trials import (
    client_catch_up,
    client_doors,
    client_fan_out,
    client_messages,
    client_receipts,
    client_repair,
    client_talk,
    ledger_checks,
    server_direct,
    server_drain,
    server_idle,
    server_killed,
    server_recovery,
    server_rooms,
    server_sizes,
    server_storm,
    server_throughput,
    window,
)
from coterie.trials.figures import Figure
from coterie.trials.machine import MachineLine, can_measure_processes, machine_line
from coterie.trials.peers import against
from coterie.trials.processes import allow_many_files
from coterie.trials.scale import SCALES
from coterie.trials.trial import ON, SQLITE, Run, Trial

NEEDS_PROC = "what a server process uses can be measured only where there is /proc (Linux)"

TRIALS: dict[str, Run] = {
    "server.direct": server_direct.run,
    "server.throughput": server_throughput.run,
    "server.room": server_rooms.run,
    "server.idle": server_idle.run,
    "server.connections": server_sizes.run_connections,
    "server.entries": server_sizes.run_entries,
    "server.recovery": server_recovery.run,
    "server.drain": server_drain.run,
    "server.storm": server_storm.run,
    "server.killed": server_killed.run,
    "talk": client_talk.run,
    "client.messages": client_messages.run,
    "client.receipts": client_receipts.run,
    "client.repair": client_repair.run,
    "client.fan_out": client_fan_out.run,
    "client.catch_up": client_catch_up.run,
    "client.doors": client_doors.run,
    "ledger": ledger_checks.run,
    "window": window.run,
}
OF_SERVER = "server."

Line = MachineLine | Figure | against.Absent


class Plan(msgspec.Struct, frozen=True):
    """scale: full, quick or tiny. only: beginnings of names; none for everything. on: of trial.ON. against:
    peers, which are then measured alone unless `only` names something too."""

    scale: str
    only: tuple[str, ...]
    seed: int
    on: tuple[str, ...] = (SQLITE,)
    against: tuple[str, ...] = ()

    def chosen(self) -> list[str]:
        """Raises Refused(usage) where nothing has such a name, or no data lies there."""
        if not self.on or set(self.on) - set(ON) or len(set(self.on)) != len(self.on):
            raise Refused(Code.USAGE, f"--on takes some of: {','.join(ON)}")
        if set(self.against) - set(against.PEERS):
            raise Refused(Code.USAGE, f"--against takes some of: {','.join(against.PEERS)}")
        if self.against and not self.only:
            return []
        chosen = [name for name in TRIALS if not self.only or any(_meets(name, word) for word in self.only)]
        if not chosen:
            raise Refused(Code.USAGE, f"--only takes one of: {', '.join(TRIALS)}, or a part of the list")
        return chosen


def _meets(name: str, word: str) -> bool:
    return name.startswith(word) or word.startswith(name)


async def measure(plan: Plan) -> AsyncIterator[Line]:
    """First the machine, then the figures as they come. Everything lies in a temporary folder."""
    chosen = plan.chosen()
    allow_many_files()
    with tempfile.TemporaryDirectory(prefix="coterie-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        yield machine_line(plan.seed, quick=plan.scale != "full", folder=folder, on=plan.on)
        for trial_name in chosen:
            for figure in await TRIALS[trial_name](_trial(plan, folder, trial_name)):
                yield figure
        if plan.against:
            async for line in against.run(_trial(plan, folder, OF_SERVER + "against"), plan.against):
                yield line


def _trial(plan: Plan, folder: Path, name: str) -> Trial:
    if name.startswith(OF_SERVER) and not can_measure_processes():
        raise Unavailable(Code.MISSING_PART, NEEDS_PROC)
    place = folder / name
    place.mkdir()
    return Trial(place, SCALES[plan.scale], SystemClock(), plan.seed, plan.on)


def run(plan: Plan, show: Callable[[Line], None]) -> None:
    """measure() on the loop that the server uses; show is called with each line as it comes."""
    plan.chosen()
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop

    async def measured() -> None:
        async for line in measure(plan):
            show(line)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(measured())
