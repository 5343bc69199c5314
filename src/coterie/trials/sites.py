"""What a trial of servers measures side by side in the same rounds: coterie as --on says, and the floor."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from coterie.trials.coterie_site import CoterieSite
from coterie.trials.engines import nats, postgres
from coterie.trials.floor_site import FloorSite
from coterie.trials.sheets import FLOOR
from coterie.trials.subject import Site, Subject
from coterie.trials.trial import SQLITE, Trial

SERVER, POSTGRES, CLUSTER = "server", "postgres", "cluster"
"""Names of sites, and so the beginnings of their figures."""
ALL = (SERVER, POSTGRES, CLUSTER)
APART = "apart"
"""One more process on the PostgreSQL, with other data: it and the first one share nothing."""
PROCESSES = 2
"""Of the cluster."""
ENGINE_SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
"""Beside what initdb says; fsync and synchronous_commit are on, or the server refuses it."""


@asynccontextmanager
async def coterie_sites(trial: Trial, *, apart: bool = False) -> AsyncIterator[list[CoterieSite]]:
    """Those of --on, in their order; those on a PostgreSQL share one that runs, and have a database each.
    apart: that one too, where one process and two are measured."""
    async with AsyncExitStack() as stack:
        found = []
        engine: postgres.Engine | None = None
        for on in trial.on:
            if on == SQLITE:
                found.append(CoterieSite(SERVER, trial.folder / SERVER, trial.clock))
                continue
            if engine is None:
                place = Path(tempfile.gettempdir())
                engine = stack.enter_context(postgres.running(place, ENGINE_SETTINGS))
            database = stack.enter_context(postgres.database(engine))
            bus = stack.enter_context(nats.node()) if on == CLUSTER else None
            found.append(_on_postgres(trial, on, database, engine, bus))
        if apart and engine is not None and {POSTGRES, CLUSTER} <= set(trial.on):
            database = stack.enter_context(postgres.database(engine))
            found.append(_on_postgres(trial, APART, database, engine, None))
        yield found


def _on_postgres(
    trial: Trial, name: str, database: str, engine: postgres.Engine, bus: nats.Node | None
) -> CoterieSite:
    """bus: then it is the cluster."""
    works = {"database": engine.pid}
    words: tuple[str, ...] = ()
    if bus is not None:
        works["bus"] = bus.pid
        words = ("--wakeups", bus.url)
    return CoterieSite(
        name,
        trial.folder / name,
        trial.clock,
        processes=1 if bus is None else PROCESSES,
        database=database,
        words=words,
        works=works,
    )


@asynccontextmanager
async def sites(trial: Trial, *, floor: bool = True, apart: bool = False) -> AsyncIterator[list[Site]]:
    """All that is measured. floor: where the shape can be asked of it too, and then it is the last."""
    async with coterie_sites(trial, apart=apart) as found:
        yield [*found, FloorSite(trial.folder / FLOOR)] if floor else [*found]


@asynccontextmanager
async def all_running(
    trial: Trial, *, floor: bool = True, apart: bool = False
) -> AsyncIterator[dict[str, Subject]]:
    """All of them at once, by name."""
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(sites(trial, floor=floor, apart=apart))
        yield {site.name: await stack.enter_async_context(site.running()) for site in found}
