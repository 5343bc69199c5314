"""How long what cannot be opened takes to come by repair: two whole clients, and keys lost on the way."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import msgspec

from coterie.client.api.me import Me
from coterie.client.events import Event, MessageArrived
from coterie.client.link import Connection
from coterie.trials.figures import Figure, Target
from coterie.trials.people import PATIENCE_SECONDS, acquainted, move_in
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial
from coterie.wire.frames import LogEntries, MailboxEntries, ServerFrame

TEXT = "and what do you think of that?"
P95_SECONDS = 2.0
TRIES_MOST = 4
"""For each message that is to be lost: keys may be there before."""
Frames = tuple[ServerFrame, ...]


class Losing:
    """What the connections that begin meanwhile bring. now: no envelope that comes before the next message of
    a log opens; it may hold that message's key."""

    def __init__(self) -> None:
        self.now = False

    @contextmanager
    def begun(self) -> Iterator[None]:
        handover = Connection.handover
        losing = self

        def lossy(connection: Connection, sink: Callable[[Frames], None]) -> None:
            handover(connection, lambda frames: sink(tuple(map(losing.brought, frames))))

        Connection.handover = lossy  # type: ignore[method-assign,assignment] # put back below
        try:
            yield
        finally:
            Connection.handover = handover  # type: ignore[method-assign] # as it was

    def brought(self, frame: ServerFrame) -> ServerFrame:
        if self.now and isinstance(frame, MailboxEntries):
            spoiled = (
                msgspec.structs.replace(entry, sealed=secrets.token_bytes(len(entry.sealed)))
                for entry in frame.entries
            )
            return msgspec.structs.replace(frame, entries=tuple(spoiled))
        if isinstance(frame, LogEntries) and frame.entries:
            self.now = False
        return frame


async def run(trial: Trial) -> list[Figure]:
    """One message after the other, each sent when the one before is there."""
    losing = Losing()
    async with coterie_server(trial.folder / "server") as server:
        alice = await move_in(server.invite, trial.folder, "alice")
        with losing.begun():
            bob = await move_in(server.invite, trial.folder, "bob")
        await acquainted(alice, bob)
        events = bob.events()
        rounds = [await _round(trial, losing, alice, bob, events) for _ in range(trial.scale.rounds)]
        await alice.close()
        await bob.close()
    return [
        Figure(
            name="client.repair",
            what="a message whose key is lost, from sending until it is shown by repair, median",
            unit="s",
            values=tuple(_at(times, 0.5) for times in rounds),
        ),
        Figure(
            name="client.repair.p95",
            what="the same, p95",
            unit="s",
            values=tuple(_at(times, 0.95) for times in rounds),
            targets=(Target(P95_SECONDS),),
        ),
    ]


async def _round(
    trial: Trial, losing: Losing, alice: Me, bob: Me, events: AsyncIterator[Event]
) -> list[float]:
    """Seconds of each message that had to be asked for, sorted."""
    times: list[float] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(TRIES_MOST * trial.scale.lost):
            asked = bob.unreadable().ever
            losing.now = True
            start = trial.clock.monotonic_seconds()
            await alice.post("@bob", TEXT)
            await _arrived(events)
            if bob.unreadable().ever > asked:
                times.append(trial.clock.monotonic_seconds() - start)
            if len(times) == trial.scale.lost:
                return sorted(times)
    raise RuntimeError("too few keys were lost")


async def _arrived(events: AsyncIterator[Event]) -> None:
    async for event in events:
        if isinstance(event, MessageArrived):
            return


def _at(times: list[float], share: float) -> float:
    """The least time within which such a share of them was there."""
    return times[min(len(times) - 1, int(share * len(times)))]
