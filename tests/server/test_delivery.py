"""What is delivered: to whom, in which order, how much at once, and what is acknowledged."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.ids import log_of, mailbox_of
from coterie.server.connection import CloseReason
from coterie.server.store.protocol import Place
from coterie.wire.frames import (
    Accept,
    Accepted,
    Ack,
    LogEntries,
    MailboxEntries,
    Ping,
    Pong,
    Refusal,
    Sync,
)
from coterie.wire.frames.messages import LogEntry
from coterie.wire.frames.shared import Position
from tests.ledger.accounts import NOW_MS
from tests.server.house import House, house_in, settle
from tests.server.people import Person
from tests.server.scenes import registered, two


@pytest.mark.asyncio
async def test_an_operator_keeps_longer_what_nobody_has_fetched(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    bobs.hang_up()
    house.realm.kept_longer_ms = 2 * limits.DAY_MS
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))

    async def kept_after(days: int) -> bool:
        house.clock.advance(days * limits.DAY_MS / 1000)
        await house.pass_time(3)
        return bool(await house.store.log(log_of(conversation), 0, 10, 1 << 20))

    assert await kept_after(31)
    assert not await kept_after(2)


@pytest.mark.asyncio
async def test_what_was_sent_while_somebody_was_away_waits(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    bobs.hang_up()
    conversation = alice.direct_with(bob)
    for request in range(3, 6):
        await alices.ask(alice.device.message(conversation, bob.account, request=request))
    back = house.wire()
    ready = await back.sign_in(bob.device)
    ends = {end.stream: (end.acknowledged, end.end) for end in ready.ends}
    assert ends[log_of(conversation)] == (0, 3)
    assert ends[mailbox_of(bob.device.id)] == (0, 1), "the key was never acknowledged"
    assert [entry.seq for entry in await back.mail(1)] == [1]
    assert [entry.seq for entry in await back.messages(3)] == [1, 2, 3]


@pytest.mark.asyncio
async def test_all_logs_that_somebody_is_behind_in_are_asked_for_together(
    house: House, alice: Person, bob: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a database beside the server each question is a way there and back."""
    alices, bobs = await two(house, alice, bob)
    await registered(house, carol)
    bobs.hang_up()
    for other in (bob, carol):
        conversation = alice.direct_with(other)
        if other is carol:
            await alices.ask(alice.device.share(conversation, carol.account, carol.device, request=9))
        await alices.ask(alice.device.message(conversation, other.account, request=10))
    backs = [house.wire(), house.wire()]
    for back, person in zip(backs, (bob, carol), strict=True):
        await back.sign_in(person.device, sync=False)
    asked: list[int] = []
    read = house.store.logs

    async def logs(
        places: Collection[Place], entries: int, most_bytes: int
    ) -> dict[Place, tuple[LogEntry, ...]]:
        asked.append(len(places))
        return await read(places, entries, most_bytes)

    monkeypatch.setattr(house.store, "logs", logs)
    for back in backs:
        back.say(Sync(()))
    for back in backs:
        assert len(await back.messages(1)) == 1
    assert asked == [2]


@pytest.mark.asyncio
async def test_a_conversation_that_begins_in_the_turn_of_a_sync_comes_once(
    house: House, alice: Person, bob: Person
) -> None:
    await registered(house, alice, bob)
    alices, bobs = house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device, sync=False)
    conversation = alice.direct_with(bob)
    bobs.say(Sync(()))
    alices.say(
        alice.device.share(conversation, bob.account, bob.device, request=2),
        alice.device.message(conversation, bob.account, request=3),
        alice.device.message(conversation, bob.account, request=4),
    )
    for _ in range(3):
        await alices.next(Accepted)
    await settle()
    assert [entry.seq for frame in bobs.waiting(LogEntries) for entry in frame.entries] == [1, 2]
    assert [entry.seq for frame in bobs.waiting(MailboxEntries) for entry in frame.entries] == [1]


@pytest.mark.asyncio
async def test_keys_come_before_what_they_open(house: House, alice: Person, bob: Person) -> None:
    await registered(house, alice, bob)
    alices, bobs = house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    conversation = alice.direct_with(bob)
    alices.say(
        alice.device.share(conversation, bob.account, bob.device, request=2),
        alice.device.message(conversation, bob.account, request=3),
    )
    await bobs.next(LogEntries)
    assert [type(frame) for frame in bobs.kept] == [MailboxEntries], "in front of it"


@pytest.mark.asyncio
async def test_acknowledgements_survive_a_kill_after_a_second_and_empty_the_mailbox(
    folder: Path, alice: Person, bob: Person
) -> None:
    clock = FakeClock(NOW_MS)
    async with house_in(folder, clock=clock) as house:
        alices, bobs = await two(house, alice, bob)
        conversation = alice.direct_with(bob)
        for request in range(3, 6):
            await alices.ask(alice.device.message(conversation, bob.account, request=request))
        await bobs.messages(3)
        bobs.acknowledge(log_of(conversation), 2)
        bobs.acknowledge(mailbox_of(bob.device.id), 1)
        bobs.acknowledge(log_of(conversation), 1)
        await house.pass_time(2)
        ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
        assert ends[log_of(conversation)].acknowledged == 2
        assert await house.store.mailbox(bob.device.id, 0, 10, 1 << 20) == ()
        bobs.acknowledge(log_of(conversation), 3)
    async with house_in(folder, clock=clock) as house:
        ready = await house.wire().sign_in(bob.device)
        acknowledged = {end.stream: end.acknowledged for end in ready.ends}
        assert acknowledged[log_of(conversation)] == 3, "also what came just before the end"


