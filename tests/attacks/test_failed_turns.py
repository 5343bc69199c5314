"""A turn of the client that fails: nothing behind it passes over what it was about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.client.commands import Connected
from coterie.client.events import Event
from coterie.client.runtime import Runtime, _Asked
from coterie.client.store.sqlite import ClientStore
from coterie.trials.disk import Fault, TrialDisk
from coterie.wire.frames import Ack, LogEntries, Ready
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, LIFE, NOW_MS, Peer, Said
from tests.attacks.street import Victim, with_key

__all__ = ["alice", "bob", "identities", "mallory", "server"]


@pytest.fixture(autouse=True)
def disk() -> Iterator[TrialDisk]:
    """All stores of these tests lie on it."""
    with TrialDisk() as disk:
        yield disk


@pytest.fixture
def store(disk: TrialDisk, store: ClientStore) -> ClientStore:
    """Opened on the disk of the trial."""
    del disk
    return store


@contextmanager
def full_until_hung_up(disk: TrialDisk) -> Iterator[None]:
    """There is room again as soon as the client has given a frame up."""

    class Frees(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "the connection is closed" in record.getMessage():
                disk.fault = None

    handler, log = Frees(), logging.getLogger("coterie.client.runtime")
    log.addHandler(handler)
    disk.fault = Fault.FULL
    try:
        yield
    finally:
        disk.fault = None
        log.removeHandler(handler)


def entry(said: Said, seq: int) -> LogEntries:
    one = LogEntry(
        seq,
        said.sender.account,
        said.sender.device,
        said.session,
        said.message,
        said.sealed.ciphertext,
        said.sealed.commitment,
        NOW_MS,
        bytes(32),
    )
    return LogEntries(log_of(EVERYONE), LIFE, (one,), 0)


def running(bob: Victim, end: int) -> Runtime:
    """bob's driver, on a connection of which the log of everyone ends there."""
    shown: list[Event] = []
    runtime = Runtime(bob.store, bob.core.profile, FakeClock(NOW_MS), shown.append)
    runtime._turns([connected(bob, end)])
    return runtime


def connected(bob: Victim, end: int) -> _Asked:
    ends = (StreamEnd(log_of(EVERYONE), end=end, acknowledged=0),)
    ready = Ready(1, ends, bob.server.ledger.view.size, bob.server.ledger.head(), 50)
    return _Asked(Connected(ready, LIFE, b""), None)


@pytest.mark.asyncio
async def test_what_comes_behind_a_frame_that_failed_is_not_taken(
    alice: Peer, bob: Victim, disk: TrialDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """There was no room for the first of two messages, and room for the second: taken, its place would say
    that the first is here too, and the server would drop it."""
    out = with_key(alice, bob, EVERYONE)
    said = [alice.message(out, EVERYONE, text, n=n) for n, text in ((1, "one"), (2, "two"))]
    runtime = running(bob, 2)
    with full_until_hung_up(disk):
        runtime._turns([(entry(said[0], 1),), (entry(said[1], 2),)])
    assert Code.DISK.value in caplog.text
    assert bob.texts(EVERYONE) == []
    assert bob.store.position(log_of(EVERYONE)) is None
    runtime._turns([connected(bob, 2)])
    runtime._turns([(entry(said[0], 1),), (entry(said[1], 2),)])
    assert bob.texts(EVERYONE) == [("alice", "one"), ("alice", "two")]


def test_nothing_is_acknowledged_that_was_rolled_back(alice: Peer, bob: Victim) -> None:
    out = with_key(alice, bob, EVERYONE)
    stream = log_of(EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    bob.store.begin()
    for outcome in bob.core.frame(entry(alice.message(out, EVERYONE, "two", n=2), 2), NOW_MS):
        bob.store.apply(outcome.save)
    bob.store.rollback()
    bob.core.forget()
    bob.store.begin()
    sent = [frame for outcome in bob.core.after_turn(NOW_MS + 60_000) for frame in outcome.send]
    bob.store.rollback()
    acknowledged = [
        each.seq
        for frame in sent
        if isinstance(frame, Ack)
        for each in frame.positions
        if each.stream == stream
    ]
    assert all(seq <= 1 for seq in acknowledged)
