"""The PostgreSQL of a peer that keeps its messages in one: on the disk, with fsync."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from coterie.trials.engines import postgres
from coterie.trials.peers.programs import free_port

SETTINGS = {"shared_buffers": "128MB", "listen_addresses": "127.0.0.1"}
"""Over TCP, for ejabberd knows no other way."""


@asynccontextmanager
async def running() -> AsyncIterator[postgres.Engine]:
    """Raises Unavailable(missing-part) where `make engines` has not fetched it."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coterie-peer-")))
        place.chmod(0o755)
        held = postgres.running(place, SETTINGS | {"port": str(free_port())})
        engine = await asyncio.to_thread(held.__enter__)
        try:
            yield engine
        finally:
            await asyncio.to_thread(held.__exit__, None, None, None)


async def version(engine: postgres.Engine) -> str:
    return "PostgreSQL " + await asyncio.to_thread(engine.psql, "SHOW server_version")


def of_ejabberd(engine: postgres.Engine) -> list[str]:
    """Lines of its configuration."""
    return [
        "sql_type: pgsql",
        "sql_server: 127.0.0.1",
        f"sql_port: {engine.port}",
        "sql_database: postgres",
        "sql_username: postgres",
        "sql_password: none",
    ]
