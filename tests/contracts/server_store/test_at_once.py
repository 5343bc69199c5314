"""What every store promises about messages for which it asks the database nothing, as all is at hand."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.server.store.protocol import Store
from coterie.server.store.pruning import KEEP_SESSION_MS
from coterie.server.store.results import Appended, Denied
from tests.server.town import NOW_MS, Machine, Resident, denied, log_seqs, save, say, settle_in, talk


async def in_the_middle(store: Store, alice: Resident, bob: Resident) -> None:
    """Alice has said something to bob already, in a session whose key he has."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    for _ in range(2):
        await say(store, alice.device, alice.device.message(conversation, bob.account))


async def refused(store: Store, alice: Resident, bob: Resident) -> Code | None:
    """Why alice's next message is."""
    return denied(await save(store, alice.device.message(alice.direct_with(bob), bob.account)))


@pytest.mark.asyncio
async def test_what_follows_a_message_in_its_batch_is_looked_at_as_the_message_is(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await in_the_middle(store, alice, bob)
    conversation = alice.direct_with(bob)
    third = alice.device.message(conversation, bob.account)
    fourth = alice.device.message(conversation, bob.account, previous=third.message)
    beside = alice.device.message(conversation, bob.account, previous=third.message)
    itself = alice.device.message(conversation, bob.account, message=fourth.message, previous=fourth.message)
    results = await store.commit([third, fourth, beside, itself, third])
    assert [result.seq for result in results[:2] if isinstance(result, Appended)] == [3, 4]
    assert results[2] == Denied(Code.OUT_OF_ORDER)
    stream = log_of(conversation)
    assert results[3:] == [Appended(4, stream, None), Appended(3, stream, None)], "both were there before"
    assert await log_seqs(store, conversation) == [1, 2, 3, 4]


@pytest.mark.asyncio
async def test_a_device_that_joined_is_missed_by_the_next_message(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await in_the_middle(store, alice, bob)
    conversation = alice.direct_with(bob)
    new = Machine(bob.account)
    bob.changed(change := bob.change(new), await save(store, change))
    answer = await save(store, alice.device.message(conversation, bob.account))
    assert isinstance(answer, Denied)
    assert (answer.code, answer.devices) == (Code.STALE_VIEW, ((bob.account, new.id),))


@pytest.mark.asyncio
async def test_another_session_is_asked_about_though_one_is_known(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await in_the_middle(store, alice, bob)
    other = Machine(alice.account)
    alice.device.session = other.session
    assert await refused(store, alice, bob) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_a_session_whose_rows_were_dropped_is_known_no_more(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await in_the_middle(store, alice, bob)
    while await store.prune(NOW_MS + KEEP_SESSION_MS + 1):
        pass
    assert await refused(store, alice, bob) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_a_device_that_was_revoked_says_nothing_more(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await in_the_middle(store, alice, bob)
    second = Machine(alice.account)
    alice.changed(change := alice.change(second), await save(store, change))
    alice.changed(change := alice.change(revoked=(alice.device,)), await save(store, change))
    assert await refused(store, alice, bob) is Code.REVOKED
