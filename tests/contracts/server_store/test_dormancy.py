"""A device whose keys are too old is entitled to nothing new, and is not handed what it cannot open."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.protocol import Store
from coterie.server.store.records import ClaimKeys, MoveCursor, PutPrekeys
from coterie.server.store.results import KeysClaimed
from coterie.wire.frames.connection import StreamEnd
from tests.ledger.accounts import NOW_MS
from tests.server.town import Resident, denied, key, save, say, settle_in, talk

MONTH_MS = limits.DORMANT_AFTER_MS


async def end_of(store: Store, resident: Resident, stream: bytes, now_ms: int = 0) -> StreamEnd:
    ends = await store.stream_ends(resident.device.id, 10, now_ms)
    return next(end for end in ends if end.stream == stream)


@pytest.mark.asyncio
async def test_what_came_while_a_device_was_dormant_is_skipped(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)

    async def said(at_ms: int) -> int:
        message = alice.device.message(conversation, bob.account, now_ms=at_ms)
        return await say(store, alice.device, message)

    assert [await said(NOW_MS), await said(NOW_MS + MONTH_MS - 1)] == [1, 2]
    assert [await said(NOW_MS + MONTH_MS), await said(NOW_MS + MONTH_MS + 5)] == [3, 4]
    before = await end_of(store, bob, stream, NOW_MS + MONTH_MS - 1)
    assert (before.skip_after, before.skip_to) == (0, 0)
    expected = StreamEnd(stream, 0, 4, 2, 4)
    assert await end_of(store, bob, stream, NOW_MS + MONTH_MS + 6) == expected
    assert [expected.resumed(seq) for seq in (0, 1, 2, 3, 4)] == [0, 1, 4, 4, 4]
    fresh = key(PrekeyKind.X_WING, 2000, created_ms=NOW_MS + MONTH_MS + 7)
    await save(store, PutPrekeys(bob.device.id, (fresh,), NOW_MS + MONTH_MS + 7))
    assert await end_of(store, bob, stream) == expected
    refused = alice.device.message(conversation, bob.account, now_ms=NOW_MS + MONTH_MS + 8)
    assert await say(store, alice.device, refused) == 5, "the session that it has goes on"
    await save(store, MoveCursor(bob.device.id, stream, 2))
    assert (await end_of(store, bob, stream)).resumed(2) == 4


@pytest.mark.asyncio
async def test_a_second_month_away_skips_from_the_first_on(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)
    for number in range(1, 4):
        at_ms = NOW_MS + number * 2 * MONTH_MS
        await say(store, alice.device, alice.device.message(conversation, bob.account, now_ms=at_ms))
        fresh = key(PrekeyKind.X_WING, 2000 + number, created_ms=at_ms + 1)
        await save(store, PutPrekeys(bob.device.id, (fresh,), at_ms + 1))
    assert await end_of(store, bob, stream) == StreamEnd(stream, 0, 3, 0, 3)


@pytest.mark.asyncio
async def test_a_device_that_returns_has_to_be_served_again(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    conversation = alice.direct_with(bob)
    late_ms = NOW_MS + MONTH_MS
    message = alice.device.message(conversation, bob.account, now_ms=late_ms)
    assert await say(store, alice.device, message) == 1, "a dormant one needs no key"
    fresh = key(PrekeyKind.X_WING, 2000, created_ms=late_ms + 1)
    await save(store, PutPrekeys(bob.device.id, (fresh,), late_ms + 1))
    message = alice.device.message(conversation, bob.account, now_ms=late_ms + 2)
    assert denied(await save(store, message)) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_a_claim_tells_how_many_keys_are_left(store: Store, alice: Resident) -> None:
    await settle_in(store, alice, one_time=2)
    claim = ClaimKeys(((alice.account, alice.device.id),), NOW_MS)
    left = []
    for result in await store.commit([claim, claim, claim]):
        assert isinstance(result, KeysClaimed)
        left.append(result.keys[0].left)
    assert left == [1, 0, 0]
