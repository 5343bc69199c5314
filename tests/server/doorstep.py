"""A whole server behind its real port, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from coterie.base.clock import FakeClock
from coterie.base.invite import Invite
from coterie.server.blobs.channel import opened_channel
from coterie.server.blobs.directory import DirectoryBlobs
from coterie.server.certificate import ensure_certificate, tls_context, tls_key
from coterie.server.gateway import listen
from tests.ledger.accounts import NOW_MS
from tests.server.house import House, house_in
from tests.server.people import Person
from tests.server.raw_client import RawClient, connected


class Doorstep:
    """Where real clients come in. house: what is behind the door."""

    def __init__(self, house: House, invite: Invite) -> None:
        self.house = house
        self.invite = invite

    async def connect(self) -> RawClient:
        return await connected(self.invite, self.house.clock.wall_ms())

    async def move_in(self, *people: Person) -> list[RawClient]:
        """Each signs up and in."""
        clients = []
        for person in people:
            client = await self.connect()
            await client.ask(person.sign_up())
            await client.sign_in(person.device)
            clients.append(client)
        return clients

    @property
    def unsent_bytes(self) -> int:
        """What lies in the server for clients that do not take it."""
        return sum(connection.pipe.unsent_bytes for connection in self.house.turns.connections.all)


@asynccontextmanager
async def doorstep_of(folder: Path) -> AsyncIterator[Doorstep]:
    """A server on this folder, listening on loopback."""
    certificate = folder / "tls.pem"
    ensure_certificate(certificate)
    clock = FakeClock(NOW_MS)
    async with house_in(folder, clock=clock, tls_key=tls_key(certificate)) as house:
        blobs = DirectoryBlobs(folder / "blobs")
        async with opened_channel(
            house.store, house.realm, blobs, clock, house.turns.lost, house.metrics
        ) as channel:
            door = await listen(house.turns, channel, "127.0.0.1", 0, tls_context(certificate, None))
            try:
                yield Doorstep(house, Invite("127.0.0.1", door.port, house.realm.server))
            finally:
                house.turns.stop()
                await door.close()
        await blobs.close()
