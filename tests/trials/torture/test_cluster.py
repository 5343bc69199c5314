"""What is left of a database when a run found something: rows to look into, and nothing secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coterie.server.store.postgres.store import PostgresStore
from coterie.trials.torture.cluster import OnPostgres
from tests.server.town import Resident, settle_in, talk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

SECRET = ("facts", "tokens", "verifiers", "reset_tokens")


async def test_what_servers_have_written_is_kept_row_by_row(tmp_path: Path) -> None:
    ground, kept = OnPostgres(), tmp_path / "database"
    alice, bob = Resident("alice"), Resident("bob")
    await ground.start()
    try:
        store = await PostgresStore.open(ground.database)
        await settle_in(store, alice, bob)
        await talk(store, alice, bob)
        await store.close()
        await ground.keep(kept)
    finally:
        await ground.end()
    rows = {
        file.stem: [json.loads(line) for line in file.read_text().splitlines()]
        for file in kept.glob("*.jsonl")
    }
    assert {row["name"] for row in rows["accounts"]} == {"alice", "bob"}
    assert {row["device"] for row in rows["devices"]} >= {rf"\x{alice.device.id.hex()}"}
    assert len(rows["entitled"]) >= 4
    assert rows["log_entries"] == []
    assert not rows.keys() & set(SECRET)
    assert not {"vault", "sealed", "ciphertext"} & {
        name for each in rows.values() for row in each for name in row
    }
    assert "database system is ready" in (kept / "engine-0.log").read_text()
