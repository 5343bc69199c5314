"""What a trial of servers measures side by side in the same rounds: coterie as --on says, and the floor."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from coterie.trials.coterie_site import CoterieSite
from coterie.trials.engines import nats, postgres
from coterie.trials.floor_site import FloorSite
from coterie.trials.subject import Site, Subject
from coterie.trials.trial import SQLITE, Trial

SERVER, POSTGRES, CLUSTER = "server", "postgres", "cluster"
"""Names of sites, and so the beginnings of their figures."""
PROCESSES = 2
"""Of the cluster."""
ENGINE_SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
"""Beside what initdb says; fsync and synchronous_commit are on, or the server refuses it."""


@asynccontextmanager
async def sites(trial: Trial, *, floor: bool = True) -> AsyncIterator[list[Site]]:
    """Those of --on in their order, and then the floor, where the shape can be asked of it."""
    async with AsyncExitStack() as stack:
        found: list[Site] = []
        engine: postgres.Engine | None = None
        for name in trial.on:
            if name == SQLITE:
                found.append(CoterieSite(SERVER, trial.folder / SERVER, trial.clock))
                continue
            if engine is None:
                place = Path(tempfile.gettempdir())
                engine = stack.enter_context(postgres.running(place, ENGINE_SETTINGS))
            url = stack.enter_context(postgres.database(engine))
            words, works, processes = ["--database", url], {"database": engine.pid}, 1
            if name == CLUSTER:
                bus = stack.enter_context(nats.node())
                words += ["--wakeups", bus.url]
                works["bus"] = bus.pid
                processes = PROCESSES
            found.append(
                CoterieSite(
                    name, trial.folder / name, trial.clock, processes=processes, words=words, works=works
                )
            )
        if floor:
            found.append(FloorSite(trial.folder / "floor"))
        yield found


@asynccontextmanager
async def all_running(trial: Trial, *, floor: bool = True) -> AsyncIterator[dict[str, Subject]]:
    """All of them at once, by name."""
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(sites(trial, floor=floor))
        yield {site.name: await stack.enter_async_context(site.running()) for site in found}
