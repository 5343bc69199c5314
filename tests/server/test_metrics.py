"""What is counted of one server: it moves with what happens, and tells of nobody."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.ids import log_of, mailbox_of
from coterie.server.connections import UNPROVEN_PER_ADDRESS_MAX
from coterie.server.exposition import written
from coterie.server.settling import RETRY_MS
from coterie.wire.frames import Accepted, LogEntries, Refusal
from tests.server.house import House, settle
from tests.server.people import Person
from tests.server.prometheus import Scrape
from tests.server.scenes import logged_in, two


def scrape(house: House) -> Scrape:
    return Scrape(written(house.metrics.figures()))


@pytest.mark.asyncio
async def test_a_message_moves_what_counts_it(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    house.clock.advance(0.5)
    await settle()
    before = scrape(house)
    alices.say(alice.device.message(alice.direct_with(bob), bob.account, request=3))
    house.clock.advance(0.3)
    await bobs.next(LogEntries)
    after = scrape(house)
    for name in ("messages", "deliveries", "commits", "records"):
        assert after[f"coterie_{name}_total"] == before[f"coterie_{name}_total"] + 1, name
    assert after.of("coterie_frames_total", 'frame="Send"') == 1
    assert after["coterie_sent_bytes_total"] > before["coterie_sent_bytes_total"] > 0
    assert after["coterie_received_bytes_total"] > before["coterie_received_bytes_total"] > 0
    assert after["coterie_accepted_seconds_count"] == 1
    assert after["coterie_accepted_seconds_sum"] == pytest.approx(0.3)
    assert after["coterie_commit_seconds_count"] == after["coterie_commits_total"]
    assert after["coterie_turn_frames_count"] == before["coterie_turn_frames_count"] + 1


@pytest.mark.asyncio
async def test_what_waits_for_a_device_is_told_by_kind_of_stream(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    house.turns.paused(bobs.connection, paused=True)
    await settle()
    assert isinstance(await alices.ask(alice.device.message(conversation, bob.account, request=3)), Accepted)
    page = scrape(house)
    assert page.of("coterie_waiting_entries", 'stream="log"') == 1
    assert page["coterie_devices_behind"] == 1
    assert page.of("coterie_lag_seconds", 'stream="log"') == 0
    house.turns.paused(bobs.connection, paused=False)
    (entry,) = await bobs.messages(1)
    page = scrape(house)
    assert page.of("coterie_waiting_entries", 'stream="log"') == 0
    assert page.of("coterie_under_way_entries", 'stream="log"') == 1
    assert page.of("coterie_under_way_entries", 'stream="mailbox"') == 1
    assert page["coterie_devices_behind"] == 0
    house.clock.advance(3.0)
    page = scrape(house)
    assert page.of("coterie_lag_seconds", 'stream="log"') == 3
    assert page.of("coterie_lag_seconds", 'stream="mailbox"') == 3
    bobs.acknowledge(mailbox_of(bob.device.id), 1)
    bobs.acknowledge(log_of(conversation), entry.seq)
    await settle()
    page = scrape(house)
    assert page.of("coterie_under_way_entries", 'stream="log"') == 0
    assert page.of("coterie_under_way_entries", 'stream="mailbox"') == 0
    assert page.of("coterie_lag_seconds", 'stream="mailbox"') == 0


@pytest.mark.asyncio
async def test_mail_of_who_is_away_is_counted_by_the_next_second(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    bobs.acknowledge(mailbox_of(bob.device.id), 1)
    await house.pass_time(2)
    bobs.hang_up()
    await alices.ask(alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=7))
    scrape(house)
    await house.pass_time(1)
    assert scrape(house)["coterie_mail_waiting"] == 1


@pytest.mark.asyncio
async def test_refusals_are_counted_by_code_wherever_they_come_from(
    house: House, alice: Person, bob: Person
) -> None:
    alices, _ = await two(house, alice, bob)
    disguised = alice.device.message(house.realm.everyone, bob.account, request=4)
    refused = await alices.ask(disguised)
    assert isinstance(refused, Refusal)
    assert scrape(house).of("coterie_refusals_total", f'code="{refused.code}"') == 1


@pytest.mark.asyncio
async def test_nothing_told_names_anybody(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    await logged_in(house, alice)
    await alices.ask(alice.device.message(alice.direct_with(bob), bob.account, request=3))
    await bobs.next(LogEntries)
    page = written(house.metrics.figures())
    assert "127.0.0.1" not in page
    for person in (alice, bob):
        for secret in (person.account, person.device.id):
            assert bytes(secret).hex() not in page
    assert not any(name in page for name in ('"alice', '"bob'))
    labels = {labels.partition("=")[0] for _, labels in scrape(house).samples}
    assert labels <= {"", "code", "frame", "le", "stream"}


@pytest.mark.asyncio
async def test_what_found_the_lane_full_is_counted(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    count = limits.LANE_FRAMES + 3
    send = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    alices.say(*(msgspec.structs.replace(send, request=number) for number in range(3, 103)))
    for first in range(103, 3 + count, 100):
        numbers = range(first, min(first + 100, 3 + count))
        alices.say(*(msgspec.structs.replace(send, request=number) for number in numbers))
    assert house.figure("lane_frames") == limits.LANE_FRAMES
    assert house.figure("lane_bytes") > limits.LANE_FRAMES * len(send.ciphertext)
    assert house.figure("lane_full_total") == 3
    await settle()
    assert house.figure("lane_frames") == 0
    assert house.figure("refusals_total", "busy") >= 3


@pytest.mark.asyncio
async def test_who_is_turned_away_is_counted(house: House) -> None:
    far = "192.0.2.7"
    while house.turns.has_room_for(far):
        house.wire(far)
    assert house.figure("connections") == house.figure("connections_unproven") == UNPROVEN_PER_ADDRESS_MAX
    assert house.figure("connections_opened_total") == UNPROVEN_PER_ADDRESS_MAX
    assert house.figure("connections_turned_away_total") == 1


@pytest.mark.asyncio
async def test_a_store_that_fails_is_counted(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    await house.store._db.run("PRAGMA query_only = 1")
    refused = await alices.ask(alice.device.message(alice.direct_with(bob), bob.account, request=3))
    assert refused == Refusal(3, "disk", RETRY_MS)
    assert house.figure("failed_commits_total") == 1
    assert house.figure("refusals_total", "disk") == 1
    await house.store._db.run("PRAGMA query_only = 0")
