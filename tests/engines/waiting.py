"""Waiting for what a database says of itself."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

PATIENCE_SECONDS = 20.0
LOOK_AGAIN = "SELECT pg_sleep(0.01)"
SOMEBODY_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def until(operator: asyncpg.Connection, sql: str, *values: object) -> Any:
    """What the query gives, as soon as that is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await operator.fetchval(sql, *values)):
            await operator.execute(LOOK_AGAIN)
    return found
