"""What a stopped server has written, as the check of a talk asks for it."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from coterie.server.store.sqlite import SqliteStore
from coterie.trials.soak.figures import written_of
from tests.server.town import Resident, say, settle_in, talk


@pytest.mark.asyncio
async def test_messages_that_stand_twice_in_a_log_are_named(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    store = SqliteStore(path)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    await say(store, alice.device, record)
    await store.close()
    before = written_of(path)
    assert {device for device, _ in before.entitled} == {alice.device.id, bob.device.id}
    assert before.doubled == ()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TEMP TABLE again AS SELECT * FROM log_entries")
    connection.execute("UPDATE again SET no = no + 1, seq = seq + 1")
    connection.execute("INSERT INTO log_entries SELECT * FROM again")
    connection.close()
    assert written_of(path).doubled == (record.message,)
