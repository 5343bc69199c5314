"""What every store promises about a batch: one record that cannot be saved harms no other."""

from __future__ import annotations

import logging

import pytest

from coterie.base.ids import log_of
from coterie.server.store.protocol import Store
from coterie.server.store.records import PutRun
from coterie.server.store.results import DONE, Appended, Broken
from tests.server.town import Resident, log_seqs, settle_in, talk


@pytest.mark.asyncio
async def test_a_record_that_cannot_be_saved_harms_no_other_of_its_batch(
    store: Store, alice: Resident, bob: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    first = alice.device.message(conversation)
    second = alice.device.message(conversation, previous=first.message)
    too_high = PutRun(bob.device.id, 1 << 70, b"n" * 16)
    good = PutRun(bob.device.id, 1, b"n" * 16)
    results = await store.commit([first, too_high, second, good])
    assert [type(result) for result in results] == [Appended, Broken, Appended, type(DONE)]
    assert await log_seqs(store, conversation) == [1, 2]
    row = await store.device(bob.device.id)
    assert row is not None
    assert row.run == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert await store.commit([second]) == [Appended(2, log_of(conversation), None)]
