"""What happens to all when something goes wrong for one: bugs, a full disk, garbage."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.ledger.manifest import PrekeyKind
from coterie.server.connection import CloseReason
from coterie.wire.frames import (
    Accepted,
    Accounts,
    FetchAccounts,
    LogEntries,
    Ping,
    Pong,
    PublishPrekeys,
    Refusal,
)
from coterie.wire.frames.accounts import KnownAccount
from tests.examples import examples
from tests.server.house import House, settle
from tests.server.people import Person
from tests.server.scenes import code, registered, two


@pytest.mark.asyncio
async def test_a_bug_in_one_command_ends_one_connection(
    house: House,
    alice: Person,
    bob: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alices, bobs = await two(house, alice, bob)
    monkeypatch.delattr(house.realm, "rates")
    alices.say(alice.device.message(alice.direct_with(bob), bob.account, request=3, ciphertext=b"words"))
    bobs.say(Ping(1))
    assert isinstance(await bobs.next(Pong), Pong)
    await settle()
    assert (alices.reason, bobs.reason) == (CloseReason.INTERNAL_ERROR, None)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "a Send could not be handled"
    assert "words" not in caplog.text


@pytest.mark.asyncio
async def test_a_full_disk_is_said_and_nothing_is_lost_when_there_is_room_again(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    pages = house.store._file.number("PRAGMA page_count")
    house.store._file.run(f"PRAGMA max_page_count = {pages}")
    large = alice.device.message(conversation, bob.account, request=3, ciphertext=bytes(300_000))
    refusal = await alices.ask(large)
    assert code(refusal) is Code.DISK
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after_ms > 0
    await settle()
    assert bobs.waiting(LogEntries) == []
    house.store._file.run(f"PRAGMA max_page_count = {pages + 1000}")
    assert isinstance(await alices.ask(large), Accepted)
    assert [entry.seq for entry in await bobs.messages(1)] == [1]


@pytest.mark.asyncio
async def test_cursors_that_could_not_be_saved_are_saved_later(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))
    await bobs.messages(1)
    bobs.acknowledge(log_of(conversation), 1)
    await settle()
    house.store._file.run("PRAGMA query_only = 1")
    await house.pass_time(2)
    house.store._file.run("PRAGMA query_only = 0")
    await house.pass_time(2)
    ends = {end.stream: end for end in await house.store.stream_ends(bob.device.id, 10)}
    assert ends[log_of(conversation)].acknowledged == 1
    assert bobs.reason is None


@pytest.mark.asyncio
async def test_what_everybody_has_is_dropped_from_the_disk_in_time(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))
    await bobs.messages(1)
    for wire in (alices, bobs):
        wire.acknowledge(log_of(conversation), 1)
    await house.pass_time(62)
    assert await house.store.log(log_of(conversation), 0, 10, 1 << 20) == ()


@pytest.mark.asyncio
async def test_the_store_is_not_asked_about_what_a_turn_has_not_committed(
    house: House, alice: Person, bob: Person
) -> None:
    """A connection that changes something and then asks for it, in one message."""
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    fresh = alice.device.prekey(PrekeyKind.FALLBACK)
    wire.say(PublishPrekeys(2, (fresh,)), FetchAccounts(3, (KnownAccount(alice.account, 0),)))
    accounts = await wire.next(Accounts)
    assert accounts.accounts[0].keys[0].fallback == fresh


@pytest.mark.asyncio
async def test_garbage_ends_its_connection_and_harms_nobody(
    house: House, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await registered(house, alice)
    good = house.wire()
    await good.sign_in(alice.device)

    @given(message=st.binary(max_size=200))
    @settings(max_examples=examples(100), deadline=None)
    def throw(message: bytes) -> None:
        wire = house.wire()
        wire.throw(message)
        assert wire.reason is CloseReason.REFUSED

    throw()
    good.say(Ping(1))
    assert isinstance(await good.next(Pong), Pong)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
