"""While a turn waits for a PostgreSQL connections come and go, and one question may find no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from coterie.server.connection import CloseReason
from coterie.trials.engines.postgres import Engine
from coterie.wire.frames import Accepted, Sync
from tests.engines.waiting import SOMEBODY_WAITS, until
from tests.server.house import House, Wire, settle
from tests.server.people import Person
from tests.server.scenes import registered, two
from tests.server.street import PATIENCE_SECONDS, Street, deaf_street

__all__ = ["deaf_street"]
pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

READERS = (
    "FROM pg_stat_activity WHERE application_name = 'coterie' AND datname = $1"
    " AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
)
ALLOW = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"


@asynccontextmanager
async def held(url: str, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Nobody gets at this table until the end of the block."""
    operator = await asyncpg.connect(url)
    watching = await asyncpg.connect(url)
    try:
        async with operator.transaction():
            await operator.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield watching
    finally:
        await operator.close()
        await watching.close()


async def away(house: House, *people: Person) -> list[Wire]:
    """Signed in, and not told yet what there is."""
    wires = [house.wire() for _ in people]
    for wire, person in zip(wires, people, strict=True):
        await wire.sign_in(person.device, sync=False)
    return wires


async def test_who_leaves_while_another_one_is_read_for_stops_nobody(
    deaf_street: Street, postgres_database: str, alice: Person, bob: Person, carol: Person
) -> None:
    house = deaf_street[0]
    alices, bobs = await two(house, alice, bob)
    bobs.hang_up()
    await registered(house, carol)
    share = alice.device.share(alice.direct_with(carol), carol.account, carol.device, request=3)
    assert isinstance(await alices.ask(share), Accepted)
    for request, other in enumerate((bob, carol), 4):
        said = alice.device.message(alice.direct_with(other), other.account, request=request)
        assert isinstance(await alices.ask(said), Accepted)
    bobs, carols = await away(house, bob, carol)
    async with held(postgres_database, "log_entries") as watching:
        bobs.say(Sync(()))
        carols.say(Sync(()))
        await until(watching, SOMEBODY_WAITS)
        carols.hang_up()
        await settle()
    assert len(await bobs.messages(1)) == 1
    assert house.metrics.failed_turns == 0


async def test_who_leaves_while_their_streams_are_looked_up_is_no_reader(
    deaf_street: Street, postgres_database: str, alice: Person, bob: Person
) -> None:
    house = deaf_street[0]
    alices, bobs = await two(house, alice, bob)
    bobs.hang_up()
    (bobs,) = await away(house, bob)
    async with held(postgres_database, "entitled") as watching:
        bobs.say(Sync(()))
        await until(watching, SOMEBODY_WAITS)
        bobs.hang_up()
        await settle()
    said = alice.device.message(alice.direct_with(bob), bob.account, request=4)
    assert isinstance(await alices.ask(said), Accepted)
    assert house.figure("devices_behind") == 0


async def test_what_was_committed_is_answered_though_somebody_cannot_be_read_for(
    deaf_street: Street,
    postgres_database: str,
    postgres_engine: Engine,
    alice: Person,
    bob: Person,
) -> None:
    """Of one turn: her message is written, and the way on which others read is gone."""
    house = deaf_street[0]
    alices, bobs = await two(house, alice, bob)
    bobs.hang_up()
    (bobs,) = await away(house, bob)
    name = urlsplit(postgres_database).path.removeprefix("/")
    operator = await asyncpg.connect(postgres_engine.url("postgres"))
    await operator.execute(ALLOW.format(name, "false"))
    await operator.execute(f"SELECT pg_terminate_backend(pid) {READERS}", name)
    await until(operator, f"SELECT count(*) = 0 {READERS}", name)
    bobs.say(Sync(()))
    said = alice.device.message(alice.direct_with(bob), bob.account, request=4)
    assert isinstance(await alices.ask(said), Accepted)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await bobs.closed.wait()
    assert bobs.reason is CloseReason.TRY_AGAIN_LATER
    await operator.execute(ALLOW.format(name, "true"))
    await operator.close()
    (again,) = await away(house, bob)
    again.say(Sync(()))
    assert len(await again.messages(1)) == 1
