"""Pings on a connection now and then, and what goes along with them."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.core.requests import Requests
from coterie.client.health_teller import HealthTeller
from coterie.client.link import Connection
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames import Ping


async def keep_alive(connection: Connection, store: ClientStore, requests: Requests, clock: Clock) -> None:
    """Until an answer is overdue: then the connection ends. Else until it is cancelled."""
    nonce, teller = 0, HealthTeller(store)
    while True:
        await clock.wait_until(clock.monotonic_seconds() + limits.ANSWER_SECONDS)
        if requests.overdue(clock.wall_ms()):
            connection.broken(Unavailable(Code.UNREACHABLE, "no answer in time"))
            return
        nonce += 1
        if nonce % 2 == 0:
            connection.send((Ping(nonce), *teller.due()))
