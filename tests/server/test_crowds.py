"""Many at once, greedy ones, and some who never listen: others go on, and memory stays bounded."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.server import connections
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Ack,
    Claim,
    ClientFrame,
    FetchAccounts,
    FetchLeaves,
    Hello,
    Leaves,
    Ping,
    Pong,
    Refusal,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.shared import DeviceRef, Position
from tests.server.doorstep import doorstep_of
from tests.server.house import House
from tests.server.people import Person
from tests.server.raw_client import RawClient
from tests.server.rude import Stranger, stranger_at
from tests.server.test_process import Process, server_process

CROWD = 1000
AT_ONCE = 50
LATENCY_MOST_SECONDS = 10.0
"""On a machine that does everything else at the same time."""
MEMORY_MOST_KIB = 800 * 1024


class Pair:
    """Two people who keep writing, one message after the other, and say how long each took."""

    def __init__(self, alice: Person, bob: Person) -> None:
        self._alice = alice
        self._bob = bob
        self._conversation = alice.direct_with(bob)
        self._requests = itertools.count(10)
        self.latencies_seconds: list[float] = []

    async def begin(self, process: Process) -> None:
        self._alices = await _moved_in(process, self._alice)
        self._bobs = await _moved_in(process, self._bob)
        share = self._alice.device.share(self._conversation, self._bob.account, self._bob.device, request=2)
        assert isinstance(await self._alices.ask(share), Accepted)

    async def write(self, enough: asyncio.Event) -> None:
        """Until there is enough, and once more."""
        clock = SystemClock()
        stream = log_of(self._conversation)
        over = False
        while not over:
            over = enough.is_set()
            began = clock.monotonic_seconds()
            message = self._alice.device.message(
                self._conversation, self._bob.account, request=next(self._requests)
            )
            answer = await self._alices.ask(message)
            assert isinstance(answer, Accepted)
            (entry,) = await self._bobs.entries(1)
            assert entry.message == message.message
            self.latencies_seconds.append(clock.monotonic_seconds() - began)
            self._bobs.say(Ack((Position(stream, self._bobs.incarnation, entry.seq),)))
            assert answer.mac, "it stands for the entry"
            self._alices.say(Ack((Position(stream, self._alices.incarnation, answer.seq),)))

    @property
    def figures(self) -> str:
        times = sorted(self.latencies_seconds)
        middle, worst = times[len(times) // 2], times[-1]
        return f"{len(times)} messages, {middle * 1000:.1f} ms in the middle, {worst * 1000:.0f} ms at worst"


async def _moved_in(process: Process, person: Person) -> RawClient:
    client = await process.connect()
    assert isinstance(await client.ask(person.sign_up()), Accepted)
    await client.sign_in(person.device)
    return client


def resident_kib(pid: int) -> int:
    """Memory of a process; 0 where the system does not say it in /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


async def _crowd(process: Process, *, upgraded: bool) -> list[Stranger]:
    async def one() -> Stranger:
        stranger = await stranger_at(process.invite, with_tls=upgraded)
        return await stranger.upgraded() if upgraded else stranger

    strangers: list[Stranger] = []
    for _ in range(0, CROWD, AT_ONCE):
        strangers += await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return strangers


@pytest.mark.asyncio
@pytest.mark.slow
async def test_a_thousand_who_say_nothing_and_a_thousand_who_stop_after_the_upgrade(
    folder: Path, fresh_alice: Person, fresh_bob: Person
) -> None:
    """The server's own log stays empty, two people go on, and a third one still gets in."""
    async with server_process(folder) as process:
        pair = Pair(fresh_alice, fresh_bob)
        await pair.begin(process)
        before_kib = resident_kib(process.process.pid)
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(pair.write(enough))
            silent = await _crowd(process, upgraded=False)
            stopped = await _crowd(process, upgraded=True)
            after_kib = resident_kib(process.process.pid)
            newcomer = await process.connect()
            newcomer.say(Ping(1))
            assert isinstance(await newcomer.next(Pong), Pong)
            enough.set()
        for stranger in silent + stopped:
            stranger.leave()
        await newcomer.close()
        print(f"{pair.figures}; the server grew from {before_kib >> 10} to {after_kib >> 10} MiB")
        assert max(pair.latencies_seconds) < LATENCY_MOST_SECONDS
        assert after_kib - before_kib < MEMORY_MOST_KIB
        assert await process.end(signal.SIGTERM) == 0