@pytest.mark.asyncio
async def test_sync_goes_on_where_the_client_says(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    for request in range(3, 8):
        await alices.ask(alice.device.message(conversation, bob.account, request=request))
    bobs.hang_up()
    stream = log_of(conversation)
    back = house.wire()
    await back.sign_in(bob.device, sync=False)
    back.say(
        Sync(
            (
                Position(stream, back.incarnation, 3),
                Position(mailbox_of(bob.device.id), bytes(16), 1),
            )
        )
    )
    assert [entry.seq for entry in await back.messages(2)] == [4, 5]
    assert [entry.seq for entry in await back.mail(1)] == [1], "a position of another life counts for nothing"
    await house.pass_time(2)
    ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
    assert ends[stream].acknowledged == 3


@pytest.mark.asyncio
async def test_a_window_stops_and_goes_on_with_acknowledgements(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    count = limits.WINDOW_ENTRIES + 50
    for request in range(3, 3 + count):
        alices.say(alice.device.message(conversation, bob.account, request=request))
    first = await bobs.messages(limits.WINDOW_ENTRIES)
    await settle()
    assert len(first) == limits.WINDOW_ENTRIES
    assert bobs.waiting(LogEntries) == []
    bobs.acknowledge(log_of(conversation), 30)
    more = await bobs.messages(30)
    assert [entry.seq for entry in first + more] == list(range(1, limits.WINDOW_ENTRIES + 31))
    await settle()
    assert bobs.waiting(LogEntries) == []
    bobs.acknowledge(log_of(conversation), limits.WINDOW_ENTRIES)
    rest = await bobs.messages(20)
    assert [entry.seq for entry in rest] == list(range(limits.WINDOW_ENTRIES + 31, count + 1))


@pytest.mark.asyncio
async def test_a_window_counts_bytes_and_frames_stay_small(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    large = bytes(limits.CIPHERTEXT_BYTES)
    for request in range(3, 8):
        await alices.ask(alice.device.message(conversation, bob.account, request=request, ciphertext=large))
    entries = await bobs.messages(2)
    await settle()
    assert bobs.waiting(LogEntries) == []
    while len(entries) < 5:
        bobs.acknowledge(log_of(conversation), entries[-1].seq)
        entries += await bobs.messages(1)
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]


@pytest.mark.asyncio
async def test_a_reader_that_acknowledges_nothing_for_a_minute_is_closed(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    await alices.ask(alice.device.message(alice.direct_with(bob), bob.account, request=3))
    await house.pass_time(limits.SLOW_READER_SECONDS + 1)
    assert bobs.reason is CloseReason.REFUSED
    assert (await bobs.next(Refusal)).code == Code.SLOW_READER
    assert alices.reason is None


@pytest.mark.asyncio
async def test_a_network_that_takes_nothing_stops_delivery_until_it_does(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    house.turns.paused(bobs.connection, paused=True)
    conversation = alice.direct_with(bob)
    for request in range(3, 6):
        await alices.ask(alice.device.message(conversation, bob.account, request=request))
    assert bobs.waiting(LogEntries) == []
    house.turns.paused(bobs.connection, paused=False)
    assert [entry.seq for entry in await bobs.messages(3)] == [1, 2, 3]
    bobs.acknowledge(log_of(conversation), 3)
    bobs.acknowledge(mailbox_of(bob.device.id), 1)
    house.turns.paused(bobs.connection, paused=True)
    await house.pass_time(limits.SLOW_READER_SECONDS + 1)
    assert bobs.reason is CloseReason.GOING_AWAY


@pytest.mark.asyncio
async def test_a_ping_is_answered_and_its_positions_count(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))
    await bobs.messages(1)
    bobs.say(Ping(7, (Position(log_of(conversation), bobs.incarnation, 1),)))
    assert await bobs.next(Pong) == Pong(7, house.realm.ledger.size)
    await house.pass_time(2)
    ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
    assert ends[log_of(conversation)].acknowledged == 1


@pytest.mark.asyncio
async def test_logs_wait_until_the_whole_mailbox_was_sent(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await bobs.ask(Accept(2, alice.account))
    for request in range(3, 6):
        await alices.ask(alice.device.share(conversation, bob.account, *[bob.device] * 100, request=request))
    await alices.ask(alice.device.message(conversation, bob.account, request=6))
    seen = 1 + len(await bobs.mail(limits.WINDOW_ENTRIES - 1))
    await settle()
    assert (seen, bobs.waiting(LogEntries)) == (limits.WINDOW_ENTRIES, [])
    bobs.acknowledge(mailbox_of(bob.device.id), seen)
    batch = await bobs.next(LogEntries)
    assert batch.mailbox_end == 301
    assert sum(len(frame.entries) for frame in bobs.waiting(MailboxEntries)) == 301 - seen


@pytest.mark.asyncio
async def test_an_acknowledgement_of_another_life_or_of_what_was_never_sent_counts_for_nothing(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))
    await bobs.messages(1)
    stream = log_of(conversation)
    bobs.say(
        Ack((Position(stream, bytes(16), 1), Position(log_of(alice.direct_with(alice)), bobs.incarnation, 1)))
    )
    await house.pass_time(2)
    ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
    assert ends[stream].acknowledged == 0
    bobs.acknowledge(stream, 99)
    await alices.ask(alice.device.message(conversation, bob.account, request=4))
    assert [entry.seq for entry in await bobs.messages(1)] == [2]
    await house.pass_time(2)
    ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
    assert ends[stream].acknowledged == 1
