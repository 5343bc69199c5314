"""What every store promises of many logs that are read together."""

from __future__ import annotations

import secrets
from itertools import product

import pytest

from coterie.base.ids import ConversationId, log_of
from coterie.server.store.protocol import Place, Store
from coterie.server.store.records import MoveCursor
from tests.server.town import EVERYONE, NOW_MS, Resident, save, say, settle_in, talk

pytestmark = pytest.mark.asyncio

SIZES = (1, 40, 300)
"""Bytes of messages, by turns."""


async def test_many_places_give_what_each_gives_by_itself(
    store: Store, alice: Resident, bob: Resident
) -> None:
    """Wherever they are, whatever was dropped before, and however little may be given at once."""
    carol, dave = Resident("carol"), Resident("dave")
    await settle_in(store, alice, bob, carol, dave)
    lengths = {bob: 40, carol: 17, dave: 0}
    for other, length in lengths.items():
        await talk(store, alice, other)
        for number in range(length):
            sealed = secrets.token_bytes(SIZES[number % len(SIZES)])
            record = alice.device.message(alice.direct_with(other), other.account, ciphertext=sealed)
            await say(store, alice.device, record)
    conversation = alice.direct_with(bob)
    for machine in (alice.device, bob.device):
        await save(store, MoveCursor(machine.id, log_of(conversation), 5))
    assert await store.prune(NOW_MS) == 5
    streams = [log_of(alice.direct_with(other)) for other in lengths]
    streams += [log_of(EVERYONE), log_of(ConversationId(secrets.token_bytes(16)))]
    places: list[Place] = list(product(streams, range(42)))
    for entries, most_bytes in ((64, 1 << 20), (3, 1 << 20), (64, 350), (16, 1)):
        assert await store.logs(places, entries, most_bytes) == {
            place: await store.log(*place, entries, most_bytes) for place in places
        }
    place = (log_of(conversation), 0)
    assert [entry.seq for entry in (await store.logs((place,), 16, 1))[place]] == [6], "one at least"
    assert await store.logs((), 64, 1 << 20) == {}