@pytest.mark.asyncio
async def test_where_too_many_wait_to_sign_in_the_oldest_goes(
    house: House, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNPROVEN_MAX", 3)
    first, *others = [house.wire() for _ in range(3)]
    first.say(Hello(VERSIONS))
    newcomer = house.wire()
    assert first.reason is not None
    assert isinstance(await newcomer.greet(), object)
    assert await newcomer.ask(alice.sign_up()) == Accepted(1, 1)
    assert [wire.reason for wire in others] == [None, None]
    wire = house.wire()
    await wire.sign_in(alice.device)
    strangers = [house.wire() for _ in range(5)]
    assert wire.reason is None, "who has signed in keeps the place"
    assert [each.reason is None for each in strangers] == [False, False, True, True, True]


UNREAD_MOST_BYTES = 12 << 20
"""Windows of both kinds, and answers to the fetches of one turn."""


@pytest.mark.asyncio
@pytest.mark.slow
async def test_who_never_reads_costs_little_is_closed_and_loses_nothing(
    folder: Path, alice: Person, bob: Person
) -> None:
    async with doorstep_of(folder) as door:
        alices, bobs = await door.move_in(alice, bob)
        conversation = alice.direct_with(bob)
        await alices.ask(alice.device.share(conversation, bob.account, bob.device, request=2))
        await door.house.pass_time(1)
        bobs.transport.underlying_transport.pause_reading()
        most_bytes = 0
        large = bytes(400_000)
        wanted = (KnownAccount(bob.account, 0),) * limits.ACCOUNTS_PER_FRAME
        for request in range(10, 50):
            message = alice.device.message(conversation, bob.account, request=request, ciphertext=large)
            assert isinstance(await alices.ask(message), Accepted)
            alices.say(Ack((Position(log_of(conversation), alices.incarnation, request - 9),)))
            bobs.say(*(Ping(each) for each in range(1000)))
            bobs.say(*(FetchAccounts(each, wanted) for each in range(request * 50, request * 50 + 50)))
            most_bytes = max(most_bytes, door.unsent_bytes)
        print(f"at most {most_bytes >> 10} KiB unsent for one who never reads")
        assert 0 < most_bytes < UNREAD_MOST_BYTES
        for _ in range(int(limits.SLOW_READER_SECONDS) + 2):
            await door.house.pass_time(1)
            alices.say(Ping(1))
            await alices.next(Pong)
        assert len(door.house.turns.connections) == 1, "closed, and nobody else"
        bobs.transport.underlying_transport.abort()
        again = await door.connect()
        await again.sign_in(bob.device)
        seqs: list[int] = []
        while len(seqs) < 40:
            seqs += [entry.seq for entry in await again.entries(1)]
            again.say(Ack((Position(log_of(conversation), again.incarnation, seqs[-1]),)))
        assert seqs == list(range(1, 41))
        await again.close()
        await alices.close()


@pytest.mark.asyncio
async def test_a_slow_reader_that_moves_is_not_closed(house: House, alice: Person) -> None:
    wire = house.wire()
    await wire.greet()
    assert isinstance(await wire.ask(alice.sign_up()), Accepted)
    await wire.ask(alice.device.prove(wire.challenge, b"t" * 32, request=2))
    wire.answers_pings = False
    wire.unsent_bytes = 1000
    house.turns.paused(wire.connection, paused=True)
    for left in range(990, 900, -10):
        wire.unsent_bytes = left
        await house.pass_time(30)
    assert wire.reason is None, "it took something in each minute"
    await house.pass_time(limits.SLOW_READER_SECONDS + 1)
    assert wire.reason is not None


@pytest.mark.asyncio
@pytest.mark.slow
async def test_greed_for_keys_leaves_and_accounts_is_told_to_wait_and_slows_nobody(
    folder: Path, fresh_alice: Person, fresh_bob: Person, carol: Person
) -> None:
    greedy = Person(carol.identity, "carol", SystemClock().wall_ms())
    async with server_process(folder) as process:
        pair = Pair(fresh_alice, fresh_bob)
        await pair.begin(process)
        client = await _moved_in(process, greedy)
        before_kib = resident_kib(process.process.pid)
        device = DeviceRef(fresh_bob.account, fresh_bob.device.id)
        accounts = (KnownAccount(fresh_bob.account, 0),) * limits.ACCOUNTS_PER_FRAME
        requests = itertools.count(10)
        enough = asyncio.Event()
        answers: list[object] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(pair.write(enough))
            while not {Code.BUSY.value} <= {getattr(each, "code", None) for each in answers[-300:]} or (
                len(answers) < 3000
            ):
                frames: list[ClientFrame] = []
                for _ in range(50):
                    frames += [
                        FetchLeaves(next(requests), 0),
                        FetchAccounts(next(requests), accounts),
                        Claim(next(requests), (device,) * limits.ENVELOPES_PER_FRAME),
                    ]
                client.say(*frames)
                answers += [await _answer(client) for _ in frames]
            enough.set()
        after_kib = resident_kib(process.process.pid)
        kinds = {type(each) for each in answers}
        print(f"{pair.figures}; the server grew from {before_kib >> 10} to {after_kib >> 10} MiB")
        assert {Leaves, Accounts, Refusal} <= kinds
        assert max(pair.latencies_seconds) < LATENCY_MOST_SECONDS
        assert after_kib - before_kib < MEMORY_MOST_KIB
        assert await process.end(signal.SIGTERM) == 0


async def _answer(client: RawClient) -> object:
    while not getattr(frame := await client.frames.get(), "request", 0):
        pass
    return frame
