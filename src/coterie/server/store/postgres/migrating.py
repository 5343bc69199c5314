"""Bringing a database up to the schema of this version, one step and one transaction after the other.

Who serves says with a lock which schema it has, so that a step is done only where all that are there can go
on working beside it; and who comes sees, behind the same lock as who does a step, what has been done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.steps import Applied, Step, known_steps, schema_of, steps_to_come

MIGRATING_LOCK = 0x636F_7465_7269_6502
SCHEMAS = 0x636F_7466
"""Advisory, with the number of a schema: held shared by each server that has this one."""
STEP_PATIENCE = "500ms"
"""A step waits no longer than this for a table: whoever wants the same table waits behind it meanwhile."""
TRIES = 20
PAUSE_SECONDS = 0.5
_TABLE = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, checksum BYTEA NOT NULL)"
_COLUMN = "ALTER TABLE migrations ADD COLUMN beside BIGINT"
_HAS_COLUMN = """SELECT 1 FROM pg_attribute
    WHERE attrelid = to_regclass('migrations') AND attname = 'beside' AND NOT attisdropped"""
_OLDER = """SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::BIGINT::OID AND objsubid = 2
    AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND objid::BIGINT < $2 LIMIT 1"""


async def stand_with(connection: Connection, steps: tuple[Step, ...]) -> None:
    """On the connection that a server holds its locks on: be known as one of this schema, for as long as it
    lasts. Raises Unavailable (newer-schema, disk) as steps_to_come() does."""
    async with _nobody_migrates(connection):
        await connection.execute(f"SELECT pg_advisory_lock_shared({SCHEMAS}, {schema_of(steps)})")
        steps_to_come(steps, await applied_to(connection))


async def migrate(connection: Connection, steps: tuple[Step, ...] | None = None) -> None:
    """Whoever comes second waits, and finds all of it done.

    Raises Unavailable: as steps_to_come(), and profile-in-use, where servers stay that cannot work beside a
    step that is to come.
    """
    steps = known_steps("pg") if steps is None else steps
    async with _nobody_migrates(connection):
        await connection.execute(_TABLE)
        if await connection.fetchval(_HAS_COLUMN) is None:
            await connection.execute(_COLUMN)
        for step in steps_to_come(steps, await applied_to(connection)):
            await _alone_with(connection, step)
            await _done(connection, step)


async def _alone_with(connection: Connection, step: Step) -> None:
    """Until no server is there that is too old for it; one that was stopped may be about to go."""
    for _ in range(TRIES):
        if await connection.fetchval(_OLDER, SCHEMAS, step.beside) is None:
            return
        await _pause()
    raise Unavailable(Code.PROFILE_IN_USE, "servers of an older version are there: stop them first")


async def _done(connection: Connection, step: Step) -> None:
    """In one transaction; again where somebody is at a table that it needs."""
    import asyncpg

    for _ in range(TRIES):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{STEP_PATIENCE}'")
                await connection.execute(step.sql)
                await connection.execute(
                    "INSERT INTO migrations (number, checksum, beside) VALUES ($1, $2, $3)",
                    step.number,
                    step.checksum,
                    step.beside,
                )
        except asyncpg.LockNotAvailableError:
            await _pause()
        else:
            return
    raise Unavailable(Code.DISK, f"migration {step.number} finds a table in use again and again")


async def _pause() -> None:
    clock = SystemClock()
    await clock.wait_until(clock.monotonic_seconds() + PAUSE_SECONDS)


async def applied_to(connection: Connection) -> list[Applied]:
    """The steps that were done to this database; none where it is empty."""
    if await connection.fetchval("SELECT to_regclass('migrations')") is None:
        return []
    has_column = await connection.fetchval(_HAS_COLUMN) is not None
    rows = await connection.fetch(
        f"SELECT number, checksum, {'beside' if has_column else 'NULL'} FROM migrations"  # noqa: S608 - ours
    )
    return [Applied(*row) for row in rows]


@asynccontextmanager
async def _nobody_migrates(connection: Connection) -> AsyncIterator[None]:
    await connection.execute(f"SELECT pg_advisory_lock({MIGRATING_LOCK})")
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(f"SELECT pg_advisory_unlock({MIGRATING_LOCK})")
