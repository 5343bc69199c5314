"""Buses that break: everything that is wanted is heard of again once they are back."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from coterie.base.clock import SystemClock
from coterie.server.wakeups.nats import SUBJECT, NatsBus
from coterie.server.wakeups.pgnotify import CHANNEL, NotifyBus
from coterie.trials.engines.nats import node
from coterie.trials.torture.proxy import HOST, Proxy, Way
from tests.contracts.wakeups.test_buses import PATIENCE_SECONDS, ears, topic
from tests.engines.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
CLOCK = SystemClock()
LOOK_SECONDS = 0.01


async def test_a_node_of_nats_that_is_killed_costs_a_look_at_everything() -> None:
    """What was told meanwhile is lost; that there is something to look at is heard when it is back."""
    wanted = topic()
    with node() as server:
        async with ears(lambda: NatsBus(server.url), 2) as (speaker, listener):
            for ear in (speaker, listener):
                await ear.listen(wanted)
            server.kill()
            for ear in (speaker, listener):
                ear.wakeups.tell((topic(),))
            server.start()
            for ear in (speaker, listener):
                await ear.hear(wanted)
            speaker.wakeups.tell((wanted,))
            await listener.hear(wanted)


async def test_what_was_told_when_a_line_broke_is_told_again() -> None:
    """Who listens has heard of nothing: only the speaker's own line to the bus was cut."""
    wanted = topic()
    proxy = Proxy()
    with node() as server:
        proxy.targets.append(server.port)
        await proxy.start()
        buses = iter((NatsBus(f"nats://{HOST}:{proxy.port}"), NatsBus(server.url)))
        async with ears(lambda: next(buses), 2) as (speaker, listener):
            for ear in (speaker, listener):
                await ear.listen(wanted)
            proxy.cut()
            speaker.wakeups.tell((wanted,))
            await listener.hear(wanted)
        await proxy.close()


async def test_a_bus_that_swallows_everything_is_left_and_costs_a_look_at_everything() -> None:
    """A black hole says nothing of it: who tells something, and gets no answer, connects anew."""
    wanted = topic()
    proxy = Proxy()
    with node() as server:
        proxy.targets.append(server.port)
        await proxy.start()
        async with ears(lambda: NatsBus(f"nats://{HOST}:{proxy.port}"), 1) as (ear,):
            await ear.listen(wanted)
            proxy.silence()
            ear.wakeups.tell((topic(),))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while ear.wakeups.is_connected:
                    await CLOCK.wait_until(CLOCK.monotonic_seconds() + LOOK_SECONDS)
            proxy.heal()
            await ear.hear(wanted)
        await proxy.close()


async def test_a_node_of_nats_has_taken_what_is_listened_to_when_it_is_in_effect() -> None:
    """Its answer counts that came to a question behind the subscriptions: the library asks before it."""
    proxy = Heard()
    with node() as server:
        proxy.targets.append(server.port)
        await proxy.start()
        bus = NatsBus(f"nats://{HOST}:{proxy.port}")
        await bus.connect(lambda _: None)
        assert proxy.heard.rindex(b"PING") > proxy.heard.rindex(b"SUB " + SUBJECT.encode())
        await bus.close()
        await proxy.close()


async def test_what_the_library_leaves_where_it_stopped_half_way_is_ended() -> None:
    """As it stands where a line breaks while something waits to be said on it: it counts as closed, its own
    tasks are cancelled, and saying the rest has failed."""
    with node() as server:
        bus = NatsBus(server.url)
        await bus.connect(lambda _: None)
        client = bus._client
        assert client is not None
        client._status = client.CLOSED
        for task in (client._reading_task, client._ping_interval_task, client._flusher_task):
            assert task is not None
            task.cancel()
        await bus.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any("/nats/aio/" in repr(task) for task in asyncio.all_tasks()):
                await CLOCK.wait_until(CLOCK.monotonic_seconds() + LOOK_SECONDS)


class Heard(Proxy):
    """Keeps what is said to the server."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = bytearray()

    async def pass_on(
        self,
        way: Way,
        data: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_client: bool,
    ) -> None:
        if not to_client:
            self.heard += data
        await super().pass_on(way, data, reader, writer, to_client=to_client)


async def test_where_one_node_of_nats_is_dead_another_will_do() -> None:
    wanted = topic()
    with node() as dead, node() as alive:
        dead.kill()
        async with ears(lambda: NatsBus(f"{dead.url},{alive.url}"), 2) as (speaker, listener):
            await listener.listen(wanted)
            speaker.wakeups.tell((wanted,))
            await listener.hear(wanted)


async def test_a_cut_line_to_the_database_costs_a_look_at_everything(postgres_database: str) -> None:
    wanted = topic()
    operator = await asyncpg.connect(postgres_database)
    async with ears(lambda: NotifyBus(postgres_database), 1) as (listener,):
        await listener.listen(wanted)
        lines = "FROM pg_stat_activity WHERE application_name = 'coterie'"
        await operator.execute(f"SELECT pg_terminate_backend(pid) {lines}")
        listener.wakeups.tell((topic(),))
        await listener.hear(wanted)
        await until(operator, f"SELECT count(*) = 1 {lines}")
        assert listener.wakeups.is_connected
    await operator.close()


async def test_what_anybody_may_say_on_a_channel_wakes_nobody(postgres_database: str) -> None:
    """Attack: who may connect to the database tells nonsense, and hints for other servers' topics."""
    wanted = topic()
    operator = await asyncpg.connect(postgres_database)
    async with ears(lambda: NotifyBus(postgres_database), 1) as (listener,):
        await listener.listen(wanted)
        for payload in ("", "no digits", "abc", wanted.hex()[:-2], topic().hex()):
            await operator.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await operator.execute("SELECT pg_notify($1, $2)", CHANNEL, wanted.hex())
        await listener.hear(wanted)
        assert listener.wakeups.heard == set()
    await operator.close()
