"""When a name that begins anew is due is remembered, and looked up again after whatever may change it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from coterie.base import limits
from coterie.server.store.records import BeginReset, CompleteResets, NewLeaf
from coterie.server.store.results import LeafAdded, ResetsCompleted
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import NOW_MS, Resident, save, settle_in

DUE_MS = NOW_MS + limits.RESET_AFTER_MS


@pytest.mark.asyncio
async def test_a_reset_is_due_from_its_time_on_until_it_is_over(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "server.db")
    alice = Resident("alice")
    await settle_in(store, alice)
    assert not await store.resets_due(DUE_MS)
    store._file.run("INSERT INTO reset_tokens SELECT no, ?, ? FROM accounts", (b"m" * 32, DUE_MS))
    heir = Resident("alice").register(token=b"m" * 32)
    leaf = NewLeaf(b"reset", alice.name_hash, alice.leaf)
    begun = await save(store, BeginReset(msgspec.structs.replace(heir, leaf=leaf), alice.hash))
    assert isinstance(begun, LeafAdded)
    assert not await store.resets_due(DUE_MS - 1)
    assert await store.resets_due(DUE_MS)
    assert await save(store, CompleteResets(DUE_MS)) == ResetsCompleted((alice.device.id,))
    assert not await store.resets_due(DUE_MS)
    await store.close()
