"""Bringing a database up to the schema of this version, one step and one transaction after the other."""

from __future__ import annotations

from coterie.server.store.postgres.connection import Connection
from coterie.server.store.steps import Step, known_steps, steps_to_come

MIGRATING_LOCK = 0x636F_7465_7269_6502
_TABLE = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, checksum BYTEA NOT NULL)"


async def migrate(connection: Connection, steps: tuple[Step, ...] | None = None) -> None:
    """Whoever comes second waits, and finds all of it done.

    Raises Unavailable (newer-schema, disk) as steps_to_come() does.
    """
    steps = known_steps("pg") if steps is None else steps
    await connection.execute(f"SELECT pg_advisory_lock({MIGRATING_LOCK})")
    try:
        await connection.execute(_TABLE)
        rows = await connection.fetch("SELECT number, checksum FROM migrations")
        for step in steps_to_come(steps, {row[0]: row[1] for row in rows}):
            async with connection.transaction():
                await connection.execute(step.sql)
                await connection.execute("INSERT INTO migrations VALUES ($1, $2)", step.number, step.checksum)
    finally:
        if not connection.is_closed():
            await connection.execute(f"SELECT pg_advisory_unlock({MIGRATING_LOCK})")
